import type { HandbookDataSet } from "../ingress-generator/handbook/data-set.js";
import { SCENARIOS } from "./metrics/scenarios.js";

const CENTS = 100;

/** How well a kind of fraud is told from genuine transactions by the cents of the amount, and nothing else. */
export interface CentsAuc {
  readonly scenario: string;
  readonly frauds: number;
  /** .5: not at all. */
  readonly auc: number;
}

/**
 * What a simulator's cents give away: a model that knows of an amount nothing but its cents, and how often each of the
 * hundred was fraud among every other transaction of the kind; judged on those in between.
 */
export function centsGiveAway({ scenarios, amountsMinor }: HandbookDataSet): readonly CentsAuc[] {
  // By scenario, those that are learned from and those that are judged: how many there are with each number of cents.
  const counts = SCENARIOS.map(() => [new Float64Array(CENTS), new Float64Array(CENTS)] as const);
  const turns = SCENARIOS.map(() => 0);
  for (const [at, scenario] of scenarios.entries())
    counts[scenario]![(turns[scenario]!++ % 2) as 0 | 1][amountsMinor[at]! % CENTS]!++;
  const [learned, judged] = counts[0]!;
  return SCENARIOS.flatMap((name, scenario) => {
    if (scenario === 0 || turns[scenario] === 0) return [];
    const [frauds, judgedFrauds] = counts[scenario]!;
    const scores = Array.from(frauds, (some, cents) => some / Math.max(1, some + learned[cents]!));
    return [{ scenario: name, frauds: turns[scenario]!, auc: aucOf(scores, judgedFrauds, judged) }];
  });
}

/** Of groups of one score each: how often a fraud is above what is genuine, of the same score half of the time. */
function aucOf(scores: readonly number[], frauds: Float64Array, genuine: Float64Array): number {
  let [pairs, above] = [0, 0];
  for (const [a, score] of scores.entries())
    for (const [b, other] of scores.entries()) {
      pairs += frauds[a]! * genuine[b]!;
      above += frauds[a]! * genuine[b]! * (score > other ? 1 : score === other ? 0.5 : 0);
    }
  return above / pairs;
}
