/**
 * Bands of scores by the least score of each, and the share of the reference that is in it. It follows from what a
 * score of a model of trees is: 10 % of the reference have 200 or more, 1 % 400, .1 % 600. Highest first.
 */
export const SCORE_BANDS = [
  { from: 600, reference: 0.001 },
  { from: 400, reference: 0.009 },
  { from: 200, reference: 0.09 },
  { from: 0, reference: 0.9 },
] as const;

/** Which of {@link SCORE_BANDS} a score is in. */
export const scoreBand = (score: number): number => SCORE_BANDS.findIndex(({ from }) => score >= from);
