import {
  DAY_SECONDS,
  HANDBOOK_START_MS,
  type HandbookDataSet,
  labelTime,
} from "../../ingress-generator/handbook/data-set.js";
import { LABEL_DELAY_DAYS, type Range } from "../weeks.js";
import { byId } from "./history.js";

const WINDOW_DAYS = [1, 7, 30] as const;
const NIGHT_UNTIL_HOUR = 7;

/** The Handbook's features, in the order of a matrix' columns. */
export const HANDBOOK_FEATURES: readonly string[] = [
  "amount",
  "weekend",
  "night",
  ...WINDOW_DAYS.flatMap((days) => [`customer_count_${days}d`, `customer_mean_amount_${days}d`]),
  ...WINDOW_DAYS.flatMap((days) => [`terminal_count_${days}d`, `terminal_risk_${days}d`]),
];

/** Values of features: row after row. */
export interface FeatureMatrix {
  readonly columns: number;
  /** The transaction of the first row; the others follow. */
  readonly first: number;
  readonly values: Float64Array;
}

/** Whether a transaction is on a Saturday or Sunday, and before seven o'clock; 1 for yes, 0 for no. */
export function calendarOf({ seconds }: HandbookDataSet, at: number): { weekend: number; night: number } {
  const time = new Date(HANDBOOK_START_MS + seconds[at]! * 1000);
  return { weekend: time.getUTCDay() % 6 === 0 ? 1 : 0, night: time.getUTCHours() < NIGHT_UNTIL_HOUR ? 1 : 0 };
}

/** The values of one transaction. */
export const rowOf = ({ columns, first, values }: FeatureMatrix, transaction: number): Float64Array =>
  values.subarray((transaction - first) * columns, (transaction - first + 1) * columns);

/**
 * The Handbook's 15 features of a stretch of transactions, from nothing but what was known at each one:
 *
 * - the amount, in euros; whether it is Saturday or Sunday; whether it is before seven o'clock
 * - of the customer, over the last 1, 7 and 30 days, this transaction included: how many, and their mean amount
 * - of the terminal, over 1, 7 and 30 days that ended seven days ago: how many, and the share of frauds among them (0
 *   where there are none); a label that takes longer than that takes no part
 *
 * A window of n days at time t is what came after t − n days, up to t; of the same second, what stands before.
 *
 * @param labelDelayDays - how long ago the terminal's windows end
 */
export function handbookFeatures(
  data: HandbookDataSet,
  { from, to }: Range,
  labelDelayDays = LABEL_DELAY_DAYS,
): FeatureMatrix {
  const columns = HANDBOOK_FEATURES.length;
  const values = new Float64Array((to - from) * columns);
  const put = (at: number, column: number, value: number): void => {
    values[(at - from) * columns + column] = value;
  };
  for (let at = from; at < to; at++) {
    const { weekend, night } = calendarOf(data, at);
    put(at, 0, data.amountsMinor[at]! / 100);
    put(at, 1, weekend);
    put(at, 2, night);
  }
  forEachPast(
    data.customers,
    data.seconds,
    (at) => data.amountsMinor[at]!,
    { from, to },
    (at, past) => {
      for (const [n, days] of WINDOW_DAYS.entries()) {
        const { count, sum } = past(days * DAY_SECONDS, 0);
        put(at, 3 + 2 * n, count);
        put(at, 4 + 2 * n, sum / count / 100);
      }
    },
  );
  const labelDelay = labelDelayDays * DAY_SECONDS;
  const isFraud = (at: number): number => (labelTime(data, at, labelDelay) <= data.seconds[at]! + labelDelay ? 1 : 0);
  forEachPast(data.terminals, data.seconds, isFraud, { from, to }, (at, past) => {
    for (const [n, days] of WINDOW_DAYS.entries()) {
      const { count, sum } = past(days * DAY_SECONDS, labelDelay);
      put(at, 9 + 2 * n, count);
      put(at, 10 + 2 * n, count === 0 ? 0 : sum / count);
    }
  });
  return { columns, first: from, values };
}

/** How many of an id's transactions lie in a window that ended `endedAgo` seconds ago, and the sum of their values. */
type Past = (seconds: number, endedAgo: number) => { readonly count: number; readonly sum: number };

/** Calls `visit` for each transaction of the range, with the past of its customer or terminal. */
function forEachPast(
  ids: Uint16Array,
  seconds: Uint32Array,
  valueOf: (at: number) => number,
  { from, to }: Range,
  visit: (at: number, past: Past) => void,
): void {
  for (const own of byId(ids, to)) {
    /** Before each of its transactions. */
    const sums = new Float64Array(own.length + 1);
    for (const [n, at] of own.entries()) sums[n + 1] = sums[n]! + valueOf(at);
    for (const [n, at] of own.entries()) {
      if (at < from) continue;
      const now = seconds[at]!;
      /** How many, up to this one, are not later than that. */
      const until = (time: number): number => {
        let low = 0;
        let high = n + 1;
        while (low < high) {
          const middle = (low + high) >> 1;
          if (seconds[own[middle]!]! <= time) low = middle + 1;
          else high = middle;
        }
        return low;
      };
      visit(at, (length, endedAgo) => {
        const begin = until(now - endedAgo - length);
        const end = until(now - endedAgo);
        return { count: end - begin, sum: sums[end]! - sums[begin]! };
      });
    }
  }
}
