import {
  DAY_SECONDS,
  type HandbookDataSet,
  labelTime,
  NEVER_LABELLED,
} from "../../ingress-generator/handbook/data-set.js";
import { LABEL_DELAY_DAYS, type Range } from "../weeks.js";
import { calendarOf, type FeatureMatrix } from "./features.js";
import { byId } from "./history.js";
import { Past } from "./learned-features.js";

/** The age of what never was. */
const NEVER = 1_000 * DAY_SECONDS;

/** What the running functions compute besides {@link LEARNED_FEATURES}, in the order of a matrix' columns. */
export const OTHER_FEATURES = [
  "weekend",
  "night",
  "account.count_1d",
  "account.count_7d",
  "account.mean_minor_1d",
  "account.known_fraud_age_s",
  "merchant.count_1d",
  "merchant.count_30d",
  "merchant.risk_1d_permille",
  "merchant.risk_7d_permille",
] as const;

type Values = Readonly<Record<(typeof OTHER_FEATURES)[number], number>>;

/**
 * The rest of the learned features of a stretch of transactions: no trees here ask for them, but what is compared with
 * the stream is all that it computes. With `learnedFeatures` they have the Handbook's fifteen among them, in whole
 * numbers.
 */
export function otherFeatures(
  data: HandbookDataSet,
  { from, to }: Range,
  labelDelayDays = LABEL_DELAY_DAYS,
): FeatureMatrix {
  const columns = OTHER_FEATURES.length;
  const values = new Float64Array((to - from) * columns);
  const put = (at: number, some: Partial<Values>): void => {
    for (const [column, name] of OTHER_FEATURES.entries()) {
      const value = some[name];
      if (value !== undefined) values[(at - from) * columns + column] = value;
    }
  };
  for (let at = from; at < to; at++) put(at, calendarOf(data, at));
  const delay = labelDelayDays * DAY_SECONDS;
  for (const [ids, Kind] of [
    [data.customers, Customer],
    [data.terminals, Terminal],
  ] as const)
    for (const own of byId(ids, to)) {
      const past = new Kind(data, own, delay);
      for (const [n, at] of own.entries()) {
        past.advance(n);
        if (at >= from) put(at, past.values());
      }
    }
  return { columns, first: from, values };
}

/** Of what is genuine nothing is asked here. */
abstract class Windows extends Past {
  abstract values(): Partial<Values>;

  protected override onGenuine(): void {
    // Nothing to do.
  }

  /** Its transactions after one time, up to another one and to the present one. */
  protected between(after: number, upTo: number): readonly number[] {
    const found: number[] = [];
    for (let n = this.current; n >= 0 && this.second(n) > after; n--)
      if (this.second(n) <= upTo) found.push(this.own[n]!);
    return found;
  }
}

class Customer extends Windows {
  /** Those that are known for fraud sooner or later. */
  readonly #frauds = Array.from(this.own).filter((at) => labelTime(this.data, at, this.labelDelay) !== NEVER_LABELLED);

  override values(): Partial<Values> {
    const now = this.second(this.current);
    const day = this.between(now - DAY_SECONDS, now);
    const sum = day.reduce((total, at) => total + this.data.amountsMinor[at]!, 0);
    const before = this.#frauds.filter((at) => at < this.own[this.current]! && this.isFraud(at));
    return {
      "account.count_1d": day.length,
      "account.count_7d": this.between(now - 7 * DAY_SECONDS, now).length,
      "account.mean_minor_1d": Math.floor(sum / day.length),
      "account.known_fraud_age_s": before.length === 0 ? NEVER : now - this.data.seconds[before.at(-1)!]!,
    };
  }
}

class Terminal extends Windows {
  override values(): Partial<Values> {
    const end = this.second(this.current) - this.labelDelay;
    const [day, week, month] = [1, 7, 30].map((days) => this.between(end - days * DAY_SECONDS, end)) as [
      readonly number[],
      readonly number[],
      readonly number[],
    ];
    return {
      "merchant.count_1d": day.length,
      "merchant.count_30d": month.length,
      "merchant.risk_1d_permille": this.#risk(day),
      "merchant.risk_7d_permille": this.#risk(week),
    };
  }

  #risk = (some: readonly number[]): number =>
    some.length === 0 ? 0 : Math.floor((1000 * some.filter((at) => this.isFraud(at)).length) / some.length);
}
