import { qualityOf } from "./quality.js";
import type { Quality, Scored } from "./scored.js";

/** How well one kind of fraud was found. */
export interface ScenarioQuality extends Quality {
  readonly scenario: string;
  readonly frauds: number;
}

const ALERT_SHARE = 0.005;

/** By the data set's numbers. */
export const SCENARIOS = [
  "genuine",
  "1: an amount above 220",
  "2: a compromised terminal",
  "3: a compromised customer",
  "4: a stolen card",
] as const;

/**
 * Of each kind of fraud that there is: the share, and the share of its value, that is among alerts on half a percent of
 * all the transactions; the rest as if there were no other kind.
 *
 * @param scenarioAt - the scenario of the transaction in a place of `scored`; 0: genuine
 */
export function qualityByScenario(scored: Scored, scenarioAt: (place: number) => number): readonly ScenarioQuality[] {
  const { scores, amountsMinor } = scored;
  const alerts = Math.floor(ALERT_SHARE * scores.length);
  const order = Uint32Array.from(scores, (_, at) => at).sort((a, b) => scores[b]! - scores[a]! || a - b);
  const found = new Set(order.subarray(0, alerts));
  const places = Array.from(scores.keys());
  return SCENARIOS.flatMap((name, scenario) => {
    const own = places.filter((place) => scenarioAt(place) === scenario);
    if (scenario === 0 || own.length === 0) return [];
    const hit = own.filter((place) => found.has(place));
    const value = (some: readonly number[]): number => some.reduce((sum, place) => sum + amountsMinor[place]!, 0);
    const among = places.filter((place) => scenarioAt(place) === 0 || scenarioAt(place) === scenario);
    return [
      {
        ...qualityOf(part(scored, among))(),
        scenario: name,
        frauds: own.length,
        recallAt05: hit.length / own.length,
        valueAt05: value(hit) / value(own),
      },
    ];
  });
}

const part = ({ days, customers, amountsMinor, frauds, scores }: Scored, places: readonly number[]): Scored => ({
  days: Uint16Array.from(places, (place) => days[place]!),
  customers: Uint16Array.from(places, (place) => customers[place]!),
  amountsMinor: Uint32Array.from(places, (place) => amountsMinor[place]!),
  frauds: Uint8Array.from(places, (place) => frauds[place]!),
  scores: Float64Array.from(places, (place) => scores[place]!),
});
