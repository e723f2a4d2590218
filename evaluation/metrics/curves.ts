import type { Scored } from "./scored.js";

/** At one threshold: what of the frauds is found, what of the genuine is taken for fraud, and how many are right. */
export interface CurvePoint {
  readonly recall: number;
  readonly falsePositives: number;
  readonly precision: number;
  /** The share of all transactions. */
  readonly alerts: number;
}

/** Points of the ROC curve and of precision over recall, one at each threshold at which the recall has risen enough. */
export function curveOf({ scores, frauds }: Pick<Scored, "scores" | "frauds">, points = 200): readonly CurvePoint[] {
  const order = Uint32Array.from(scores, (_, at) => at).sort((a, b) => scores[b]! - scores[a]!);
  const allFrauds = frauds.reduce((sum, one) => sum + one, 0);
  const genuine = scores.length - allFrauds;
  const curve: CurvePoint[] = [];
  let found = 0;
  let last = -1;
  for (const [place, at] of order.entries()) {
    found += frauds[at]!;
    const seen = place + 1;
    if (scores[order[seen]!] === scores[at]! && seen < order.length) continue;
    const recall = found / allFrauds;
    if (recall - last < 1 / points && seen < order.length) continue;
    last = recall;
    curve.push({
      recall,
      falsePositives: (seen - found) / genuine,
      precision: found / seen,
      alerts: seen / order.length,
    });
  }
  return curve;
}
