import { AccountModel } from "../loadtest/verify/model/account.js";
import { MerchantReplay } from "../loadtest/verify/model/merchant.js";
import { scoreOf } from "../loadtest/verify/model/scoring.js";
import type { AddressInput } from "../loadtest/verify/records.js";
import { inOrder, type Known } from "../loadtest/verify/replay.js";
import { type AccountEvidence, Evidence, type MerchantEvidence, type ScoringEvidence } from "../protos/gen/fraud/v1/decision.js";
import { StateEvent_Kind } from "../protos/gen/fraud/v1/evidence.js";
import type { FraudLabel, Transaction } from "../protos/gen/fraud/v1/transaction.js";
import { differences } from "./differences.js";
import type { PartResult, Rederivation } from "./types.js";

/** What the topics still hold of the two addresses that a decision rests on. */
export interface Histories {
  readonly account: readonly AddressInput[];
  readonly merchant: readonly AddressInput[];
  /** The account's labels. */
  readonly labels: readonly FraudLabel[];
  /** Whether retention has removed records of these topics. */
  readonly cut: boolean;
}

/** Why a part cannot be derived. */
interface Obstacle {
  readonly verdict: PartResult["verdict"];
  readonly note: string;
}

/** A part of the evidence as a replay gives it. */
type Derived<T> = { readonly value: T; readonly replayed: number } | Obstacle;

const SEVERITY: readonly PartResult["verdict"][] = ["identical", "cut-off", "unknown", "incomplete", "different"];

/**
 * Derives a decision's evidence again: replays the account and the merchant from `event_seq` 1 to this transaction by the
 * verifier's model, scores the result, and compares bytes.
 *
 * @param found - as it stands in the decision
 * @param raw - the same, byte for byte
 * @param accepted - the transaction as `transactions.valid` has it; `undefined` when it is no longer there
 */
export function rederive(found: Evidence, raw: Uint8Array, accepted: Transaction | undefined, histories: Histories, known: Known): Rederivation {
  const account = replayAccount(found, histories, known);
  const merchant = replayMerchant(found, histories, known);
  const scoring = scoreAgain(found, account, known);
  const parts = {
    transaction: accepted === undefined ? missing(absent("its record in transactions.valid", histories.cut)) : compared("transaction", found.transaction, { value: accepted, replayed: 1 }),
    account: compared("account", found.account, account),
    merchant: compared("merchant", found.merchant, merchant),
    scoring: compared("scoring", found.scoring, scoring),
  };
  let verdict = worst(Object.values(parts));
  if (verdict === "identical" && accepted && "value" in account && "value" in merchant && "value" in scoring) {
    const expected = Evidence.encode({ transaction: accepted, account: account.value, merchant: merchant.value, scoring: scoring.value }).finish();
    // Fields that are the same in another order, or ones that this version does not know.
    if (Buffer.compare(expected, raw) !== 0) verdict = "different";
  }
  return { verdict, summary: summaryOf(verdict, parts, raw.length), parts, bytes: raw.length };
}

function replayAccount({ account, transaction }: Evidence, { account: inputs, labels, cut }: Histories, { versions }: Known): Derived<AccountEvidence> & { readonly suspicious?: bigint } {
  if (account === undefined || transaction === undefined) return { verdict: "unknown", note: "the decision has no account evidence" };
  if (account.error !== "") return { verdict: "unknown", note: `the account counter reported: ${account.error }` };
  const way = wayTo(account.eventSeq, inputs, cut);
  if ("verdict" in way) return way;
  const model = new AccountModel();
  const taken = new Set<FraudLabel>();
  let seq = 0n;
  let suspicious = 0n;
  let features: AccountEvidence["features"];
  for (const { decision, event } of way.inputs) {
    const evidence = decision?.().evidence;
    const version = event?.logicVersion ?? evidence!.account!.logicVersion;
    const settings = versions.get(version);
    if (settings === undefined) return { verdict: "unknown", note: `nothing is known of the logic version ${version}; give its settings with --settings`};
    if (event?.kind === StateEvent_Kind.EXPIRY) model.expiry(settings);
    else if (event !== undefined) {
      const label = labels.find((one) => one.labelId === event.sourceId && one.revision === event.revision && one.transactionId === event.transactionId && !taken.has(one));
      if (label === undefined) return absent(`label ${event.sourceId} revision ${event.revision} of the account`, cut);
      taken.add(label);
      model.label(label, settings);
    } else {
      seq++;
      features = model.transaction(evidence!.transaction!, settings);
      if (evidence!.account!.eventSeq < account.eventSeq && evidence!.scoring?.suspiciousSeq !== undefined) suspicious++;
    }
  }
  return { value: { seq, eventSeq: BigInt(way.inputs.length), logicVersion: account.logicVersion, features, error: "" }, replayed: way.inputs.length, suspicious };
}

function replayMerchant({ merchant, transaction }: Evidence, { merchant: inputs, cut }: Histories, { versions }: Known): Derived<MerchantEvidence> {
  if (merchant === undefined || transaction === undefined) return { verdict: "unknown", note: "the decision has no merchant evidence" };
  if (merchant.error !== "") return { verdict: "unknown", note: `the merchant model reported: ${merchant.error }` };
  const way = wayTo(merchant.eventSeq, inputs, cut);
  if ("verdict" in way) return way;
  const model = new MerchantReplay();
  let seq = 0n;
  let features: MerchantEvidence["features"];
  for (const { decision, event } of way.inputs) {
    const evidence = decision?.().evidence;
    const version = event?.logicVersion ?? evidence!.merchant!.logicVersion;
    const settings = versions.get(version);
    if (settings === undefined) return { verdict: "unknown", note: `nothing is known of the logic version ${version}; give its settings with --settings`};
    if (event !== undefined) model.verdict(event.fraudDelta, event.effectiveAtMs, settings);
    else {
      seq++;
      features = model.transaction(evidence!.transaction!, settings);
    }
  }
  return { value: { seq, eventSeq: BigInt(way.inputs.length), logicVersion: merchant.logicVersion, features, error: "" }, replayed: way.inputs.length };
}

/** By the features as they were found: a wrong one is told once, where it is. */
function scoreAgain(found: Evidence, account: { readonly suspicious?: bigint }, { models, versions }: Known): Derived<ScoringEvidence> {
  const { scoring } = found;
  if (scoring === undefined) return { verdict: "unknown", note: "the decision has no scoring evidence" };
  if (scoring.error !== "") return { verdict: "unknown", note: scoring.error };
  const model = models.get(scoring.modelHash.toString("hex"));
  if (model === undefined) return { verdict: "unknown", note: `the file of model ${scoring.modelId} (SHA-256 ${scoring.modelHash.toString("hex").slice(0, 12)}…) is not in models/`};
  if (!versions.has(scoring.logicVersion)) return { verdict: "unknown", note: `nothing is known of the logic version ${scoring.logicVersion}; give its settings with --settings`};
  const assessed = scoreOf(model, found);
  const isSuspicious = assessed.score >= model.reviewAt;
  // Without the account's earlier decisions its number is taken as it is; the account's part says so.
  const suspiciousSeq = !isSuspicious ? undefined : account.suspicious === undefined ? (scoring.suspiciousSeq ?? 0n) : account.suspicious + 1n;
  return { value: { ...assessed, suspiciousSeq, modelId: model.id, modelHash: scoring.modelHash, logicVersion: scoring.logicVersion, error: "" }, replayed: 1 };
}

/** The inputs of an address from its first to `event_seq`, without a gap. */
function wayTo(eventSeq: bigint, all: readonly AddressInput[], cut: boolean): { readonly inputs: readonly AddressInput[] } | Obstacle {
  const inputs = inOrder(all).filter((input) => input.eventSeq <= eventSeq);
  let expected = 1n;
  for (const { eventSeq: at, place } of inputs) {
    if (at < expected) return { verdict: "incomplete", note: `event_seq ${at} stands there twice, the second time in ${place}` };
    if (at > expected) return absent(at - 1n === expected ? `event_seq ${expected}` : `event_seq ${expected}..${at - 1n}`, cut);
    expected++;
  }
  return inputs.length === 0 ? absent(`event_seq 1..${eventSeq}`, cut) : { inputs };
}

const absent = (what: string, cut: boolean): Obstacle =>
  cut ? { verdict: "cut-off", note: `retention cut it off: ${what} is no longer there` } : { verdict: "incomplete", note: `${what} is not in the topics, of which retention has removed nothing` };

function compared<T extends object>(name: string, found: T | undefined, derived: Derived<T>): PartResult {
  if (!("value" in derived)) return missing(derived);
  const all = differences(name, found, derived.value);
  return { verdict: all.length === 0 ? "identical" : "different", replayed: derived.replayed, note: all.length === 0 ? "" : `${all.length} ${all.length === 1 ? "field differs" : "fields differ" } from the replay`, differences: all };
}

const missing = ({ verdict, note }: Obstacle): PartResult => ({ verdict, note, replayed: 0, differences: [] });

const worst = (parts: readonly PartResult[]): PartResult["verdict"] => parts.map(({ verdict }) => verdict).reduce((a, b) => (SEVERITY.indexOf(b) > SEVERITY.indexOf(a) ? b : a), "identical");

function summaryOf(verdict: PartResult["verdict"], parts: Rederivation["parts"], bytes: number): string {
  if (verdict === "identical") return `byte-identical: ${bytes} bytes of evidence, from the account's inputs 1..${parts.account.replayed} and the merchant's 1..${parts.merchant.replayed}`;
  const told = Object.entries(parts).filter(([, part]) => part.verdict === verdict);
  return told.length === 0 ? `different: the fields agree, the bytes do not (${bytes} bytes of evidence)` : told.map(([name, { note }]) => `${name}: ${note}`).join("; ");
}
