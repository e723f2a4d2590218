import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { z } from "zod";

/** Raise it whenever the functions may compute something else from the same input and settings. */
const CODE_VERSION = "8";

const windowShape = (buckets: number, bucketMs: number) =>
  z
    .strictObject({
      buckets: z.int().min(1).max(400).default(buckets),
      bucketMs: z.int().min(1).default(bucketMs),
    })
    .prefault({});

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const restTime = z
  .int()
  .min(0)
  .default(90 * DAY);

const settingsShape = z.strictObject({
  account: z
    .strictObject({
      velocity: windowShape(10, MINUTE),
      day: windowShape(24, HOUR),
      history: windowShape(30, DAY),
      /** Transactions in the history from which on the amount ratio is known. */
      minHistoryCount: z.int().min(1).default(5),
      /** How long a confirmed fraud counts, in event time. */
      fraudWindowMs: z
        .int()
        .min(1)
        .default(30 * DAY),
      /** How often old verdicts are removed, in processing time. */
      expiryDelayMs: z.int().min(1).default(HOUR),
      /** Verdicts kept for an account; beyond it the oldest goes. */
      maxVerdicts: z.int().min(1).max(256).default(16),
      /** Transactions whose repetition an account recognises by id, at least: its last ones. */
      recentTransactions: z.int().min(0).max(1024).default(300),
      /** The account's last transactions whose merchants are remembered; 0: the feature `merchant_visits` is off. */
      knownMerchants: z.int().min(0).max(256).default(0),
      /** An account to which nothing came for so long, in processing time, loses its state; 0: none does. */
      restMs: restTime,
    })
    .prefault({}),
  merchant: z
    .strictObject({
      recent: windowShape(12, 5 * MINUTE),
      history: windowShape(30, DAY),
      /** The same of a merchant. */
      restMs: restTime,
    })
    .prefault({}),
  /** The learned features of accounts and merchants. */
  learned: z
    .strictObject({
      /** The last transactions that each account and merchant keeps for them; 0: they are off, and nothing is kept. */
      events: z.int().min(0).max(1024).default(0),
      /** A transaction that is older than this, in event time, and has no verdict "fraud" is known to be genuine. */
      labelDelayMs: z
        .int()
        .min(1)
        .default(7 * DAY),
      /** Whether an account keeps of them, too, where they were and whether that was new: the features of places. */
      places: z.boolean().default(false),
    })
    .prefault({}),
  scorer: z
    .strictObject({
      /** Bytes of transactions that may wait in the scorer's state; others wait in the waiting room. */
      maxWaitingBytes: z.int().min(0).max(65_536).default(16_384),
    })
    .prefault({}),
  alerter: z
    .strictObject({
      /** A longer pause in event time between two suspicious decisions ends the episode. */
      gapMs: z
        .int()
        .min(1)
        .default(30 * MINUTE),
      /** An episode without news is closed after this, in processing time. */
      closeAfterMs: z.int().min(1).default(30_000),
      /** Suspicious decisions of one episode that escalate it. */
      escalateAt: z.array(z.int().min(2)).default([3, 10]),
    })
    .prefault({}),
});

const settingsSchema = settingsShape.refine(
  ({ account, learned }) => !learned.places || (learned.events > 0 && account.knownMerchants > 0),
  "learned.places needs learned.events and account.knownMerchants, which are 0",
);

/** Window lengths, bounds and delays of the functions; `docs/features.md` says what each does. All times in ms. */
export type FunctionSettings = z.infer<typeof settingsSchema>;

/** The shape of a window in event time: `buckets` buckets of `bucketMs` milliseconds. */
export type WindowShape = FunctionSettings["account"]["velocity"];

/**
 * The settings given, with defaults for what is missing.
 *
 * @param input - parsed JSON, such as `{"account":{"fraudWindowMs":7200000}}`
 * @throws Error that names the field and the rule it breaks
 */
export function parseSettings(input: unknown = {}): FunctionSettings {
  const result = settingsSchema.safeParse(input);
  if (result.success) return result.data;
  throw new Error(`function settings: ${z.prettifyError(result.error).replaceAll("\n", " ")}`);
}

/** What evidence names: the code's version and the first 8 hex digits of the SHA-256 of the settings. */
export function logicVersion(settings: FunctionSettings): string {
  return `${CODE_VERSION}+${bytesToHex(sha256(utf8ToBytes(JSON.stringify(settings)))).slice(0, 8)}`;
}
