import { positionText } from "../../contract/raw-record.js";
import { OUTPUT_TOPICS, TOPICS } from "../../contract/topics.js";
import { RejectReason } from "../../protos/gen/fraud/v1/evidence.js";
import { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { PropertyCheck, type PropertyResult } from "../../verifier/property.js";
import { type StoredRecord, rejectionIn } from "../../verifier/records.js";
import { contentOf, ContentTable } from "./content-table.js";
import type { Acknowledged } from "./k6-plan.js";

/** A committed record, as read by a fresh reader. */
export interface FreshRecord extends StoredRecord {
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
}

const OUTPUTS: ReadonlySet<string> = new Set(OUTPUT_TOPICS.map(({ name }) => name));
const INPUTS: readonly string[] = [TOPICS.transactionsValid.name, TOPICS.labelsValid.name];

/** What a run's own properties need from the records that a fresh reader reads: only little of each. */
export class RunNotes {
  /**
   * When each transaction was written to `transactions.valid`, by its number, in ms since 1970; NaN: it is not there.
   */
  readonly acceptedAtMs: Float64Array;
  /** What is where in the output topics. */
  readonly outputs = new ContentTable();
  /** Where the run's decisions are. */
  readonly decisions = new ContentTable();
  readonly #runId: string;
  readonly #rejected = new PropertyCheck("rejected");

  /** @param transactions - greater than every transaction's number */
  constructor(runId: string, transactions: number) {
    this.#runId = runId;
    this.acceptedAtMs = new Float64Array(transactions).fill(NaN);
  }

  note(record: FreshRecord): void {
    const { topic, key, value, timestampMs } = record;
    if (INPUTS.includes(topic)) this.#rejected.looked();
    if (topic === TOPICS.transactionsValid.name) {
      const n = numberIn(value, this.#runId);
      if (n !== undefined && Number.isNaN(this.acceptedAtMs[n])) this.acceptedAtMs[n] = timestampMs;
    }
    // A verdict that was overtaken by another on its way is rightly refused.
    if (topic === TOPICS.functionsRejected.name && rejectionIn(record)?.reason !== RejectReason.STALE_REVISION)
      this.#rejected.violation("the account counter refused a record", positionText(record));
    if (!OUTPUTS.has(topic)) return;
    const content = contentOf(record);
    this.outputs.set(record, content);
    if (topic === TOPICS.decisions.name && key !== null && Buffer.from(key).toString().startsWith(`${this.#runId}-`))
      this.decisions.set(record, content);
  }

  /** Checks that no function refused a record of the run. */
  noneRejected(): PropertyResult {
    return this.#rejected.result;
  }
}

/**
 * Aborted records exist where the job restarted while it produced. That no committed reader saw one follows from the
 * readers' agreement, and from everything being decided once.
 *
 * @param written - records on the output topics, aborted ones included
 * @param committed - the committed ones among them
 */
export function abortedHidden(written: number, committed: number, jobRestarted: boolean): PropertyResult {
  const check = new PropertyCheck("aborted-hidden");
  const aborted = written - committed;
  check.looked(Math.max(0, aborted));
  if (jobRestarted && aborted <= 0)
    check.violation("the job restarted, and no record was aborted: no fault hit a live transaction");
  return check.result;
}

/**
 * Every acknowledged transaction is in `transactions.valid`; those that a function refused have their own property.
 */
export function everyAcknowledged(
  acknowledged: readonly Acknowledged[],
  { acceptedAtMs }: RunNotes,
  runId: string,
): PropertyResult {
  const check = new PropertyCheck("acknowledged");
  for (const { first, count } of acknowledged) {
    for (let n = first; n < first + count; n++) {
      check.looked();
      if (Number.isNaN(acceptedAtMs[n] ?? NaN))
        check.violation(`${runId}-${n} was acknowledged, and is neither accepted nor rejected`);
    }
  }
  return check.result;
}

/** Whether a position is before the end of what a fresh reader has read. */
type Within = (position: Pick<StoredRecord, "topic" | "partition" | "offset">) => boolean;

/** A reader beside the run and a fresh one read the same records. */
export function readersAgree(
  concurrent: ContentTable,
  fresh: ContentTable,
  within: Within = () => true,
): PropertyResult {
  const check = new PropertyCheck("readers-agree");
  for (const [position, content] of fresh) {
    const seen = concurrent.get(position);
    check.looked();
    if (seen === undefined)
      check.violation("the reader beside the run did not see this record", positionText(position));
    else if (seen !== content)
      check.violation("the reader beside the run saw another record here", positionText(position));
  }
  for (const [position] of concurrent)
    if (fresh.get(position) === undefined && within(position))
      check.violation("the reader beside the run saw a record that a fresh one does not", positionText(position));
  return check.result;
}

/** The kafkajs reader delivered exactly the run's committed decisions. @param fresh - where those stand */
export function kafkajsAgrees(seen: ContentTable, fresh: ContentTable, within: Within = () => true): PropertyResult {
  const check = new PropertyCheck("kafkajs-agrees");
  for (const [position] of fresh) {
    check.looked();
    if (seen.get(position) === undefined)
      check.violation("the kafkajs reader did not deliver this committed decision", positionText(position));
  }
  for (const [position] of seen)
    if (fresh.get(position) === undefined && within(position))
      check.violation("the kafkajs reader delivered a decision that is not committed", positionText(position));
  return check.result;
}

/** A transaction's number in its run; `undefined` for those of other runs. */
function numberIn(value: Uint8Array | null, runId: string): number | undefined {
  const id = value && Transaction.decode(value).transactionId;
  return id?.startsWith(`${runId}-`) ? Number(id.slice(runId.length + 1)) : undefined;
}
