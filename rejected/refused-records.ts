import { originName, shortOriginName } from "../contract/origin-name.js";
import type { RawRecord } from "../contract/raw-record.js";
import { TOPICS } from "../contract/topics.js";
import { reasonName } from "../intake/problem.js";
import { readTopics } from "../java/java-reader.js";
import { RejectedRecord, RejectReason } from "../protos/gen/fraud/v1/evidence.js";
import { RefusedInput } from "../protos/gen/fraud/v1/intake.js";
import type { Origin } from "../protos/gen/fraud/v1/transaction.js";
import { Any } from "../protos/gen/google/protobuf/any.js";

const READ_LIMIT_MS = 300_000;

/** A record that the intake or the account counter refused. */
export interface RefusedRecord {
  /**
   * Names it to people: where it stood first, such as `transactions-2-17@…`; for one that came by HTTP, where it was
   * set aside.
   */
  readonly name: string;
  readonly by: "intake" | "account-counter";
  readonly reason: string;
  readonly message: string;
  readonly field: string;
  /** Absent for what came by HTTP. */
  readonly origin: Origin | undefined;
  /** When it was taken (the intake's) or set aside (the counter's), in ms since 1970. */
  readonly timestampMs: number;
  /** The public topic that it belongs to. */
  readonly topic: string;
  readonly key: Buffer | null;
  /** Null for a tombstone, which is refused as `EMPTY`, and for what was too large to be kept. */
  readonly value: Buffer | null;
  readonly headers: readonly { readonly name: string; readonly value: Buffer }[];
}

/** Whether a record was there, and was not kept: it was too large, or could not be unpacked. */
export const wasNotKept = ({ value, reason }: Pick<RefusedRecord, "value" | "reason">): boolean =>
  value === null && reason !== "EMPTY";

/**
 * Reads everything that was refused and is still there, the oldest first. A record that an intake wrote twice, having
 * been killed in between, is one.
 *
 * @throws {UserError} when Kafka is not there
 */
export async function refusedRecords(brokers: string): Promise<RefusedRecord[]> {
  const topics = [TOPICS.transactionsRejected, TOPICS.labelsRejected, TOPICS.functionsRejected];
  const { records } = await readTopics({
    brokers,
    topics: topics.map(({ name }) => ({ topic: name })),
    isolation: "read_committed",
    timeoutMs: READ_LIMIT_MS,
  });
  const byName = new Map<string, RefusedRecord>();
  for (const record of records) {
    const refused = record.topic === TOPICS.functionsRejected.name ? byCounter(record) : byIntake(record);
    if (refused !== undefined && !byName.has(refused.name)) byName.set(refused.name, refused);
  }
  return [...byName.values()].sort((a, b) => a.timestampMs - b.timestampMs);
}

function byIntake({ value }: RawRecord): RefusedRecord | undefined {
  if (value === null) return undefined;
  const {
    reason,
    message,
    field,
    origin,
    timestampMs,
    key,
    value: original,
    headers,
  } = RefusedInput.decode(Any.decode(value).value);
  if (origin === undefined) return undefined;
  return {
    name: originName(origin),
    by: "intake",
    reason: reasonName(reason),
    message,
    field,
    origin,
    timestampMs: Number(timestampMs),
    topic: origin.topic,
    key: key ?? null,
    value: original ?? null,
    headers,
  };
}

/** What the counter got is the intake's own encoding: replayed, it is told by its content. */
function byCounter({ topic, partition, offset, timestampMs, value }: RawRecord): RefusedRecord | undefined {
  if (value === null) return undefined;
  const { reason, message, original, origin, addressId } = RejectedRecord.decode(Any.decode(value).value);
  const isLabel = original?.typeUrl.endsWith("/fraud.v1.FraudLabel") === true;
  return {
    name: origin === undefined ? shortOriginName({ topic, partition, offset }) : originName(origin),
    by: "account-counter",
    reason: RejectReason[reason] ?? String(reason),
    message,
    field: "",
    origin,
    timestampMs,
    topic: isLabel ? TOPICS.labels.name : TOPICS.transactions.name,
    key: Buffer.from(addressId),
    value: original?.value ?? null,
    headers: [],
  };
}
