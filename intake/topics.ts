import { LIMITS, TOPICS, type TopicSettings } from "../cluster/settings.js";
import type { InputKind } from "./admission.js";

/** The topics of one kind of input: where anybody writes, and where the intake sorts it to. */
export interface Door {
  readonly kind: InputKind;
  readonly in: TopicSettings;
  readonly valid: TopicSettings;
  readonly rejected: TopicSettings;
}

export const DOORS: Readonly<Record<InputKind, Door>> = {
  transaction: { kind: "transaction", in: TOPICS.transactions, valid: TOPICS.transactionsValid, rejected: TOPICS.transactionsRejected },
  label: { kind: "label", in: TOPICS.labels, valid: TOPICS.labelsValid, rejected: TOPICS.labelsRejected },
};

const LARGE_BATCH_BYTES = 512 * 1024;
/** A batch's own header, and room for an estimate that is a little low. */
const MARGIN_BYTES = 2 * 1024;

/** For a {@link RecordWriter}: how much of a topic's records may go together. */
export const batchBytes = (topic: string): number => (topic.endsWith(".valid") ? LIMITS.recordBytes - MARGIN_BYTES : LARGE_BATCH_BYTES);
