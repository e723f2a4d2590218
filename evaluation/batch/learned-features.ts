import {
  DAY_SECONDS,
  type HandbookDataSet,
  labelTime,
  NEVER_LABELLED,
} from "../../ingress-generator/handbook/data-set.js";
import { LABEL_DELAY_DAYS, type Range } from "../weeks.js";
import type { FeatureMatrix } from "./features.js";
import { byId } from "./history.js";

const WEEK = 7 * DAY_SECONDS;
const MONTH = 30 * DAY_SECONDS;
/** The age of what never was, and the ratio of what there is none of. */
const NEVER = 1_000 * DAY_SECONDS;
/** A fraud of less than so many thousandths of what its customer usually spends is not explained by its amount. */
const UNUSUAL_PERMILLE = 2_000;
const VERY_UNUSUAL_PERMILLE = 2_500;

/** What trees are trained on, in the order of a matrix' columns: whole numbers, defined in docs/detection.md. */
export const LEARNED_FEATURES = [
  "amount_minor",
  "account.count_30d",
  "account.mean_minor_7d",
  "account.mean_minor_30d",
  "account.genuine_count",
  "account.ratio_permille",
  "account.z_permille",
  "account.largest_ratio_7d_permille",
  "account.second_ratio_7d_permille",
  "account.unusual_7d_permille",
  "account.very_unusual_7d",
  "merchant.count_7d",
  "merchant.risk_30d_permille",
  "merchant.last_label",
  "merchant.run",
  "merchant.run_age_s",
  "merchant.run_gap_s",
  "merchant.run_unexplained",
  "merchant.run_least_ratio_permille",
  "merchant.genuine_age_s",
] as const;

type Values = Readonly<Record<(typeof LEARNED_FEATURES)[number], number>>;
type CustomerValues = Omit<Values, `merchant.${string}`>;
type TerminalValues = Pick<Values, Extract<keyof Values, `merchant.${string}`>>;

/**
 * The features of a stretch of transactions, each from what was known at it: labels that had come, amounts up to the
 * transaction's own.
 *
 * @param labelDelayDays - after which a transaction without a label counts as genuine, and the data set's frauds have
 *   theirs unless it says otherwise
 */
export function learnedFeatures(
  data: HandbookDataSet,
  { from, to }: Range,
  labelDelayDays = LABEL_DELAY_DAYS,
): FeatureMatrix {
  const columns = LEARNED_FEATURES.length;
  const values = new Float64Array((to - from) * columns);
  const put = (at: number, some: CustomerValues | TerminalValues): void => {
    for (const [name, value] of Object.entries(some)) values[(at - from) * columns + COLUMN[name]!] = value;
  };
  const labelDelay = labelDelayDays * DAY_SECONDS;
  /** Each transaction's amount in thousandths of what its customer usually spends, as it was known then. */
  const ratios = new Float64Array(to);
  for (const own of byId(data.customers, to)) {
    const customer = new Customer(data, own, labelDelay);
    for (const [n, at] of own.entries()) {
      customer.advance(n);
      ratios[at] = customer.ratio(data.amountsMinor[at]!);
      if (at >= from) put(at, customer.values());
    }
  }
  for (const own of byId(data.terminals, to)) {
    const terminal = new Terminal(data, own, labelDelay, ratios);
    for (const [n, at] of own.entries()) {
      terminal.advance(n);
      if (at >= from) put(at, terminal.values());
    }
  }
  return { columns, first: from, values };
}

const COLUMN: Readonly<Record<string, number>> = Object.fromEntries(LEARNED_FEATURES.map((name, at) => [name, at]));

const ratioOf = (part: number, whole: number): number => (whole === 0 ? 0 : Math.floor((1000 * part) / whole));

/** A customer or terminal, transaction after transaction. */
export abstract class Past {
  protected current = 0;
  /** How many are so old that those without a label count as genuine. */
  protected old = 0;
  /** Of these, those whose label is yet to come. */
  #late: number[] = [];

  constructor(
    protected readonly data: HandbookDataSet,
    protected readonly own: Uint32Array,
    protected readonly labelDelay: number,
  ) {}

  /** Goes on to its next transaction. @param n - its number among its own */
  advance(n: number): void {
    this.current = n;
    for (; this.second(this.old) <= this.second(n) - this.labelDelay; this.old++) {
      const at = this.own[this.old]!;
      if (this.isFraud(at)) continue;
      this.onGenuine(at, 1);
      if (this.#labelTime(at) !== NEVER_LABELLED) this.#late.push(at);
    }
    if (!this.#late.some((at) => this.isFraud(at))) return;
    for (const at of this.#late) if (this.isFraud(at)) this.onGenuine(at, -1);
    this.#late = this.#late.filter((at) => !this.isFraud(at));
  }

  /** A transaction counts as genuine from now on (1), or no longer (−1): its label came later than labels do. */
  protected abstract onGenuine(at: number, change: 1 | -1): void;

  /** Whether it is known now that a transaction is fraud. */
  protected isFraud = (at: number): boolean => this.#labelTime(at) <= this.second(this.current);

  protected second = (n: number): number => this.data.seconds[this.own[n]!]!;

  readonly #labelTime = (at: number): number => labelTime(this.data, at, this.labelDelay);
}

class Customer extends Past {
  #genuine = 0;
  #sum = 0;
  #squares = 0;
  #week = 0;
  #month = 0;

  protected override onGenuine(at: number, change: 1 | -1): void {
    const amount = this.data.amountsMinor[at]!;
    this.#genuine += change;
    this.#sum += change * amount;
    this.#squares += change * amount * amount;
  }

  /** An amount in thousandths of the mean of what is known to be genuine; 0 where nothing is. */
  ratio = (amount: number): number => ratioOf(amount * this.#genuine, this.#sum);

  values(): CustomerValues {
    const now = this.second(this.current);
    while (this.second(this.#week) <= now - WEEK) this.#week++;
    while (this.second(this.#month) <= now - MONTH) this.#month++;
    const amounts = Array.from(this.own.subarray(this.#month, this.current + 1), (at) => this.data.amountsMinor[at]!);
    const week = amounts.slice(this.#week - this.#month);
    const ratios = week.map(this.ratio).sort((a, b) => b - a);
    const amount = amounts.at(-1)!;
    const spread = this.#genuine * this.#squares - this.#sum * this.#sum;
    return {
      amount_minor: amount,
      "account.count_30d": amounts.length,
      "account.mean_minor_7d": Math.floor(sumOf(week) / week.length),
      "account.mean_minor_30d": Math.floor(sumOf(amounts) / amounts.length),
      "account.genuine_count": this.#genuine,
      "account.ratio_permille": this.ratio(amount),
      "account.z_permille": ratioOf(this.#genuine * amount - this.#sum, Math.sqrt(Math.max(0, spread))),
      "account.largest_ratio_7d_permille": ratios[0]!,
      "account.second_ratio_7d_permille": ratios[1] ?? 0,
      "account.unusual_7d_permille": ratioOf(ratios.filter((one) => one > UNUSUAL_PERMILLE).length, ratios.length),
      "account.very_unusual_7d": ratios.filter((one) => one > VERY_UNUSUAL_PERMILLE).length,
    };
  }
}

class Terminal extends Past {
  readonly #ratios: Float64Array;
  #week = 0;
  #month = 0;

  constructor(data: HandbookDataSet, own: Uint32Array, labelDelay: number, ratios: Float64Array) {
    super(data, own, labelDelay);
    this.#ratios = ratios;
  }

  protected override onGenuine(): void {
    // What is genuine is looked at from the newest on.
  }

  /** The last transaction that is known to be genuine, and the known frauds since. */
  #run(): { readonly lastGenuine: number | undefined; readonly run: readonly number[] } {
    const run: number[] = [];
    for (let n = this.current - 1; n >= 0; n--) {
      const at = this.own[n]!;
      if (this.isFraud(at)) run.unshift(at);
      else if (n < this.old) return { lastGenuine: this.second(n), run };
    }
    return { lastGenuine: undefined, run };
  }

  values(): TerminalValues {
    const now = this.second(this.current);
    while (this.second(this.#week) <= now - this.labelDelay - WEEK) this.#week++;
    while (this.second(this.#month) <= now - this.labelDelay - MONTH) this.#month++;
    const month = this.own.subarray(this.#month, this.old);
    const frauds = month.reduce((sum, at) => sum + (this.isFraud(at) ? 1 : 0), 0);
    const { run, lastGenuine } = this.#run();
    const ratios = run.map((at) => this.#ratios[at]!);
    const began = run[0] === undefined ? undefined : this.data.seconds[run[0]]!;
    return {
      "merchant.count_7d": this.old - this.#week,
      "merchant.risk_30d_permille": ratioOf(frauds, month.length),
      "merchant.last_label": run.length > 0 ? 1 : lastGenuine === undefined ? -1 : 0,
      "merchant.run": run.length,
      "merchant.run_age_s": began === undefined ? NEVER : now - began,
      "merchant.run_gap_s": began === undefined || lastGenuine === undefined ? NEVER : began - lastGenuine,
      "merchant.run_unexplained": ratios.filter((ratio) => ratio < UNUSUAL_PERMILLE).length,
      "merchant.run_least_ratio_permille": Math.min(NEVER, ...ratios),
      "merchant.genuine_age_s": lastGenuine === undefined ? NEVER : now - lastGenuine,
    };
  }
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
