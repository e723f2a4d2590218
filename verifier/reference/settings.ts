import { createHash } from "node:crypto";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The code's version that `docs/features.md` describes. */
const CODE_VERSION = "6";

/** What `docs/features.md` names as settings, with its defaults, in the order in which the functions hash them. */
const DEFAULTS = {
  account: {
    velocity: { buckets: 10, bucketMs: MINUTE_MS },
    day: { buckets: 24, bucketMs: HOUR_MS },
    history: { buckets: 30, bucketMs: DAY_MS },
    minHistoryCount: 5,
    fraudWindowMs: 30 * DAY_MS,
    expiryDelayMs: HOUR_MS,
    maxVerdicts: 16,
    recentTransactions: 300,
    knownMerchants: 0,
    restMs: 90 * DAY_MS,
  },
  merchant: {
    recent: { buckets: 12, bucketMs: 5 * MINUTE_MS },
    history: { buckets: 30, bucketMs: DAY_MS },
    restMs: 90 * DAY_MS,
  },
  learned: { events: 0, labelDelayMs: 7 * DAY_MS },
  scorer: { maxWaitingBytes: 16_384 },
  alerter: { gapMs: 30 * MINUTE_MS, closeAfterMs: 30_000, escalateAt: [3, 10] },
};

/** The functions' settings as the verifier knows them: every value present. */
export type LogicSettings = typeof DEFAULTS;
/** Buckets of event time. */
export type Shape = LogicSettings["account"]["velocity"];

type Json = Record<string, unknown>;

/** Settings as people give them (`FRAUD_SETTINGS`), with the defaults for what is missing. */
export function completeSettings(given: unknown = {}): LogicSettings {
  const merge = (base: Json, over: Json): Json =>
    Object.fromEntries(
      Object.entries(base).map(([key, value]) => [
        key,
        typeof value === "object" && !Array.isArray(value)
          ? merge(value as Json, (over[key] as Json | undefined) ?? {})
          : (over[key] ?? value),
      ]),
    );
  return merge(DEFAULTS, given as Json) as LogicSettings;
}

/** The name under which evidence knows code with these settings. */
export const versionName = (settings: LogicSettings): string =>
  `${CODE_VERSION}+${createHash("sha256").update(JSON.stringify(settings)).digest("hex").slice(0, 8)}`;

/**
 * The settings behind each `logic_version` that may occur in a run.
 *
 * @param given - what {@link completeSettings} takes
 */
export function knownVersions(given: readonly unknown[]): ReadonlyMap<string, LogicSettings> {
  return new Map(given.map(completeSettings).map((settings) => [versionName(settings), settings]));
}
