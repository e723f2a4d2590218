import { createHash } from "node:crypto";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * Versions of the code that `docs/features.md` describes, the present one last: topics hold what earlier ones made
 * until their retention has passed.
 */
const CODE_VERSIONS = ["4", "5", "6", "7", "8"] as const;
type CodeVersion = (typeof CODE_VERSIONS)[number];

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
  learned: { events: 0, labelDelayMs: 7 * DAY_MS, places: false },
  scorer: { maxWaitingBytes: 16_384, resendDelayMs: 100 },
  alerter: { gapMs: 30 * MINUTE_MS, closeAfterMs: 30_000, escalateAt: [3, 10] },
};

/** The functions' settings as the verifier knows them: every value present. */
export type Settings = typeof DEFAULTS;
/** What decides what the functions compute: their settings, and the version of their code. */
export interface LogicSettings extends Settings {
  readonly codeVersion: CodeVersion;
}
/** Buckets of event time. */
export type Shape = Settings["account"]["velocity"];

type Json = Record<string, unknown>;

/** Settings as people give them (`FRAUD_SETTINGS`), with the defaults for what is missing. */
export function completeSettings(given: unknown = {}): Settings {
  const merge = (base: Json, over: Json): Json =>
    Object.fromEntries(
      Object.entries(base).map(([key, value]) => [
        key,
        typeof value === "object" && !Array.isArray(value)
          ? merge(value as Json, (over[key] as Json | undefined) ?? {})
          : (over[key] ?? value),
      ]),
    );
  return merge(DEFAULTS, given as Json) as Settings;
}

/** The name under which evidence knows code with these settings. */
export function versionName(settings: Settings, codeVersion: CodeVersion = "8"): string {
  const text = JSON.stringify(ownSettings(settings, codeVersion));
  return `${codeVersion}+${createHash("sha256").update(text).digest("hex").slice(0, 8)}`;
}

/** The settings that a version has. */
function ownSettings(settings: Settings, codeVersion: CodeVersion): object {
  const { account, merchant, learned, scorer, alerter } = settings;
  const { resendDelayMs: _, ...scorerNow } = scorer;
  const { places: _places, ...learnedBefore } = learned;
  switch (codeVersion) {
    case "8":
      return { ...settings, scorer: scorerNow };
    case "7":
      return { ...settings, learned: learnedBefore, scorer: scorerNow };
    case "6":
      return { ...settings, learned: learnedBefore };
    default: {
      const { restMs: _accountRest, ...accountBefore } = account;
      const { restMs: _merchantRest, ...merchantBefore } = merchant;
      return { account: accountBefore, merchant: merchantBefore, scorer, alerter };
    }
  }
}

function logicOf(settings: Settings, codeVersion: CodeVersion): LogicSettings {
  if (codeVersion === "8") return { ...settings, codeVersion };
  const learned = { ...settings.learned, places: false };
  if (codeVersion === "7" || codeVersion === "6") return { ...settings, learned, codeVersion };
  return {
    ...settings,
    account: { ...settings.account, restMs: 0 },
    merchant: { ...settings.merchant, restMs: 0 },
    learned: { ...learned, events: 0 },
    codeVersion,
  };
}

/**
 * The settings behind each `logic_version` that may occur in a run.
 *
 * @param given - what {@link completeSettings} takes
 */
export function knownVersions(given: readonly unknown[]): ReadonlyMap<string, LogicSettings> {
  return new Map(
    given
      .map(completeSettings)
      .flatMap((settings) =>
        CODE_VERSIONS.map((code): [string, LogicSettings] => [versionName(settings, code), logicOf(settings, code)]),
      ),
  );
}
