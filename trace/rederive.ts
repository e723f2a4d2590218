import {
  type AccountEvidence,
  type AccountFeatures,
  Evidence,
  type MerchantEvidence,
  type MerchantFeatures,
  Outcome,
  type ScoringEvidence,
} from "../protos/gen/fraud/v1/decision.js";
import { type StateEvent, StateEvent_Kind } from "../protos/gen/fraud/v1/evidence.js";
import type { FraudLabel, Transaction } from "../protos/gen/fraud/v1/transaction.js";
import { AccountReference } from "../verifier/reference/account.js";
import { MerchantReference } from "../verifier/reference/merchant.js";
import { scoringOf } from "../verifier/reference/scoring.js";
import type { LogicSettings } from "../verifier/reference/settings.js";
import type { AddressInput } from "../verifier/records.js";
import { inOrder, isSourceOf, type Known } from "../verifier/replay.js";
import { differences } from "./differences.js";
import type { SectionResult, Rederivation } from "./types.js";

/** What the topics still hold of the two addresses that a decision rests on. */
export interface Histories {
  readonly account: readonly AddressInput[];
  readonly merchant: readonly AddressInput[];
  /** The account's labels. */
  readonly labels: readonly FraudLabel[];
  /** Whether retention has removed records of these topics. */
  readonly cut: boolean;
}

/** Why a section cannot be derived. */
interface Obstacle {
  readonly verdict: SectionResult["verdict"];
  readonly note: string;
}

/** A section of the evidence as a replay gives it. */
type Derived<T> = { readonly value: T; readonly replayed: number } | Obstacle;

const SEVERITY: readonly SectionResult["verdict"][] = ["identical", "cut-off", "unknown", "incomplete", "different"];

/**
 * Derives a decision's evidence again: replays the account and the merchant from `event_seq` 1 to this transaction by
 * the verifier's reference, scores the result, and compares bytes.
 *
 * @param found - as it stands in the decision
 * @param raw - the same, byte for byte
 * @param accepted - the transaction as `transactions.valid` has it; `undefined` when it is no longer there
 */
export function rederive(
  found: Evidence,
  raw: Uint8Array,
  accepted: Transaction | undefined,
  histories: Histories,
  known: Known,
): Rederivation {
  const account = replayAccount(found, histories, known);
  const merchant = replayMerchant(found, histories, known);
  const scoring = scoreAgain(found, account, known);
  const sections = {
    transaction:
      accepted === undefined
        ? missing(absent("its record in transactions.valid", histories.cut))
        : compared("transaction", found.transaction, { value: accepted, replayed: 1 }),
    account: compared("account", found.account, account),
    merchant: compared("merchant", found.merchant, merchant),
    scoring: compared("scoring", found.scoring, scoring),
  };
  let verdict = worst(Object.values(sections));
  if (verdict === "identical" && accepted && "value" in account && "value" in merchant && "value" in scoring) {
    const expected = Evidence.encode({
      transaction: accepted,
      account: account.value,
      merchant: merchant.value,
      scoring: scoring.value,
    }).finish();
    // Fields that are the same in another order, or ones that this version does not know.
    if (Buffer.compare(expected, raw) !== 0) verdict = "different";
  }
  return { verdict, summary: summaryOf(verdict, sections, raw.length), parts: sections, bytes: raw.length };
}

function replayAccount(
  found: Evidence,
  { account: inputs, labels, cut }: Histories,
  known: Known,
): Derived<AccountEvidence> & { readonly suspicious?: bigint } {
  const reference = new AccountReference();
  const taken = new Set<FraudLabel>();
  let suspicious = 0n;
  const derived = replaySection<AccountFeatures>(
    { name: "account counter", found: found.account, inputs, cut, known },
    {
      version: ({ account }) => account!.logicVersion,
      transaction({ transaction, account, scoring }, settings) {
        if (account!.eventSeq < found.account!.eventSeq && scoring?.suspiciousSeq !== undefined) suspicious++;
        return reference.transaction(transaction!, settings);
      },
      event(event, settings) {
        if (event.kind === StateEvent_Kind.EXPIRY) return void reference.expiry(settings);
        const label = labels.find((one) => isSourceOf(one, event) && !taken.has(one));
        if (label === undefined)
          return absent(`label ${event.sourceId} revision ${event.revision} of the account`, cut);
        taken.add(label);
        reference.label(label, settings);
      },
    },
  );
  return "value" in derived ? { ...derived, value: { ...derived.value, ...reference.marks }, suspicious } : derived;
}

function replayMerchant(
  { merchant }: Evidence,
  { merchant: inputs, cut }: Histories,
  known: Known,
): Derived<MerchantEvidence> {
  const reference = new MerchantReference();
  const derived = replaySection<MerchantFeatures>(
    { name: "merchant model", found: merchant, inputs, cut, known },
    {
      version: (evidence) => evidence.merchant!.logicVersion,
      transaction: (evidence, settings) => reference.transaction(evidence, settings),
      event: (event, settings) => reference.verdict(event, settings),
    },
  );
  return "value" in derived ? { ...derived, value: { ...derived.value, ...reference.marks } } : derived;
}

/** What a kind of address does with its inputs. */
interface Steps<Features> {
  /** By which version of the logic it took a transaction. */
  version(evidence: Evidence): string;
  transaction(evidence: Evidence, settings: LogicSettings): Features;
  /** @returns why it cannot be repeated, if it cannot */
  event(event: StateEvent, settings: LogicSettings): Obstacle | void;
}

/** Replays one address from its first input to the one that this section of the evidence is of. */
function replaySection<Features>(
  {
    name,
    found,
    inputs,
    cut,
    known,
  }: {
    readonly name: string;
    readonly found: AccountEvidence | MerchantEvidence | undefined;
    readonly inputs: readonly AddressInput[];
    readonly cut: boolean;
    readonly known: Known;
  },
  steps: Steps<Features>,
): Derived<Pick<AccountEvidence, "seq" | "eventSeq" | "logicVersion" | "error"> & { features: Features | undefined }> {
  if (found === undefined) return { verdict: "unknown", note: `the decision has no evidence of the ${name}` };
  if (found.error !== "") return { verdict: "unknown", note: `the ${name} reported: ${found.error}` };
  const way = wayTo(found.eventSeq, inputs, cut);
  if ("verdict" in way) return way;
  let seq = 0n;
  let features: Features | undefined;
  for (const { decision, event } of way.inputs) {
    const evidence = decision?.().evidence;
    const version = event?.logicVersion ?? steps.version(evidence!);
    const settings = known.versions.get(version);
    if (settings === undefined) return unknownVersion(version);
    if (event !== undefined) {
      const obstacle = steps.event(event, settings);
      if (obstacle) return obstacle;
    } else {
      seq++;
      features = steps.transaction(evidence!, settings);
    }
  }
  return {
    value: { seq, eventSeq: BigInt(way.inputs.length), logicVersion: found.logicVersion, features, error: "" },
    replayed: way.inputs.length,
  };
}

const unknownVersion = (version: string): Obstacle => ({
  verdict: "unknown",
  note: `nothing is known of the logic version ${version}; give its settings with --settings`,
});

/** By the features as they were found: a wrong one is told once, where it is. */
function scoreAgain(
  found: Evidence,
  account: { readonly suspicious?: bigint },
  { models, versions }: Known,
): Derived<ScoringEvidence> {
  const { scoring } = found;
  if (scoring === undefined) return { verdict: "unknown", note: "the decision has no scoring evidence" };
  if (scoring.error !== "") return { verdict: "unknown", note: scoring.error };
  const expected = scoringOf(found, scoring, models);
  if ("unknownModel" in expected)
    return {
      verdict: "unknown",
      note: `the file of model ${scoring.modelId} (SHA-256 ${expected.unknownModel.slice(0, 12)}…) is not in models/`,
    };
  if (!versions.has(scoring.logicVersion)) return unknownVersion(scoring.logicVersion);
  const isSuspicious = expected.outcome === Outcome.REVIEW || expected.outcome === Outcome.DECLINE;
  // Without the account's earlier decisions its number is taken as it is; the account's section says so.
  const suspiciousSeq = !isSuspicious
    ? undefined
    : account.suspicious === undefined
      ? (scoring.suspiciousSeq ?? 0n)
      : account.suspicious + 1n;
  return {
    value: { ...expected, suspiciousSeq },
    replayed: 1,
  };
}

/** The inputs of an address from its first to `event_seq`, without a gap. */
function wayTo(
  eventSeq: bigint,
  all: readonly AddressInput[],
  cut: boolean,
): { readonly inputs: readonly AddressInput[] } | Obstacle {
  const inputs = inOrder(all).filter((input) => input.eventSeq <= eventSeq);
  let expected = 1n;
  for (const { eventSeq: at, position } of inputs) {
    if (at < expected)
      return { verdict: "incomplete", note: `event_seq ${at} stands there twice, the second time in ${position}` };
    if (at > expected)
      return absent(at - 1n === expected ? `event_seq ${expected}` : `event_seq ${expected}..${at - 1n}`, cut);
    expected++;
  }
  return inputs.length === 0 ? absent(`event_seq 1..${eventSeq}`, cut) : { inputs };
}

const absent = (what: string, cut: boolean): Obstacle =>
  cut
    ? { verdict: "cut-off", note: `retention cut it off: ${what} is no longer there` }
    : { verdict: "incomplete", note: `${what} is not in the topics, of which retention has removed nothing` };

function compared<T extends object>(name: string, found: T | undefined, derived: Derived<T>): SectionResult {
  if (!("value" in derived)) return missing(derived);
  const all = differences(name, found, derived.value);
  return {
    verdict: all.length === 0 ? "identical" : "different",
    replayed: derived.replayed,
    note:
      all.length === 0 ? "" : `${all.length} ${all.length === 1 ? "field differs" : "fields differ"} from the replay`,
    differences: all,
  };
}

const missing = ({ verdict, note }: Obstacle): SectionResult => ({ verdict, note, replayed: 0, differences: [] });

const worst = (sections: readonly SectionResult[]): SectionResult["verdict"] =>
  sections
    .map(({ verdict }) => verdict)
    .reduce((a, b) => (SEVERITY.indexOf(b) > SEVERITY.indexOf(a) ? b : a), "identical");

function summaryOf(verdict: SectionResult["verdict"], sections: Rederivation["parts"], bytes: number): string {
  if (verdict === "identical")
    return `byte-identical: ${bytes} bytes of evidence, from the account's inputs 1..${sections.account.replayed} and the merchant's 1..${sections.merchant.replayed}`;
  const told = Object.entries(sections).filter(([, section]) => section.verdict === verdict);
  return told.length === 0
    ? `different: the fields agree, the bytes do not (${bytes} bytes of evidence)`
    : told.map(([name, { note }]) => `${name}: ${note}`).join("; ");
}
