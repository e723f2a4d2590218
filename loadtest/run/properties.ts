import { createHash } from "node:crypto";

import type { RawRecord } from "../../cluster/index.js";
import { TOPICS } from "../../cluster/settings.js";
import { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { PropertyCheck, type PropertyResult } from "../verify/property.js";
import { placeOf, type VerifiedRecords } from "../verify/records.js";
import type { Acknowledged } from "./k6-plan.js";

/** No record of the run was refused by a function. */
export function noneRejected(records: VerifiedRecords): PropertyResult {
  const check = new PropertyCheck("rejected");
  check.looked(records.transactions.length + records.labels.length);
  for (const record of records.rejected) check.violation("the account counter refused a record", placeOf(record));
  return check.result;
}

/**
 * Aborted records exist where the job restarted while it produced. That no committed reader saw one is shown by the readers that
 * agree, and by what is decided once.
 *
 * @param written - records on the output topics, aborted ones included
 * @param committed - of those, the committed ones
 */
export function abortedHidden(written: number, committed: number, jobRestarted: boolean): PropertyResult {
  const check = new PropertyCheck("aborted-hidden");
  const aborted = written - committed;
  check.looked(Math.max(0, aborted));
  if (jobRestarted && aborted <= 0) check.violation("the job restarted, and no record was aborted: no fault hit a live transaction");
  return check.result;
}

/** Every acknowledged transaction stands in `transactions.valid`; what a function refused of those is looked at by its own property. */
export function everyAcknowledged(acknowledged: readonly Acknowledged[], records: VerifiedRecords, runId: string): PropertyResult {
  const check = new PropertyCheck("acknowledged");
  const there = new Set<number>();
  for (const { value } of records.transactions) there.add(numberIn(value, runId) ?? -1);
  for (const { first, count } of acknowledged) {
    for (let n = first; n < first + count; n++) {
      check.looked();
      if (!there.has(n)) check.violation(`${runId}-${n} was acknowledged, and is neither accepted nor rejected`);
    }
  }
  return check.result;
}

/** A reader beside the run and a fresh one read the same records. @param concurrent - contents by position */
export function readersAgree(concurrent: ReadonlyMap<string, string>, fresh: readonly RawRecord[]): PropertyResult {
  const check = new PropertyCheck("readers-agree");
  const left = new Map(concurrent);
  for (const record of fresh) {
    const position = placeOf(record);
    const content = left.get(position);
    check.looked();
    if (content === undefined) check.violation("the reader beside the run did not see this record", position);
    else if (content !== contentOf(record)) check.violation("the reader beside the run saw another record here", position);
    left.delete(position);
  }
  for (const position of left.keys()) check.violation("the reader beside the run saw a record that a fresh one does not", position);
  return check.result;
}

/** The kafkajs reader delivered exactly the run's committed decisions. @param seen - positions */
export function kafkajsAgrees(seen: ReadonlySet<string>, fresh: readonly RawRecord[], runId: string): PropertyResult {
  const check = new PropertyCheck("kafkajs-agrees");
  const left = new Set(seen);
  for (const record of fresh) {
    if (record.topic !== TOPICS.decisions.name || record.key?.toString().startsWith(`${runId}-`) !== true) continue;
    const position = placeOf(record);
    check.looked();
    if (!left.delete(position)) check.violation("the kafkajs reader did not deliver this committed decision", position);
  }
  for (const position of left) check.violation("the kafkajs reader delivered a decision that is not committed", position);
  return check.result;
}

/** A transaction's number in its run; `undefined` for those of other runs. */
export function numberIn(value: Uint8Array | null, runId: string): number | undefined {
  const id = value && Transaction.decode(value).transactionId;
  return id?.startsWith(`${runId}-`) ? Number(id.slice(runId.length + 1)) : undefined;
}

/** A record's content in few bytes. */
export const contentOf = ({ value }: RawRecord): string => createHash("sha256").update(value ?? "").digest("base64url").slice(0, 16);
