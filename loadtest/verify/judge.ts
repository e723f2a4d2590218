import { Decision } from "../../protos/gen/fraud/v1/decision.js";
import { RejectedRecord } from "../../protos/gen/fraud/v1/evidence.js";
import { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { Any } from "../../protos/gen/google/protobuf/any.js";

/** A Kafka record as the judge needs it. */
export interface JudgedRecord {
  readonly partition: number;
  readonly offset: bigint;
  readonly value: Uint8Array | null;
}

/** What a run left in the topics, each in any order of partitions but in offset order within one. */
export interface RunRecords {
  /** `transactions.valid`: bare Transaction messages. */
  readonly transactions: Iterable<JudgedRecord>;
  /** `decisions`, read with `read_committed`: each an Any of a Decision. */
  readonly decisions: Iterable<JudgedRecord>;
  /** `functions.rejected`, read with `read_committed`. */
  readonly rejected: Iterable<JudgedRecord>;
}

/** A rule that does not hold, and the record that shows it. */
export interface Violation {
  readonly property: "missing" | "duplicate" | "out-of-order" | "unexpected" | "altered" | "unreadable";
  readonly what: string;
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
  readonly outOfOrder: number;
  readonly violations: readonly Violation[];
}

interface Accepted {
  /** Where its first record stands that was not refused. */
  readonly partition: number;
  readonly offset: bigint;
  /** What it may look like in its decision: the contents of its records that were not refused. */
  readonly contents: Uint8Array[];
  decided: number;
}

interface AccountOrder {
  seq: bigint;
  partition: number;
  ingress: Accepted | undefined;
}

/**
 * Judges one run by its records: every accepted transaction has exactly one committed decision, which holds it unaltered, and
 * each account's decisions stand in the order in which its transactions entered, numbered without a gap.
 *
 * Accepted is an identity (account and transaction id) with a record that was not refused; records of one identity are told
 * apart by content hash.
 *
 * Shares no code with the functions that it judges.
 *
 * @param belongs - tells the run's own transactions by account and transaction id; all others are ignored
 */
export function judgeRun(records: RunRecords, belongs: (accountId: string, transactionId: string) => boolean): Judgement {
  const violations: Violation[] = [];
  const rejected = rejectedContents(records, belongs);
  const accepted = acceptedTransactions(records, rejected, belongs);

  const accounts = new Map<string, AccountOrder>();
  let decisions = 0;
  let outOfOrder = 0;
  let duplicates = 0;
  for (const record of records.decisions) {
    const decision = decisionOf(record);
    const transaction = decision?.evidence?.transaction;
    const seq = decision?.evidence?.account?.seq;
    if (transaction === undefined || seq === undefined) {
      violations.push({ property: "unreadable", what: `decisions ${at(record)} is no decision` });
      continue;
    }
    const { accountId, transactionId } = transaction;
    if (!belongs(accountId, transactionId)) continue;
    decisions++;
    const ingress = accepted.get(identityOf(accountId, transactionId));
    const name = `${accountId} ${transactionId} (decisions ${at(record)}, seq ${seq})`;
    if (ingress === undefined) {
      violations.push({ property: "unexpected", what: `${name} was never accepted` });
    } else if (!ingress.contents.some((content) => Buffer.compare(content, Transaction.encode(transaction).finish()) === 0)) {
      ingress.decided++;
      violations.push({ property: "altered", what: `${name} holds another transaction than the one that was accepted (transactions.valid ${at(ingress)})` });
    } else if (++ingress.decided > 1) {
      duplicates++;
      violations.push({ property: "duplicate", what: `${name} is decision number ${ingress.decided} on it` });
      continue;
    }
    const problem = orderProblem(accounts.get(accountId), seq, record, ingress);
    if (problem !== undefined) {
      outOfOrder++;
      violations.push({ property: "out-of-order", what: `${name} ${problem}` });
    }
    accounts.set(accountId, { seq, partition: record.partition, ingress });
  }

  let missing = 0;
  for (const [identity, transaction] of accepted) {
    if (transaction.decided > 0) continue;
    missing++;
    violations.push({ property: "missing", what: `${identity.replace("\0", " ")} (transactions.valid ${at(transaction)}) has no decision` });
  }
  return { accepted: accepted.size, rejected: rejected.size, decisions, missing, duplicates, outOfOrder, violations };
}

function acceptedTransactions({ transactions }: RunRecords, rejected: RejectedContents, belongs: (accountId: string, transactionId: string) => boolean): Map<string, Accepted> {
  const accepted = new Map<string, Accepted>();
  for (const { partition, offset, value } of transactions) {
    const transaction = value && readTransaction(value);
    if (!transaction || !belongs(transaction.accountId, transaction.transactionId)) continue;
    const identity = identityOf(transaction.accountId, transaction.transactionId);
    if (rejected.get(identity)?.has(transaction.contentHash.toString("hex")) === true) continue;
    // Later records under an identity are repeats.
    const known = accepted.get(identity);
    if (known === undefined) accepted.set(identity, { partition, offset, contents: [value], decided: 0 });
    else known.contents.push(value);
  }
  return accepted;
}

/** By identity, the content hashes that a function refused. */
type RejectedContents = ReadonlyMap<string, ReadonlySet<string>>;

function rejectedContents({ rejected }: RunRecords, belongs: (accountId: string, transactionId: string) => boolean): RejectedContents {
  const identities = new Map<string, Set<string>>();
  for (const { value } of rejected) {
    const any = value && Any.decode(value);
    if (any?.typeUrl !== typeUrl(RejectedRecord.$type)) continue;
    const { original } = RejectedRecord.decode(any.value);
    // What cannot be read has no identity.
    const transaction = original?.typeUrl === typeUrl(Transaction.$type) ? readTransaction(original.value) : undefined;
    if (transaction === undefined || !belongs(transaction.accountId, transaction.transactionId)) continue;
    const identity = identityOf(transaction.accountId, transaction.transactionId);
    identities.set(identity, (identities.get(identity) ?? new Set()).add(transaction.contentHash.toString("hex")));
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

function orderProblem(last: AccountOrder | undefined, seq: bigint, record: JudgedRecord, ingress: Accepted | undefined): string | undefined {
  if (last === undefined) return undefined;
  if (record.partition !== last.partition) return `is in another partition than the account's last`;
  if (seq !== last.seq + 1n) return `follows seq ${last.seq}`;
  if (ingress !== undefined && last.ingress !== undefined && (ingress.partition !== last.ingress.partition || ingress.offset <= last.ingress.offset)) {
    return `entered (transactions.valid ${at(ingress)}) before the one decided ahead of it (${at(last.ingress)})`;
  }
  return undefined;
}

function decisionOf({ value }: JudgedRecord): Decision | undefined {
  if (value === null) return undefined;
  try {
    const any = Any.decode(value);
    return any.typeUrl === typeUrl(Decision.$type) ? Decision.decode(any.value) : undefined;
  } catch {
    return undefined;
  }
}

const identityOf = (accountId: string, transactionId: string): string => `${accountId}\0${transactionId}`;
const typeUrl = (type: string): string => `type.googleapis.com/${type}`;
const at = ({ partition, offset }: { partition: number; offset: bigint }): string => `${partition}@${offset}`;
