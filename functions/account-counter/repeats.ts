import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";

import type { AccountState } from "../../protos/gen/fraud/v1/internal.js";
import type { Origin, Transaction } from "../../protos/gen/fraud/v1/transaction.js";

const HALF = 8;
const ENTRY = 2 * HALF;

/** What an account knows about a transaction that comes in. */
export type Familiarity = "new" | "repeat" | "conflict";

/**
 * Whether the source record was handled before: the intake reads each source partition in order, so everything up to
 * the highest offset seen from it has been. Records without an origin (sent by HTTP) never were.
 *
 * Offsets count within one log. In another one, which has another topic id, they begin anew; and a log that lost its end gives the same
 * offsets again, in a later epoch. What an account has seen before logs were named says nothing about a record that names its own.
 */
export function alreadyRead(state: AccountState, origin: Origin | undefined): boolean {
  if (origin === undefined) return false;
  const seen = seenFrom(state, origin);
  return seen !== undefined && isSameLog(origin, seen) && (origin.leaderEpoch ?? 0) <= (seen.leaderEpoch ?? 0) && origin.offset <= seen.offset;
}

/** Remembers a source record as handled: of each partition the last one, in the log that it came from. */
export function rememberOrigin(state: AccountState, origin: Origin | undefined): void {
  if (origin === undefined) return;
  const { topic, partition, offset, topicId, leaderEpoch } = origin;
  const seen = seenFrom(state, origin);
  if (seen === undefined) state.sources.push({ topic, partition, offset, topicId, leaderEpoch });
  else Object.assign(seen, { offset, topicId, leaderEpoch });
}

const isSameLog = (a: Origin, b: Origin): boolean => (a.topicId === undefined || b.topicId === undefined ? a.topicId === b.topicId : a.topicId.equals(b.topicId));

const seenFrom = ({ sources }: AccountState, { topic, partition }: Origin): Origin | undefined => sources.find((source) => source.topic === topic && source.partition === partition);

/** Compares a transaction with the account's recent ones: same id and content, same id but other content, or neither. */
export function familiarity(state: AccountState, transaction: Transaction): Familiarity {
  const recent = state.recentTransactions;
  if (recent.length === 0) return "new";
  const entry = recentEntry(transaction);
  for (let at = recent.length - ENTRY; at >= 0; at -= ENTRY) {
    if (!entry.subarray(0, HALF).equals(recent.subarray(at, at + HALF))) continue;
    return entry.subarray(HALF).equals(recent.subarray(at + HALF, at + ENTRY)) ? "repeat" : "conflict";
  }
  return "new";
}

/** Adds a transaction to the recent ones and forgets the oldest beyond `limit`. */
export function rememberTransaction(state: AccountState, transaction: Transaction, limit: number): void {
  const all = Buffer.concat([state.recentTransactions, recentEntry(transaction)]);
  state.recentTransactions = all.subarray(Math.max(0, all.length - limit * ENTRY));
}

/** 8 bytes of the id's SHA-256, 8 of the content hash. */
function recentEntry(transaction: Transaction): Buffer {
  const entry = Buffer.alloc(ENTRY);
  entry.set(sha256(utf8ToBytes(transaction.transactionId)).subarray(0, HALF), 0);
  entry.set(transaction.contentHash.subarray(0, HALF), HALF);
  return entry;
}
