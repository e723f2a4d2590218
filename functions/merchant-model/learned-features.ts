import type { Evidence, MerchantEvidence, MerchantFeatures } from "../../protos/gen/fraud/v1/decision.js";
import { MerchantPast, type MerchantState, type MerchantVerdict } from "../../protos/gen/fraud/v1/internal.js";
import type { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { addEvent, decodeEvents, encodeEvents, eventHash, markFraud, type PastEvent } from "../learned/event-ring.js";
import { ageSeconds, DAY_MS, knownLabel, leftAfter, NEVER_S } from "../learned/known.js";
import type { FunctionSettings } from "../settings.js";
import { type KnownPast, learnFraud, learnGenuine, readKnownPast, writeKnownPast } from "./fraud-run.js";

type LearnedSettings = FunctionSettings["learned"];
type Learned = Pick<MerchantEvidence, "learnedIncomplete"> & { readonly features: Partial<MerchantFeatures> };

/**
 * The learned features of a transaction, from the merchant's past as docs/features.md defines them; then the past takes
 * the transaction in. Changes `state`.
 */
export function learnMerchant(
  state: MerchantState,
  transaction: Transaction,
  { account }: Evidence,
  settings: LearnedSettings,
): Learned {
  if (settings.events === 0) {
    state.past = undefined;
    return { features: {}, learnedIncomplete: false };
  }
  const past = (state.past ??= MerchantPast.fromPartial({}));
  const events = decodeEvents(past.events);
  const at = Number(transaction.eventTimeMs);
  const learned = {
    features: featuresAt(at, past, events, settings.labelDelayMs),
    learnedIncomplete: leftAfter(past.leftUntilMs, at - settings.labelDelayMs - 30 * DAY_MS),
  };
  const event: PastEvent = {
    time: at,
    value: Number(account?.features?.ratioPermille ?? 0n),
    hash: eventHash(transaction.accountId, transaction.transactionId),
    fraudFrom: Number(account?.knownFraudFromMs ?? 0n),
  };
  leave(past, addEvent(events, event, settings.events));
  past.events = encodeEvents(events);
  return learned;
}

/**
 * Takes in that a verdict "fraud" counts on a transaction, or no longer does. Without effect when it is none of the
 * merchant's last ones. Changes `state`.
 */
export function learnMerchantVerdict(
  { past }: MerchantState,
  { accountId, transactionId, fraudDelta, effectiveAtMs }: MerchantVerdict,
  settings: LearnedSettings,
): void {
  if (settings.events === 0 || past === undefined) return;
  const events = decodeEvents(past.events);
  markFraud(events, eventHash(accountId, transactionId), fraudDelta > 0 ? Number(effectiveAtMs) : 0);
  past.events = encodeEvents(events);
}

function featuresAt(
  at: number,
  past: MerchantPast,
  events: readonly PastEvent[],
  delayMs: number,
): Partial<MerchantFeatures> {
  const known = readKnownPast(past);
  const day = new Share();
  const week = new Share();
  const month = new Share();
  for (const event of events) {
    const label = knownLabel(event, at, delayMs);
    if (label === "fraud") learnFraud(known, event.time, event.value);
    else if (label === "genuine") learnGenuine(known, event.time);
    // What the delay has not reached is none of the windows': the frauds of it may be known, the genuine ones are not.
    const end = at - delayMs;
    if (event.time > end || event.time <= end - 30 * DAY_MS) continue;
    month.add(label);
    if (event.time > end - 7 * DAY_MS) week.add(label);
    if (event.time > end - DAY_MS) day.add(label);
  }
  const { run, lastGenuine } = known;
  return {
    count1d: day.count,
    count7d: week.count,
    count30d: month.count,
    risk1dPermille: day.permille,
    risk7dPermille: week.permille,
    risk30dPermille: month.permille,
    lastLabel: run !== undefined ? 1 : lastGenuine !== undefined ? 0 : -1,
    run: run?.count ?? 0,
    runAgeS: run === undefined ? NEVER_S : ageSeconds(run.first, at),
    runGapS: run === undefined || lastGenuine === undefined ? NEVER_S : ageSeconds(lastGenuine, run.first),
    runUnexplained: run?.unexplained ?? 0,
    runLeastRatioPermille: run === undefined ? NEVER_S : BigInt(run.leastRatio),
    genuineAgeS: lastGenuine === undefined ? NEVER_S : ageSeconds(lastGenuine, at),
  };
}

/** Of a window: how many, and the share of frauds. */
class Share {
  count = 0;
  #frauds = 0;

  add(label: ReturnType<typeof knownLabel>): void {
    this.count++;
    if (label === "fraud") this.#frauds++;
  }

  /** 0 where there are none. */
  get permille(): number {
    return this.count === 0 ? 0 : Math.floor((1000 * this.#frauds) / this.count);
  }
}

/** Keeps of what is no longer kept one by one the last genuine transaction and the run of frauds after it. */
function leave(past: MerchantPast, gone: readonly PastEvent[]): void {
  if (gone.length === 0) return;
  const known: KnownPast = readKnownPast(past);
  for (const { time, value, fraudFrom } of gone) {
    if (BigInt(time) > past.leftUntilMs) past.leftUntilMs = BigInt(time);
    if (fraudFrom === 0) learnGenuine(known, time);
    else learnFraud(known, time, value);
  }
  writeKnownPast(past, known);
}
