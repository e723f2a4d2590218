import { setImmediate } from "node:timers/promises";

import { ACCOUNT_COUNTER, MERCHANT_MODEL } from "../contract/function-names.js";
import { positionText } from "../contract/raw-record.js";
import { checkAlerts } from "./alerts.js";
import { judgeRun, type Judgement } from "./judge.js";
import { knownModels } from "./reference/scoring.js";
import { knownVersions } from "./reference/settings.js";
import { checkNumbering } from "./numbering.js";
import { nowAndThen } from "./progress.js";
import { PropertyCheck, type PropertyName, type PropertyResult } from "./property.js";
import {
  accountHistories,
  decisionIn,
  eventIn,
  merchantHistories,
  type MerchantRecords,
  type VerifiedRecords,
} from "./records.js";
import { type Known, Replay } from "./replay.js";
import type { RecordStore } from "./store.js";

/** What the verifier says about the records of a run. Field names are stable. */
export interface Verification extends Omit<Judgement, "violations"> {
  readonly verdict: "pass" | "fail";
  /** Features, scores, state events and alerts that a replay does not reproduce. */
  readonly mismatches: number;
  /**
   * Decisions by the versions of the functions that made them, in the order of the path; a single `a` means that all
   * are the same.
   */
  readonly decisionsByLogicVersion: Readonly<Record<string, number>>;
  readonly properties: readonly PropertyResult[];
}

/** What the functions may have run with. */
export interface KnownInputs {
  /** Settings as in `FRAUD_SETTINGS`, one for each logic version. */
  readonly settings: readonly unknown[];
  /** Contents of the model files. */
  readonly models: readonly Buffer[];
}

const REPLAYED: readonly PropertyName[] = ["account-features", "merchant-features", "state-events", "scores", "alerts"];

/**
 * Judges everything that the topics hold, from their beginning, against a reference written from `docs/features.md`
 * alone. Needs all records at once; {@link verifyStored} does not.
 *
 * @param more - properties that the records do not show, checked elsewhere
 */
export function verify(
  records: VerifiedRecords,
  known: KnownInputs,
  more: readonly PropertyResult[] = [],
): Verification {
  const verifier = new Verifier(known);
  verifier.accounts(records);
  verifier.merchants(records);
  return verifier.end(more);
}

/** Options of {@link verifyStored}. */
export interface VerifyOptions {
  /** Properties that the records do not show, checked elsewhere. */
  readonly more?: readonly PropertyResult[];
  /** Is told now and then how much has been judged. */
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Judges the same as {@link verify}, a few accounts and then a few merchants at a time. Empties the store. */
export async function verifyStored(
  store: RecordStore,
  known: KnownInputs,
  { more = [], onProgress, signal }: VerifyOptions = {},
): Promise<Verification> {
  const verifier = new Verifier(known);
  const progress = nowAndThen(onProgress);
  let judged = 0;
  const pause = async (): Promise<void> => {
    judged++;
    progress(() => `${Math.floor((100 * judged) / store.batches)} % of the accounts and merchants replayed`);
    // Timers, signals and other work get their turn.
    await setImmediate();
    signal?.throwIfAborted();
  };
  for (const records of store.accounts()) {
    verifier.accounts(records);
    await pause();
  }
  for (const records of store.merchants()) {
    verifier.merchants(records);
    await pause();
  }
  return verifier.end(more);
}

/** Judges records in batches: {@link verify} and {@link verifyStored}. */
class Verifier {
  readonly #known: Known;
  readonly #judged = {
    missing: new PropertyCheck("missing"),
    duplicate: new PropertyCheck("duplicate"),
    unexpected: new PropertyCheck("unexpected"),
    outOfOrder: new PropertyCheck("out-of-order"),
  };
  readonly #numbering = {
    accountSequence: new PropertyCheck("account-sequence"),
    merchantSequence: new PropertyCheck("merchant-sequence"),
    eventSequence: new PropertyCheck("event-sequence"),
  };
  readonly #replayed = {
    accountFeatures: new PropertyCheck("account-features"),
    merchantFeatures: new PropertyCheck("merchant-features"),
    stateEvents: new PropertyCheck("state-events"),
    scores: new PropertyCheck("scores"),
  };
  readonly #alerts = new PropertyCheck("alerts");
  readonly #replay: Replay;
  readonly #counts = { accepted: 0, rejected: 0, decisions: 0, missing: 0, duplicates: 0, outOfOrder: 0 };
  #decidedAgain = 0;
  readonly #versions: Record<string, number> = {};

  constructor({ settings, models }: KnownInputs) {
    this.#known = { versions: knownVersions(settings), models: knownModels(models) };
    this.#replay = new Replay(this.#known, this.#replayed);
  }

  /** @param records - everything on some accounts */
  accounts(records: VerifiedRecords): void {
    this.#judge(judgeRun(records, () => true));
    const accounts = accountHistories(records);
    checkNumbering("account", accounts, this.#numbering.accountSequence, this.#numbering.eventSequence);
    this.#replay.accounts(accounts, records);
    checkAlerts(accounts, records.alerts, this.#known, this.#alerts);
    countVersions(records, this.#versions);
  }

  /** @param records - everything on some merchants; after all accounts */
  merchants(records: MerchantRecords): void {
    refuseStrangers(records, this.#replayed.stateEvents);
    const merchants = merchantHistories(records);
    checkNumbering("merchant", merchants, this.#numbering.merchantSequence, this.#numbering.eventSequence);
    this.#replay.merchants(merchants);
  }

  /** After all merchants. */
  end(more: readonly PropertyResult[]): Verification {
    this.#replay.end();
    const checks = [
      ...Object.values(this.#judged),
      ...Object.values(this.#numbering),
      ...Object.values(this.#replayed),
      this.#alerts,
    ];
    const properties = [...checks.map(({ result }) => result), ...more];
    return {
      verdict: properties.every(({ violations }) => violations === 0) && this.#counts.decisions > 0 ? "pass" : "fail",
      ...this.#counts,
      ...(this.#decidedAgain > 0 && { decidedAgain: this.#decidedAgain }),
      mismatches: properties
        .filter(({ name }) => REPLAYED.includes(name))
        .reduce((sum, { violations }) => sum + violations, 0),
      decisionsByLogicVersion: this.#versions,
      properties,
    };
  }

  #judge({ violations, decidedAgain = 0, ...counts }: Judgement): void {
    this.#decidedAgain += decidedAgain;
    for (const name of Object.keys(this.#counts) as (keyof typeof counts)[]) this.#counts[name] += counts[name];
    const { missing, duplicate, unexpected, outOfOrder } = this.#judged;
    missing.looked(counts.accepted);
    for (const check of [duplicate, unexpected, outOfOrder]) check.looked(counts.decisions);
    const checks = {
      missing,
      duplicate,
      unexpected,
      altered: unexpected,
      unreadable: unexpected,
      "out-of-order": outOfOrder,
    };
    for (const { what, property, records } of violations) checks[property].violation(what, ...records);
  }
}

function countVersions({ decisions }: VerifiedRecords, counts: Record<string, number>): void {
  for (const record of decisions) {
    const { account, merchant, scoring } = decisionIn(record)?.evidence ?? {};
    const versions = [account?.logicVersion ?? "?", merchant?.logicVersion ?? "?", scoring?.logicVersion ?? "?"];
    const name = new Set(versions).size === 1 ? versions[0]! : versions.join(", ");
    counts[name] = (counts[name] ?? 0) + 1;
  }
}

/**
 * State events belong to account counters and merchant models: one of anything else belongs to nothing, and nothing
 * would check it.
 */
function refuseStrangers({ evidence }: MerchantRecords, check: PropertyCheck): void {
  for (const record of evidence) {
    const event = eventIn(record);
    if (event !== undefined && event.function !== ACCOUNT_COUNTER && event.function !== MERCHANT_MODEL)
      check.violation(`the state event is of ${JSON.stringify(event.function)}, which has none`, positionText(record));
  }
}
