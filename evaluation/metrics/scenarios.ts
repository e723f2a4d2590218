import type { Scored } from "./scored.js";

/** Of one kind of fraud, the share that is among alerts on half a percent of the transactions. */
export interface ScenarioRecall {
  readonly scenario: string;
  readonly frauds: number;
  readonly recallAt05: number;
}

const ALERT_SHARE = 0.005;
const NAMES = ["", "1: an amount above 220", "2: a compromised terminal", "3: a compromised customer"];

/** @param scenarioAt - the scenario of the transaction in a place of `scored`; 0: genuine */
export function recallByScenario(
  { scores }: Pick<Scored, "scores">,
  scenarioAt: (place: number) => number,
): readonly ScenarioRecall[] {
  const alerts = Math.floor(ALERT_SHARE * scores.length);
  const order = Uint32Array.from(scores, (_, at) => at).sort((a, b) => scores[b]! - scores[a]! || a - b);
  const found = new Set(order.subarray(0, alerts));
  return [1, 2, 3].map((scenario) => {
    const own = Array.from(scores.keys()).filter((place) => scenarioAt(place) === scenario);
    return {
      scenario: NAMES[scenario]!,
      frauds: own.length,
      recallAt05: own.filter((place) => found.has(place)).length / own.length,
    };
  });
}
