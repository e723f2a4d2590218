import { checkAlerts } from "./alerts.js";
import { judgeRun, type Judgement } from "./judge.js";
import { knownModels } from "./model/scoring.js";
import { knownVersions } from "./model/settings.js";
import { checkNumbering } from "./numbering.js";
import { PropertyCheck, type PropertyName, type PropertyResult } from "./property.js";
import { addressHistories, decisionIn, type VerifiedRecords } from "./records.js";
import { type Known, replay } from "./replay.js";

/** What the verifier says of the records of a run. Field names are stable. */
export interface Verification {
  readonly verdict: "pass" | "fail";
  /** Transactions, told apart by account and transaction id, with a record that was not refused. */
  readonly accepted: number;
  /** Transactions that the account counter refused. */
  readonly rejected: number;
  readonly decisions: number;
  readonly missing: number;
  readonly duplicates: number;
  readonly outOfOrder: number;
  /** Features, scores, state events and alerts that a replay does not reproduce. */
  readonly mismatches: number;
  /** Decisions by the versions of the functions that made them, in the order of the way; `a` alone: all the same. */
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
 * Judges everything that the topics hold, from their beginning, by a model written from `docs/features.md` alone.
 *
 * @param more - properties that the records do not show, looked at elsewhere
 */
export function verify(records: VerifiedRecords, { settings, models }: KnownInputs, more: readonly PropertyResult[] = []): Verification {
  const judgement = judgeRun(records, () => true);
  const histories = addressHistories(records);
  const known: Known = { versions: knownVersions(settings), models: knownModels(models) };
  const numbering = { accountSequence: new PropertyCheck("account-sequence"), merchantSequence: new PropertyCheck("merchant-sequence"), eventSequence: new PropertyCheck("event-sequence") };
  const replayed = { accountFeatures: new PropertyCheck("account-features"), merchantFeatures: new PropertyCheck("merchant-features"), stateEvents: new PropertyCheck("state-events"), scores: new PropertyCheck("scores") };
  const alerts = new PropertyCheck("alerts");
  checkNumbering(histories, numbering);
  replay(histories, records, known, replayed);
  checkAlerts(histories, records.alerts, known, alerts);

  const properties = [...judged(judgement), ...[...Object.values(numbering), ...Object.values(replayed), alerts].map(({ result }) => result), ...more];
  return {
    verdict: properties.every(({ violations }) => violations === 0) && judgement.decisions > 0 ? "pass" : "fail",
    accepted: judgement.accepted,
    rejected: judgement.rejected,
    decisions: judgement.decisions,
    missing: judgement.missing,
    duplicates: judgement.duplicates,
    outOfOrder: judgement.outOfOrder,
    mismatches: properties.filter(({ name }) => REPLAYED.includes(name)).reduce((sum, { violations }) => sum + violations, 0),
    decisionsByLogicVersion: byLogicVersion(records),
    properties,
  };
}

function judged({ accepted, decisions, violations }: Judgement): PropertyResult[] {
  const looked: readonly (readonly [PropertyName, number, readonly string[]])[] = [
    ["missing", accepted, ["missing"]],
    ["duplicate", decisions, ["duplicate"]],
    ["unexpected", decisions, ["unexpected", "altered", "unreadable"]],
    ["out-of-order", decisions, ["out-of-order"]],
  ];
  return looked.map(([name, checked, found]) => {
    const check = new PropertyCheck(name);
    check.looked(checked);
    for (const { what, property } of violations) if (found.includes(property)) check.violation(what, ...[...what.matchAll(/(decisions|transactions\.valid) (\d+@\d+)/g)].map(([, topic, at]) => `${topic} ${at}`));
    return check.result;
  });
}

function byLogicVersion({ decisions }: VerifiedRecords): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const record of decisions) {
    const { account, merchant, scoring } = decisionIn(record)?.evidence ?? {};
    const versions = [account?.logicVersion ?? "?", merchant?.logicVersion ?? "?", scoring?.logicVersion ?? "?"];
    const name = new Set(versions).size === 1 ? versions[0]! : versions.join(", ");
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
