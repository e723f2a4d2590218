import type { AccountEvidence, AccountFeatures } from "../../protos/gen/fraud/v1/decision.js";
import type { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { DAYS, greatest, isFraud, isGenuine, Memory, NEVER, permille, safe, seconds, total } from "./learned.js";
import { type Journey, PlacesReference } from "./learned-places.js";
import type { LogicSettings } from "./settings.js";
import { atMost } from "./window.js";

/** What the account counter must remember for the learned features: written from `docs/features.md` alone. */
export class LearnedAccountReference {
  #memory: Memory | undefined;
  #places = new PlacesReference();
  #old = { count: 0n, sum: 0n, squares: 0n, lastFraud: undefined as bigint | undefined };

  /**
   * @param journey - what else the account counter found of it
   * @param fraudFrom - from when on a verdict counts that is held on it already
   * @param latest - the greatest event time before it
   */
  transaction(
    { transactionId, amountMinor: amount, eventTimeMs: now, location }: Transaction,
    journey: Journey,
    fraudFrom: bigint | undefined,
    latest: bigint,
    settings: LogicSettings,
  ): {
    readonly features: Partial<AccountFeatures>;
    readonly marks: Pick<AccountEvidence, "learnedIncomplete" | "knownFraudFromMs">;
  } {
    const { events, labelDelayMs, places } = settings.learned;
    if (events === 0 || !places) this.#places = new PlacesReference();
    if (events === 0) {
      this.#memory = undefined;
      this.#old = { count: 0n, sum: 0n, squares: 0n, lastFraud: undefined };
      return { features: {}, marks: { learnedIncomplete: false, knownFraudFromMs: undefined } };
    }
    const memory = (this.#memory ??= new Memory(latest));
    if (!places) memory.forgetPlaces();
    const past = memory.until(now);
    const found = places ? this.#places.look({ location, now }, journey, past, settings) : undefined;
    const amounts = (days: bigint): bigint[] => [
      ...past.filter(({ time }) => time > now - days * DAYS).map(({ value }) => value),
      amount,
    ];
    const [day, week, month] = [amounts(1n), amounts(7n), amounts(30n)];
    const genuine = past.filter((one) => isGenuine(one, now, settings)).map(({ value }) => value);
    const n = this.#old.count + BigInt(genuine.length);
    const sum = this.#old.sum + total(genuine);
    const squares = this.#old.squares + total(genuine.map((value) => value ** 2n));
    const ratio = (value: bigint): bigint => (sum === 0n ? 0n : (value * n * 1000n) / sum);
    const ratios = week.map(ratio).sort((a, b) => (a > b ? -1 : a < b ? 1 : 0));
    const mean = (values: readonly bigint[]): bigint => total(values) / BigInt(values.length);
    const lastFraud = greatest([
      ...(this.#old.lastFraud === undefined ? [] : [this.#old.lastFraud]),
      ...past.filter((one) => isFraud(one, now)).map(({ time }) => time),
    ]);
    const features = {
      count1d: day.length,
      count7d: week.length,
      count30d: month.length,
      meanMinor1d: mean(day),
      meanMinor7d: mean(week),
      meanMinor30d: mean(month),
      genuineCount: n,
      ratioPermille: safe(ratio(amount)),
      zPermille: standardDeviations(n * amount - sum, n * squares - sum ** 2n),
      largestRatio7dPermille: safe(ratios[0]!),
      secondRatio7dPermille: safe(ratios[1] ?? 0n),
      unusual7dPermille: permille(ratios.filter((one) => one > 2_000n).length, ratios.length),
      veryUnusual7d: ratios.filter((one) => one > 2_500n).length,
      knownFraudAgeS: lastFraud === undefined ? NEVER : seconds(lastFraud, now),
      ...found?.features,
    };
    const delay = BigInt(labelDelayMs);
    const learnedIncomplete = memory.lacks(now - (delay > 30n * DAYS ? delay : 30n * DAYS)) || (found?.lacks ?? false);
    const one = { time: now, value: amount, fraudFrom, where: found?.here };
    for (const out of memory.add(one, [transactionId], settings)) {
      if (out.fraudFrom !== undefined)
        this.#old.lastFraud = greatest([out.time, ...(this.#old.lastFraud === undefined ? [] : [this.#old.lastFraud])]);
      else {
        this.#places.leave(out);
        this.#old.count++;
        this.#old.sum = atMost(this.#old.sum + out.value, 2n ** 64n - 1n);
        this.#old.squares = atMost(this.#old.squares + out.value ** 2n, 2n ** 128n - 1n);
      }
    }
    return { features, marks: { learnedIncomplete, knownFraudFromMs: fraudFrom } };
  }

  /** A label that made a verdict "fraud" of none, or none of one. */
  label(transactionId: string, fraudDelta: number, effectiveAt: bigint, { learned }: LogicSettings): void {
    if (learned.events > 0 && fraudDelta !== 0)
      this.#memory?.label([transactionId], fraudDelta === 1 ? effectiveAt : undefined);
  }
}

function standardDeviations(above: bigint, spread: bigint): bigint {
  if (spread <= 0n) return 0n;
  const thousandths = (Number(above) * 1000) / Math.sqrt(Number(spread));
  return safe(BigInt(Math.floor(thousandths)));
}
