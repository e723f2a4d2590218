import { positionText, type RecordPosition } from "../contract/raw-record.js";
import { TOPICS } from "../contract/topics.js";
import { transactionKey } from "../contract/transaction-key.js";
import { RejectedRecord } from "../protos/gen/fraud/v1/evidence.js";
import { Transaction } from "../protos/gen/fraud/v1/transaction.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import type { Violation as ShownViolation } from "./property.js";
import { decisionIn, type StoredRecord } from "./records.js";

/** A Kafka record as the judge needs it. */
export type JudgedRecord = Omit<StoredRecord, "topic">;

/** What a run left in the topics: for each topic its partitions in any order, but each of them in offset order. */
export interface RunRecords {
  /** `transactions.valid`: bare Transaction messages. */
  readonly transactions: Iterable<JudgedRecord>;
  /** `decisions`, read with `read_committed`: each an Any of a Decision. */
  readonly decisions: Iterable<JudgedRecord>;
  /** `functions.rejected`, read with `read_committed`. */
  readonly rejected: Iterable<JudgedRecord>;
}

/** A rule that does not hold, and the records that show it. */
export interface Violation extends ShownViolation {
  readonly property: "missing" | "duplicate" | "out-of-order" | "unexpected" | "altered" | "unreadable";
}

/** The judge's count of one run. All is well when `violations` is empty. */
export interface Judgement {
  /** Distinct transactions in `transactions.valid` that no function refused. */
  readonly accepted: number;
  /** Distinct transactions refused by a function. */
  readonly rejected: number;
  /** Decision records of the run. */
  readonly decisions: number;
  readonly missing: number;
  readonly duplicates: number;
  /**
   * Decisions on what was decided before and has been forgotten since, each marked as such where it is a repeat; absent
   * when there are none.
   */
  readonly decidedAgain?: number | undefined;
  readonly outOfOrder: number;
  readonly violations: readonly Violation[];
}

/** Where a record stands in its topic. */
type Position = Omit<RecordPosition, "topic">;

/** A record of a transaction that was not refused, as it may appear in its decision. */
interface AcceptedRecord extends Position {
  readonly value: Uint8Array;
}

interface Accepted {
  /** The first one is decided; later ones are repeats, unless the account has forgotten it. */
  readonly records: [AcceptedRecord, ...AcceptedRecord[]];
  decided: number;
  /** From its last decision: the account's number, and what the transaction was. */
  lastSeq: bigint;
  lastHash: string;
}

interface AccountOrder {
  seq: bigint;
  /** What the account has forgotten since. */
  forgottenSeq: bigint;
  partition: number;
  /** Where the transaction entered. */
  ingress: Position | undefined;
}

/**
 * Judges one run by its records: every accepted transaction must have exactly one committed decision, which holds it
 * unaltered, and each account's decisions must be in the order in which its transactions entered, numbered without a
 * gap.
 *
 * An identity (account and transaction id) is accepted if it has a record that was not refused; records of one identity
 * are told apart by their content hash. An account remembers a bounded number of its transactions, and each decision
 * says which are forgotten: what comes again after that is rightly decided again, and must be marked if it is the same.
 *
 * Shares no code with the functions that it judges.
 *
 * @param belongs - recognises the run's own transactions by account and transaction id; all others are ignored
 */
export function judgeRun(
  records: RunRecords,
  belongs: (accountId: string, transactionId: string) => boolean,
): Judgement {
  const violations: Violation[] = [];
  const rejected = rejectedContents(records, belongs);
  const accepted = acceptedTransactions(records, rejected, belongs);

  const accounts = new Map<string, AccountOrder>();
  let decisions = 0;
  let outOfOrder = 0;
  let duplicates = 0;
  let decidedAgain = 0;
  for (const record of records.decisions) {
    const decision = decisionIn(record);
    const transaction = decision?.evidence?.transaction;
    const account = decision?.evidence?.account;
    if (transaction === undefined || account === undefined) {
      violations.push({
        property: "unreadable",
        what: `${decidedAt(record)} is not a decision`,
        records: [decidedAt(record)],
      });
      continue;
    }
    const { accountId, transactionId } = transaction;
    const { seq, forgottenSeq } = account;
    if (!belongs(accountId, transactionId)) continue;
    decisions++;
    const identity = accepted.get(transactionKey(accountId, transactionId));
    const last = accounts.get(accountId);
    const position = decidedAt(record);
    const name = `${accountId} ${transactionId} (${position}, seq ${seq})`;
    let ingress: Position | undefined = identity?.records[0];
    if (identity === undefined) {
      violations.push({ property: "unexpected", what: `${name} was never accepted`, records: [position] });
    } else {
      const hash = transaction.contentHash.toString("hex");
      const isAgain = identity.decided > 0;
      const encoded = Transaction.encode(transaction).finish();
      identity.decided++;
      if (!identity.records.some(({ value }) => Buffer.compare(value, encoded) === 0)) {
        const entered = enteredAt(identity.records[0]);
        violations.push({
          property: "altered",
          what: `${name} holds another transaction than the one that was accepted (${entered})`,
          records: [position, entered],
        });
      } else if (isAgain) {
        // It entered after the one decided before it: the first such record.
        ingress = identity.records.find(
          ({ partition, offset, value }) =>
            Buffer.compare(value, encoded) === 0 &&
            (last?.ingress === undefined || (partition === last.ingress.partition && offset > last.ingress.offset)),
        );
        if (ingress === undefined || identity.lastSeq > (last?.forgottenSeq ?? 0n)) {
          duplicates++;
          violations.push({
            property: "duplicate",
            what: `${name} is decision number ${identity.decided} on it`,
            records: [position],
          });
          continue;
        }
        if (identity.lastHash === hash && !account.possibleRepeat) {
          duplicates++;
          violations.push({
            property: "duplicate",
            what: `${name} is decision number ${identity.decided} on it, and not marked as a possible repeat`,
            records: [position],
          });
        } else decidedAgain++;
      }
      identity.lastSeq = seq;
      identity.lastHash = hash;
    }
    const problem = orderProblem(last, seq, record, ingress);
    if (problem !== undefined) {
      outOfOrder++;
      violations.push({
        property: "out-of-order",
        what: `${name} ${problem.what}`,
        records: [position, ...problem.records],
      });
    }
    accounts.set(accountId, { seq, forgottenSeq, partition: record.partition, ingress });
  }

  let missing = 0;
  for (const [identity, transaction] of accepted) {
    if (transaction.decided > 0) continue;
    missing++;
    const entered = enteredAt(transaction.records[0]);
    violations.push({
      property: "missing",
      what: `${identity.replace("\0", " ")} (${entered}) has no decision`,
      records: [entered],
    });
  }
  return {
    accepted: accepted.size,
    rejected: rejected.size,
    decisions,
    missing,
    duplicates,
    ...(decidedAgain > 0 && { decidedAgain }),
    outOfOrder,
    violations,
  };
}

function acceptedTransactions(
  { transactions }: RunRecords,
  rejected: RejectedContents,
  belongs: (accountId: string, transactionId: string) => boolean,
): Map<string, Accepted> {
  const accepted = new Map<string, Accepted>();
  // What was once refused as a conflict may be accepted when the account has forgotten what it conflicted with.
  const refused = new Map<string, AcceptedRecord[]>();
  const accept = (identity: string, record: AcceptedRecord): void => {
    const known = accepted.get(identity);
    if (known === undefined) accepted.set(identity, { records: [record], decided: 0, lastSeq: 0n, lastHash: "" });
    else known.records.push(record);
  };
  for (const { partition, offset, value } of transactions) {
    const transaction = value && readTransaction(value);
    if (!transaction || !belongs(transaction.accountId, transaction.transactionId)) continue;
    const identity = transactionKey(transaction.accountId, transaction.transactionId);
    const hash = transaction.contentHash.toString("hex");
    const times = rejected.get(identity)?.get(hash);
    if (times === undefined) {
      accept(identity, { partition, offset, value });
      continue;
    }
    const content = `${identity}\0${hash}`;
    const records = refused.get(content) ?? [];
    refused.set(content, [...records, { partition, offset, value }]);
  }
  for (const [content, records] of refused) {
    const at = content.lastIndexOf("\0");
    const identity = content.slice(0, at);
    if (records.length > rejected.get(identity)!.get(content.slice(at + 1))!)
      for (const record of records) accept(identity, record);
  }
  for (const { records } of accepted.values())
    records.sort((a, b) => a.partition - b.partition || Number(a.offset - b.offset));
  return accepted;
}

/** By identity: the content hashes that a function refused, and how often. */
type RejectedContents = ReadonlyMap<string, ReadonlyMap<string, number>>;

function rejectedContents(
  { rejected }: RunRecords,
  belongs: (accountId: string, transactionId: string) => boolean,
): RejectedContents {
  const identities = new Map<string, Map<string, number>>();
  for (const { value } of rejected) {
    const any = value && Any.decode(value);
    if (any?.typeUrl !== typeUrl(RejectedRecord.$type)) continue;
    const { original } = RejectedRecord.decode(any.value);
    // A record that cannot be read has no identity.
    const transaction = original?.typeUrl === typeUrl(Transaction.$type) ? readTransaction(original.value) : undefined;
    if (transaction === undefined || !belongs(transaction.accountId, transaction.transactionId)) continue;
    const identity = transactionKey(transaction.accountId, transaction.transactionId);
    const hash = transaction.contentHash.toString("hex");
    const hashes = identities.get(identity) ?? new Map<string, number>();
    identities.set(identity, hashes.set(hash, (hashes.get(hash) ?? 0) + 1));
  }
  return identities;
}

function readTransaction(value: Uint8Array): Transaction | undefined {
  try {
    return Transaction.decode(value);
  } catch {
    return undefined;
  }
}

function orderProblem(
  last: AccountOrder | undefined,
  seq: bigint,
  record: JudgedRecord,
  ingress: Position | undefined,
): Omit<Violation, "property"> | undefined {
  if (last === undefined) return undefined;
  if (record.partition !== last.partition)
    return { what: "is in another partition than the account's last", records: [] };
  if (seq !== last.seq + 1n) return { what: `follows seq ${last.seq}`, records: [] };
  if (
    ingress !== undefined &&
    last.ingress !== undefined &&
    (ingress.partition !== last.ingress.partition || ingress.offset <= last.ingress.offset)
  ) {
    return {
      what: `entered (${enteredAt(ingress)}) before the one decided ahead of it (${enteredAt(last.ingress)})`,
      records: [enteredAt(ingress), enteredAt(last.ingress)],
    };
  }
  return undefined;
}

const typeUrl = (type: string): string => `type.googleapis.com/${type}`;
const decidedAt = ({ partition, offset }: Position): string =>
  positionText({ topic: TOPICS.decisions.name, partition, offset });
const enteredAt = ({ partition, offset }: Position): string =>
  positionText({ topic: TOPICS.transactionsValid.name, partition, offset });
