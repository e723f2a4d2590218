import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";

import type { AccountState } from "../../protos/gen/fraud/v1/internal.js";
import type { Origin, Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { maxTime } from "../integers.js";

/** Of SHA-256 of the id, and of the content hash. docs/features.md says how likely it is that two agree by chance. */
const ID_BYTES = 5;
const CONTENT_BYTES = 4;
const ENTRY = ID_BYTES + CONTENT_BYTES;
/** The number of a block's transactions, and the greatest event time among them. */
const COUNT_BYTES = 1;
const TIME_BYTES = 6;
const HEAD = COUNT_BYTES + TIME_BYTES;
/**
 * The memory is so many blocks long: what it forgets it forgets by blocks, so that no transaction's own time need be
 * kept.
 */
const BLOCKS = 15;
/** Of what version 2 of the logic remembered: 8 bytes of SHA-256 of the id, 8 of the content hash. */
const OLD_HALF = 8;

/** What an account knows about a transaction that comes in. */
export type Familiarity = "new" | "repeat" | "conflict";

/**
 * Whether the source record was handled before: the intake reads each source partition in order, so everything up to
 * the highest offset seen from it has been. Records without an origin (sent by HTTP) never were.
 *
 * Offsets count within one log. In another one, which has another topic id, they begin anew; and a log that lost its
 * end gives the same offsets again, in a later epoch. What an account has seen before logs were named says nothing
 * about a record that names its own.
 */
export function alreadyRead(state: AccountState, origin: Origin | undefined): boolean {
  if (origin === undefined) return false;
  const seen = seenFrom(state, origin);
  return (
    seen !== undefined &&
    isSameLog(origin, seen) &&
    (origin.leaderEpoch ?? 0) <= (seen.leaderEpoch ?? 0) &&
    origin.offset <= seen.offset
  );
}

/** Remembers a source record as handled: of each partition the last one, in the log that it came from. */
export function rememberOrigin(state: AccountState, origin: Origin | undefined): void {
  if (origin === undefined) return;
  const { topic, partition, offset, topicId, leaderEpoch } = origin;
  const seen = seenFrom(state, origin);
  if (seen === undefined) state.sources.push({ topic, partition, offset, topicId, leaderEpoch });
  else Object.assign(seen, { offset, topicId, leaderEpoch });
}

const isSameLog = (a: Origin, b: Origin): boolean =>
  a.topicId === undefined || b.topicId === undefined ? a.topicId === b.topicId : a.topicId.equals(b.topicId);

const seenFrom = ({ sources }: AccountState, { topic, partition }: Origin): Origin | undefined =>
  sources.find((source) => source.topic === topic && source.partition === partition);

/**
 * Compares a transaction with those that the account remembers: same id and content, same id but other content, or
 * neither.
 */
export function familiarity({ remembered }: AccountState, transaction: Transaction): Familiarity {
  if (remembered.length === 0) return "new";
  const entry = entryOf(transaction);
  const idHead = entry.readUInt32BE(0);
  for (let block = 0; block < remembered.length; block = endOf(remembered, block)) {
    const end = endOf(remembered, block);
    for (let at = block + HEAD; at < end; at += ENTRY) {
      if (remembered.readUInt32BE(at) !== idHead || remembered[at + 4] !== entry[4]) continue;
      return remembered.readUInt32BE(at + ID_BYTES) === entry.readUInt32BE(ID_BYTES) ? "repeat" : "conflict";
    }
  }
  return "new";
}

/**
 * Whether a transaction that the account does not remember may have been decided before: one that was and is forgotten
 * is not younger than all that are forgotten. Of a first one that comes so late this says the same; to tell
 * them apart one would have to remember everything.
 */
export const possibleRepeat = ({ forgottenUntilMs }: AccountState, { eventTimeMs }: Transaction): boolean =>
  eventTimeMs <= forgottenUntilMs;

/** How many transactions the account remembers: its last ones. */
export function rememberedCount({ remembered }: Pick<AccountState, "remembered">): number {
  let count = 0;
  for (let block = 0; block < remembered.length; block = endOf(remembered, block)) count += remembered[block]!;
  return count;
}

/**
 * Adds a transaction to those that are remembered, and forgets the oldest block while `limit` are left. Changes
 * `state`.
 */
export function rememberTransaction(state: AccountState, transaction: Transaction, limit: number): void {
  const blockSize = Math.max(1, Math.floor(limit / BLOCKS));
  let all = appended(state.remembered, transaction, blockSize);
  let count = rememberedCount({ remembered: all });
  while (all.length > 0 && count - all[0]! >= limit) {
    count -= all[0]!;
    state.forgottenUntilMs = maxTime(state.forgottenUntilMs, timeOf(all, 0));
    all = all.subarray(endOf(all, 0));
  }
  state.remembered = all;
}

/**
 * Turns what version 2 of the logic remembered into what this one does. It kept no times: the account's latest stands
 * for each. Changes `state`.
 */
export function convertMemory(state: AccountState): void {
  const old = state.recentTransactions;
  if (old.length === 0) return;
  const entries = Array.from({ length: old.length / (2 * OLD_HALF) }, (_, n) =>
    old.subarray(2 * OLD_HALF * n, 2 * OLD_HALF * (n + 1)),
  );
  const blocks: Buffer[] = [];
  for (let at = 0; at < entries.length; at += BLOCKS) {
    const block = entries.slice(at, at + BLOCKS);
    blocks.push(
      headOf(block.length, state.latestEventTimeMs),
      ...block.flatMap((entry) => [entry.subarray(0, ID_BYTES), entry.subarray(OLD_HALF, OLD_HALF + CONTENT_BYTES)]),
    );
  }
  if (BigInt(entries.length) < state.seq)
    state.forgottenUntilMs = maxTime(state.forgottenUntilMs, state.latestEventTimeMs);
  state.remembered = Buffer.concat([state.remembered, ...blocks]);
  state.recentTransactions = Buffer.alloc(0);
}

function appended(remembered: Buffer, transaction: Transaction, blockSize: number): Buffer {
  let last = 0;
  for (let block = 0; block < remembered.length; block = endOf(remembered, block)) last = block;
  if (remembered.length === 0 || remembered[last]! >= blockSize)
    return Buffer.concat([remembered, headOf(1, transaction.eventTimeMs), entryOf(transaction)]);
  const all = Buffer.concat([remembered, entryOf(transaction)]);
  all.set(headOf(all[last]! + 1, maxTime(timeOf(all, last), transaction.eventTimeMs)), last);
  return all;
}

const endOf = (remembered: Buffer, block: number): number => block + HEAD + remembered[block]! * ENTRY;
const timeOf = (remembered: Buffer, block: number): bigint =>
  BigInt(remembered.readUIntBE(block + COUNT_BYTES, TIME_BYTES));

function headOf(count: number, eventTimeMs: bigint): Buffer {
  const head = Buffer.alloc(HEAD);
  head.writeUInt8(count);
  head.writeUIntBE(Number(eventTimeMs), COUNT_BYTES, TIME_BYTES);
  return head;
}

function entryOf(transaction: Transaction): Buffer {
  const entry = Buffer.alloc(ENTRY);
  entry.set(sha256(utf8ToBytes(transaction.transactionId)).subarray(0, ID_BYTES), 0);
  entry.set(transaction.contentHash.subarray(0, CONTENT_BYTES), ID_BYTES);
  return entry;
}
