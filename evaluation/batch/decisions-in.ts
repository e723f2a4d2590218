import type { HandbookDataSet } from "../../ingress-generator/handbook/data-set.js";
import { type Costs, type Outcomes, outcomesOf, thresholdByCapacity, thresholdsByCosts } from "../metrics/costs.js";
import type { Scored } from "../metrics/scored.js";
import { type EvaluationWeek, isKnownFraud, testDay, testTransactions, WEEK_DAYS } from "../weeks.js";
import type { Scorer } from "./score-week.js";

/** By what thresholds are chosen. */
export interface DecisionOptions {
  readonly costs: Costs;
  /** What analysts have time for. */
  readonly looksADay: number;
}

/**
 * What a test week's transactions would have come to, by thresholds that were chosen from nothing but what was known
 * before it: the mean amount of the frauds, and the scores of the week between training and test.
 */
export function decisionsIn(
  data: HandbookDataSet,
  week: EvaluationWeek,
  scored: Scored,
  scorer: Scorer,
  { costs, looksADay }: DecisionOptions,
): (Outcomes & { readonly by: string })[] {
  const byCosts = thresholdsByCosts(costs, meanKnownFraud(data, week));
  // Nothing was learned from it, and no label of it is needed. As in the test, cards that are known are left out.
  const waiting = testTransactions(data, { firstDay: week.firstDay - WEEK_DAYS });
  const before = Float64Array.from(waiting, scorer({ from: waiting[0]!, to: waiting.at(-1)! + 1 }));
  const byCapacity = { reviewFrom: thresholdByCapacity(before, WEEK_DAYS, looksADay), declineFrom: Infinity };
  return [
    { by: "costs", ...outcomesOf(scored, byCosts, costs) },
    { by: `capacity, ${looksADay} looks a day`, ...outcomesOf(scored, byCapacity, costs) },
  ];
}

/** In cents, of the frauds whose labels are known when the test begins. */
function meanKnownFraud(data: HandbookDataSet, week: EvaluationWeek): number {
  let [count, sum] = [0, 0];
  for (const [at, amount] of data.amountsMinor.entries()) {
    if (!isKnownFraud(data, at, testDay(week))) continue;
    count++;
    sum += amount;
  }
  return sum / count;
}
