import { TOPICS, type TopicSettings } from "../contract/topics.js";
import { partitionOf } from "../kafka/partition.js";
import type { OutgoingRecord } from "../kafka/record-writer.js";
import type { Admitted, InputKind } from "./admission.js";

/** The topics of one kind of input: where clients write, and where the intake sorts it to. */
export interface Door {
  readonly kind: InputKind;
  readonly in: TopicSettings;
  readonly valid: TopicSettings;
  readonly rejected: TopicSettings;
}

export const DOORS: Readonly<Record<InputKind, Door>> = {
  transaction: {
    kind: "transaction",
    in: TOPICS.transactions,
    valid: TOPICS.transactionsValid,
    rejected: TOPICS.transactionsRejected,
  },
  label: { kind: "label", in: TOPICS.labels, valid: TOPICS.labelsValid, rejected: TOPICS.labelsRejected },
};

const LARGE_BATCH_BYTES = 512 * 1024;
/** A batch's own header, and room for an estimate that is a little low. */
const MARGIN_BYTES = 2 * 1024;

const WRITTEN = new Map(
  Object.values(DOORS).flatMap(({ valid, rejected }) =>
    [valid, rejected].map(({ name, batchBytes = LARGE_BATCH_BYTES }) => [name, batchBytes]),
  ),
);

/** For a {@link RecordWriter}: how many bytes of a topic's records may go together. */
export const batchBytes = (topic: string): number =>
  Math.min((WRITTEN.get(topic) ?? LARGE_BATCH_BYTES) - MARGIN_BYTES, LARGE_BATCH_BYTES);

/** The largest record that a topic takes. */
export const largestRecordBytes = ({ batchBytes: bytes = LARGE_BATCH_BYTES }: TopicSettings): number =>
  bytes - MARGIN_BYTES;

/** The record of an admitted input. @param timestampMs - default: now */
export function validRecord({ valid }: Door, { accountId, value }: Admitted, timestampMs?: number): OutgoingRecord {
  return {
    topic: valid.name,
    partition: partitionOf(accountId, valid.partitions),
    key: accountId,
    value,
    ...(timestampMs !== undefined && { timestampMs }),
  };
}
