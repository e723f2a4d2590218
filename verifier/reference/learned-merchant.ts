import type { Evidence, MerchantFeatures } from "../../protos/gen/fraud/v1/decision.js";
import type { StateEvent } from "../../protos/gen/fraud/v1/evidence.js";
import { DAYS, isFraud, isGenuine, Memory, NEVER, permille, type Remembered, safe, seconds } from "./learned.js";
import type { LogicSettings } from "./settings.js";

/** The last genuine transaction, and the frauds after it. */
interface Known {
  readonly genuine: bigint | undefined;
  readonly frauds: readonly Pick<Remembered, "time" | "value">[];
}

/** What the merchant model must remember for the learned features: written from `docs/features.md` alone. */
export class LearnedMerchantReference {
  #memory = new Memory();
  #old: Known = { genuine: undefined, frauds: [] };

  transaction(
    { transaction, account }: Evidence,
    settings: LogicSettings,
  ): { readonly features: Partial<MerchantFeatures>; readonly learnedIncomplete: boolean } {
    const { events, labelDelayMs } = settings.learned;
    if (events === 0) {
      this.#memory = new Memory();
      this.#old = { genuine: undefined, frauds: [] };
      return { features: {}, learnedIncomplete: false };
    }
    const { eventTimeMs: now, accountId, transactionId } = transaction!;
    const past = this.#memory.until(now);
    const end = now - BigInt(labelDelayMs);
    const window = (days: bigint): { count: number; risk: number } => {
      const within = past.filter(({ time }) => time <= end && time > end - days * DAYS);
      return { count: within.length, risk: permille(within.filter((one) => isFraud(one, now)).length, within.length) };
    };
    const [day, week, month] = [window(1n), window(7n), window(30n)];
    const { genuine, frauds } = past.reduce(
      (known, one) =>
        isFraud(one, now) ? withFraud(known, one) : isGenuine(one, now, settings) ? withGenuine(known, one) : known,
      this.#old,
    );
    const ratios = frauds.map(({ value }) => value);
    const began = frauds.length === 0 ? undefined : least(frauds.map(({ time }) => time));
    const features = {
      count1d: day.count,
      count7d: week.count,
      count30d: month.count,
      risk1dPermille: day.risk,
      risk7dPermille: week.risk,
      risk30dPermille: month.risk,
      lastLabel: frauds.length > 0 ? 1 : genuine === undefined ? -1 : 0,
      run: frauds.length,
      runAgeS: began === undefined ? NEVER : seconds(began, now),
      runGapS: began === undefined || genuine === undefined ? NEVER : seconds(genuine, began),
      runUnexplained: ratios.filter((ratio) => ratio < 2_000n).length,
      runLeastRatioPermille: least([NEVER, ...ratios]),
      genuineAgeS: genuine === undefined ? NEVER : seconds(genuine, now),
    };
    const learnedIncomplete = this.#memory.lacks(end - 30n * DAYS);
    const one = {
      time: now,
      value: safe(account?.features?.ratioPermille ?? 0n),
      fraudFrom: account?.knownFraudFromMs,
    };
    for (const out of this.#memory.add(one, [accountId, transactionId], settings))
      this.#old = out.fraudFrom === undefined ? withGenuine(this.#old, out) : withFraud(this.#old, out);
    return { features, learnedIncomplete };
  }

  verdict(
    {
      accountId,
      transactionId,
      fraudDelta,
      effectiveAtMs,
    }: Pick<StateEvent, "accountId" | "transactionId" | "fraudDelta" | "effectiveAtMs">,
    { learned }: LogicSettings,
  ): void {
    if (learned.events > 0)
      this.#memory.label([accountId, transactionId], fraudDelta === 1 ? effectiveAtMs : undefined);
  }
}

/** A genuine one before all frauds leaves them. */
const withGenuine = ({ genuine, frauds }: Known, { time }: Remembered): Known => ({
  genuine: genuine === undefined || time > genuine ? time : genuine,
  frauds: frauds.every((one) => time < one.time) ? frauds : [],
});

/** A fraud before the last genuine one is forgotten. */
const withFraud = (known: Known, { time, value }: Remembered): Known =>
  known.genuine !== undefined && time < known.genuine
    ? known
    : { ...known, frauds: [...known.frauds, { time, value }] };

const least = (values: readonly bigint[]): bigint => values.reduce((a, b) => (b < a ? b : a));
