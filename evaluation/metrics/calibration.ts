import type { Scored } from "./scored.js";

/** Transactions of about one probability. */
export interface CalibrationBin {
  readonly transactions: number;
  /** From the lowest to the highest probability in it. */
  readonly from: number;
  readonly to: number;
  /** The sum of the probabilities, and how many are frauds. */
  readonly expected: number;
  readonly frauds: number;
}

/** Each bin ends where the probability does: in the middle there are few, and all of them matter. */
const ENDS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 1];

/** How many frauds there are among transactions of about the same probability, next to how many there should be. */
export function calibrationOf({ scores, frauds }: Pick<Scored, "scores" | "frauds">): readonly CalibrationBin[] {
  return ENDS.flatMap((end, n) => {
    const begin = n === 0 ? -1 : ENDS[n - 1]!;
    const own = [...scores.entries()].filter(([, score]) => score > begin && score <= end);
    if (own.length === 0) return [];
    const probabilities = own.map(([, score]) => score);
    return [
      {
        transactions: own.length,
        from: probabilities.reduce((a, b) => Math.min(a, b)),
        to: probabilities.reduce((a, b) => Math.max(a, b)),
        expected: probabilities.reduce((sum, one) => sum + one, 0),
        frauds: own.reduce((sum, [at]) => sum + frauds[at]!, 0),
      },
    ];
  });
}
