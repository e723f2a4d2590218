import { MAX_AMOUNT_MINOR, MAX_ID_BYTES, MAX_NAME_BYTES, MAX_NOTE_BYTES } from "../contract/input-bounds.js";
import { isCurrency } from "../money/currencies.js";
import { IntakeReason } from "../protos/gen/fraud/v1/intake.js";
import { type FraudLabel, type Transaction, Verdict } from "../protos/gen/fraud/v1/transaction.js";
import { RefusedError } from "./problem.js";

/**
 * 2000-01-01T00:00Z in ms. Anything older was meant in other units: seconds read as milliseconds lie in January 1970.
 */
const MIN_TIME_MS = 946_684_800_000n;
/** How far event time may run ahead of the clock, in ms, unless an intake is told otherwise. */
export const MAX_AHEAD_MS = 5 * 60_000;
/** The last instant that has a date in JavaScript. */
const MAX_DATE_MS = 8_640_000_000_000_000n;
const MAX_REVISION = 1_000_000;

/** The clock's time, and how much it matters. */
export interface Clock {
  /** When the input came, in ms since 1970: a record's own timestamp, so that reading it again changes nothing. */
  readonly nowMs: number;
  readonly maxAheadMs: number;
}

/** Checks every rule of a transaction. @throws {RefusedError} for the first one that it breaks */
export function checkTransaction(transaction: Transaction, clock: Clock): void {
  const { location } = transaction;
  checkId("transactionId", transaction.transactionId);
  checkId("accountId", transaction.accountId);
  checkId("merchantId", transaction.merchantId);
  // 0: a card is verified, and nothing is paid.
  if (transaction.amountMinor < 0n) throw invalid("amountMinor", "must be 0 or more");
  if (transaction.amountMinor > MAX_AMOUNT_MINOR) throw invalid("amountMinor", `must be at most ${MAX_AMOUNT_MINOR}`);
  if (transaction.currency === "") throw missing("currency");
  if (!isCurrency(transaction.currency))
    throw invalid("currency", "must be the ISO 4217 code of a currency in use, in capital letters");
  checkTime("eventTimeMs", transaction.eventTimeMs, clock);
  if (location !== undefined) {
    if (Math.abs(location.latitudeE6) > 90_000_000)
      throw invalid("location.latitudeE6", "must lie between -90000000 and 90000000");
    if (Math.abs(location.longitudeE6) > 180_000_000)
      throw invalid("location.longitudeE6", "must lie between -180000000 and 180000000");
    checkName("location.name", location.name);
  }
  checkName("merchantName", transaction.merchantName);
}

/** Checks every rule of a label. @throws {RefusedError} for the first one that it breaks */
export function checkLabel(label: FraudLabel, clock: Clock): void {
  checkId("labelId", label.labelId);
  checkId("accountId", label.accountId);
  checkId("transactionId", label.transactionId);
  checkId("merchantId", label.merchantId);
  if (label.verdict !== Verdict.FRAUD && label.verdict !== Verdict.LEGITIMATE)
    throw invalid("verdict", "must be FRAUD or LEGITIMATE");
  if (label.revision !== undefined && (label.revision < 1 || label.revision > MAX_REVISION))
    throw invalid("revision", `must lie between 1 and ${MAX_REVISION}`);
  checkTime("eventTimeMs", label.eventTimeMs, clock);
  if (label.effectiveAtMs !== undefined) checkTime("effectiveAtMs", label.effectiveAtMs, clock);
  if (label.note !== undefined) checkText("note", label.note, MAX_NOTE_BYTES);
  if (label.analyst !== undefined) checkName("analyst", label.analyst);
}

function checkId(field: string, id: string): void {
  if (id === "") throw missing(field);
  // Replacement characters stand for others that were lost: two ids that lost theirs would become one account, or one
  // merchant. In a name for people that does no harm.
  if (id.includes("\ufffd"))
    throw new RefusedError(
      IntakeReason.ENCODING,
      `${field} holds the replacement character U+FFFD: its sender has read it in another encoding than it was written in`,
      field,
    );
  checkText(field, id, MAX_ID_BYTES);
  if (id !== id.trim()) throw invalid(field, "must not begin or end with white space");
}

const checkName = (field: string, name: string): void => checkText(field, name, MAX_NAME_BYTES);

// Control characters, line and paragraph separators, and characters that change the direction of what follows: they are
// invisible, and can make one id look like another.
const INVISIBLE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

function checkText(field: string, text: string, maxBytes: number): void {
  if (!text.isWellFormed()) throw new RefusedError(IntakeReason.ENCODING, `${field} is not well-formed Unicode`, field);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) throw invalid(field, `must have at most ${maxBytes} bytes, not ${bytes}`);
  if (INVISIBLE.test(text)) throw invalid(field, "must not hold control or direction characters");
}

function checkTime(field: string, ms: bigint, { nowMs, maxAheadMs }: Clock): void {
  if (ms === 0n) throw missing(field);
  if (ms < MIN_TIME_MS)
    throw invalid(
      field,
      `must be milliseconds since 1970, and not before 2000${ms > 0n && ms * 1000n >= MIN_TIME_MS ? ": these look like seconds" : ""}`,
    );
  if (ms > BigInt(nowMs + maxAheadMs)) {
    const areMicroseconds = ms / 1000n >= MIN_TIME_MS && ms / 1000n <= BigInt(nowMs + maxAheadMs);
    const ahead = `more than ${maxAheadMs / 1000} s ahead of the clock`;
    throw new RefusedError(
      IntakeReason.TIME_AHEAD,
      `${field} is ${areMicroseconds ? `${ahead}: these look like microseconds` : `${timeText(ms)}, ${ahead} here, which said ${timeText(BigInt(nowMs))}: by ${(ms - BigInt(nowMs)) / 1000n} s. If the time sent is right, the clock of this machine, or of its containers, is behind (it may have slept): set it. If not, the sender's is ahead`}`,
      field,
    );
  }
}

/** Beyond what a date can be, the number. */
const timeText = (ms: bigint): string =>
  ms <= MAX_DATE_MS ? new Date(Number(ms)).toISOString() : `${ms} ms since 1970`;

const invalid = (field: string, rule: string): RefusedError =>
  new RefusedError(IntakeReason.INVALID_VALUE, `${field} ${rule}`, field);
const missing = (field: string): RefusedError =>
  new RefusedError(IntakeReason.MISSING_FIELD, `${field} is missing`, field);
