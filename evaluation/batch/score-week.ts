import { DAY_SECONDS, type HandbookDataSet } from "../../ingress-generator/handbook/data-set.js";
import type { Scored } from "../metrics/scored.js";
import {
  type EvaluationWeek,
  isKnownFraud,
  type Range,
  testDay,
  testTransactions,
  trainingTransactions,
} from "../weeks.js";
import { type FeatureMatrix, handbookFeatures, rowOf } from "./features.js";
import { probability, trainLogisticRegression } from "./logistic-regression.js";

/** The probability that a transaction with these features is fraud. */
export type Score = (row: Float64Array) => number;

/** How the transactions of a week are scored. */
export interface BatchDetector {
  readonly name: string;
  /** Of a stretch of transactions, each from what was known at it. */
  readonly features: (data: HandbookDataSet, transactions: Range) => FeatureMatrix;
  /** What was learned when the week's test begins: from nothing of which the labels are not known by then. */
  readonly learned: (data: HandbookDataSet, week: EvaluationWeek) => Score;
}

/** The Handbook's baseline: its 15 features, its training week, scikit-learn's logistic regression as it comes. */
export const HANDBOOK_BASELINE: BatchDetector = {
  name: "logistic regression, the Handbook's 15 features",
  features: handbookFeatures,
  learned: (data, week) => learnedRegression(data, trainingTransactions(data, week), testDay(week)),
};

/**
 * A logistic regression that was trained on these transactions, with the Handbook's features.
 *
 * @param day - on which it is trained: frauds are those that are known then
 */
export function learnedRegression(data: HandbookDataSet, training: Range, day: number): Score {
  const { columns, values } = handbookFeatures(data, training);
  const labels = Uint8Array.from({ length: training.to - training.from }, (_, n) =>
    isKnownFraud(data, training.from + n, day) ? 1 : 0,
  );
  const regression = trainLogisticRegression({ columns, values, labels });
  return (row) => probability(regression, row);
}

/** What a detector that has learned gives the transactions of a stretch, by their number. */
export type Scorer = (transactions: Range) => (at: number) => number;

/** A detector that has learned what it may when the week's test begins. */
export function scorerOf(data: HandbookDataSet, week: EvaluationWeek, { learned, features }: BatchDetector): Scorer {
  const score = learned(data, week);
  return (transactions) => {
    const matrix = features(data, transactions);
    return (at) => score(rowOf(matrix, at));
  };
}

/** Scores the test transactions of a week, by what has learned for it. */
export function scoreWeek(data: HandbookDataSet, week: EvaluationWeek, scorer: Scorer): Scored {
  const test = testTransactions(data, week);
  return scoredOf(data, test, scorer({ from: test[0]!, to: test.at(-1)! + 1 }));
}

/** Transactions with the scores that something gave them. */
export const scoredOf = (data: HandbookDataSet, test: Uint32Array, scoreAt: (at: number) => number): Scored => ({
  days: Uint16Array.from(test, (at) => Math.floor(data.seconds[at]! / DAY_SECONDS)),
  customers: Uint16Array.from(test, (at) => data.customers[at]!),
  amountsMinor: Uint32Array.from(test, (at) => data.amountsMinor[at]!),
  frauds: Uint8Array.from(test, (at) => isFraud(data.scenarios[at]!)),
  scores: Float64Array.from(test, scoreAt),
});

const isFraud = (scenario: number): number => (scenario === 0 ? 0 : 1);
