import { ACCOUNT_COUNTER } from "../contract/function-names.js";
import { TOPICS } from "../contract/topics.js";
import { AccountEvidence, AccountFeatures, Decision } from "../protos/gen/fraud/v1/decision.js";
import { FraudLabel, Transaction } from "../protos/gen/fraud/v1/transaction.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import {
  alertIn,
  decisionIn,
  eventIn,
  isAddressed,
  type MerchantRecords,
  type StoredRecord,
  rejectionIn,
  type VerifiedRecords,
} from "./records.js";
import { Spill } from "./spill.js";

/**
 * How many shards of accounts, and of merchants, there are: with millions of transactions, one fits into memory easily.
 */
const SHARDS = 256;
const MEMORY_BYTES = 64 * 2 ** 20;
/** Topic, partition, offset and length of the value. */
const HEAD_BYTES = 17;

/** The topics that are judged, by their names in {@link VerifiedRecords}. */
export const JUDGED_TOPICS: { readonly [Kind in keyof VerifiedRecords]: string } = {
  transactions: TOPICS.transactionsValid.name,
  labels: TOPICS.labelsValid.name,
  decisions: TOPICS.decisions.name,
  evidence: TOPICS.evidence.name,
  alerts: TOPICS.alerts.name,
  rejected: TOPICS.functionsRejected.name,
};
const KINDS = Object.keys(JUDGED_TOPICS) as (keyof VerifiedRecords)[];
const TOPIC_NAMES = Object.values(JUDGED_TOPICS);

/** Options of a {@link RecordStore}, for specs. */
export interface RecordStoreOptions {
  /** How many shards of accounts, and of merchants. */
  readonly shards?: number;
  /** Records beyond this many bytes are kept in a temporary file. */
  readonly memoryBytes?: number;
}

/**
 * Takes the records of a run, however many, and gives them back grouped by account and by merchant, a few of each at a
 * time; each account's and each merchant's in the order in which they came. {@link close} it at the end.
 */
export class RecordStore {
  readonly #shards: number;
  readonly #spill: Spill;
  readonly #head = Buffer.alloc(HEAD_BYTES);

  constructor({ shards = SHARDS, memoryBytes = MEMORY_BYTES }: RecordStoreOptions = {}) {
    this.#shards = shards;
    this.#spill = new Spill(2 * shards, memoryBytes);
  }

  /** How many batches {@link accounts} and {@link merchants} give together. */
  get batches(): number {
    return 2 * this.#shards;
  }

  /** What had to go to disk, in bytes. */
  get fileBytes(): number {
    return this.#spill.fileBytes;
  }

  /**
   * Keeps a record of one of {@link JUDGED_TOPICS}.
   *
   * @throws {UserError} when the disk is full
   */
  add(record: StoredRecord): void {
    const topic = TOPIC_NAMES.indexOf(record.topic);
    switch (KINDS[topic]) {
      case "transactions":
        return this.#keep(this.#account(readable(Transaction, record.value)?.accountId), topic, record);
      case "labels":
        return this.#keep(this.#account(readable(FraudLabel, record.value)?.accountId), topic, record);
      case "alerts":
        return this.#keep(this.#account(alertIn(record)?.accountId), topic, record);
      case "rejected":
        return this.#keep(this.#account(refusedAccount(record)), topic, record);
      case "evidence": {
        const event = eventIn(record);
        // Whatever is not a state event has no address. One of an unknown function is put with the merchants.
        if (event !== undefined)
          this.#keep(
            event.function === ACCOUNT_COUNTER ? this.#account(event.addressId) : this.#merchant(event.addressId),
            topic,
            record,
          );
        return;
      }
      case "decisions": {
        const evidence = decisionIn(record)?.evidence;
        this.#keep(this.#account(evidence?.transaction?.accountId), topic, record);
        if (isAddressed(evidence))
          this.#keep(this.#merchant(evidence.transaction.merchantId), topic, {
            ...record,
            value: forMerchant(evidence),
          });
        return;
      }
      case undefined:
        throw new Error(`records of ${record.topic} are not judged`);
    }
  }

  /** Everything on some accounts, then on others. Each record comes once, unreadable ones included. */
  *accounts(): Generator<VerifiedRecords> {
    for (let shard = 0; shard < this.#shards; shard++) yield this.#take(shard);
  }

  /** What is judged on some merchants, then on others. Each record comes once. */
  *merchants(): Generator<MerchantRecords> {
    for (let shard = 0; shard < this.#shards; shard++) yield this.#take(this.#shards + shard);
  }

  /** Releases memory and disk. */
  close(): void {
    this.#spill.close();
  }

  #account(id = ""): number {
    return hashOf(id) % this.#shards;
  }

  #merchant(id: string): number {
    return this.#shards + (hashOf(id) % this.#shards);
  }

  #keep(shard: number, topic: number, { partition, offset, value }: StoredRecord): void {
    this.#head.writeUInt8(topic);
    this.#head.writeUInt32BE(partition, 1);
    this.#head.writeBigInt64BE(offset, 5);
    this.#head.writeInt32BE(value?.length ?? -1, 13);
    if (value === null) this.#spill.append(shard, this.#head);
    else this.#spill.append(shard, this.#head, value);
  }

  #take(shard: number): VerifiedRecords {
    const records: Record<keyof VerifiedRecords, StoredRecord[]> = {
      transactions: [],
      labels: [],
      decisions: [],
      evidence: [],
      alerts: [],
      rejected: [],
    };
    const bytes = this.#spill.take(shard);
    for (let at = 0; at < bytes.length;) {
      const topic = bytes[at]!;
      const length = bytes.readInt32BE(at + 13);
      const end = at + HEAD_BYTES + Math.max(0, length);
      records[KINDS[topic]!].push({
        topic: TOPIC_NAMES[topic]!,
        partition: bytes.readUInt32BE(at + 1),
        offset: bytes.readBigInt64BE(at + 5),
        value: length < 0 ? null : bytes.subarray(at + HEAD_BYTES, end),
      });
      at = end;
    }
    return records;
  }
}

/** The part of a decision that the checks of merchants look at: a third of the bytes. */
function forMerchant({
  transaction,
  account,
  merchant,
}: {
  readonly transaction: Transaction;
  readonly account: AccountEvidence;
  readonly merchant: NonNullable<Decision["evidence"]>["merchant"];
}): Uint8Array {
  const { transactionId, accountId, merchantId, amountMinor, eventTimeMs } = transaction;
  const shown = { ...NO_TRANSACTION, transactionId, accountId, merchantId, amountMinor, eventTimeMs };
  const { knownFraudFromMs, features: { ratioPermille } = NO_FEATURES } = account;
  const decision: Decision = {
    evidence: {
      transaction: shown,
      account: { ...NO_ACCOUNT, knownFraudFromMs, features: { ...NO_FEATURES, ratioPermille } },
      merchant,
      scoring: undefined,
    },
    timing: undefined,
  };
  return Any.encode({
    typeUrl: `type.googleapis.com/${Decision.$type}`,
    value: Buffer.from(Decision.encode(decision).finish()),
  }).finish();
}

const NO_TRANSACTION = Transaction.fromPartial({});
const NO_ACCOUNT = AccountEvidence.fromPartial({});
const NO_FEATURES = AccountFeatures.fromPartial({});

/** Whose transaction or label a function refused. */
function refusedAccount(record: StoredRecord): string | undefined {
  const original = rejectionIn(record)?.original;
  if (original === undefined) return undefined;
  return (
    original.typeUrl.endsWith(`/${FraudLabel.$type}`)
      ? readable(FraudLabel, original.value)
      : readable(Transaction, original.value)
  )?.accountId;
}

function readable<T>(type: { decode(bytes: Uint8Array): T }, value: Uint8Array | null): T | undefined {
  if (value === null) return undefined;
  try {
    return type.decode(value);
  } catch {
    return undefined;
  }
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let n = 0; n < text.length; n++) hash = Math.imul(hash ^ text.charCodeAt(n), 0x01000193);
  return hash >>> 0;
}
