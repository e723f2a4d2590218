import { DAY_SECONDS, type HandbookDataSet } from "../../ingress-generator/handbook/data-set.js";
import type { Scored } from "../metrics/scored.js";
import { type EvaluationWeek, type Range, testTransactions, trainingTransactions } from "../weeks.js";
import { type FeatureMatrix, handbookFeatures, rowOf } from "./features.js";
import { type Examples, probability, trainLogisticRegression } from "./logistic-regression.js";

/** How a week is learned from and scored. */
export interface BatchDetector {
  readonly name: string;
  /** Of a stretch of transactions, each from what was known at it. */
  readonly features: (data: HandbookDataSet, transactions: Range) => FeatureMatrix;
  /** What is learned from. All of it, labels too, must be known when the test week begins. */
  readonly trainedOn: (data: HandbookDataSet, week: EvaluationWeek) => Range;
  /** @returns what scores a transaction by its features */
  readonly train: (examples: Examples) => (row: Float64Array) => number;
}

/** The Handbook's baseline: its 15 features, its training week, scikit-learn's logistic regression as it comes. */
export const HANDBOOK_BASELINE: BatchDetector = {
  name: "logistic regression, the Handbook's 15 features, in batch",
  features: handbookFeatures,
  trainedOn: trainingTransactions,
  train: (examples) => {
    const regression = trainLogisticRegression(examples);
    return (row) => probability(regression, row);
  },
};

/** Learns from a week's past and scores its test transactions. */
export function scoreWeek(data: HandbookDataSet, week: EvaluationWeek, detector: BatchDetector): Scored {
  const training = detector.trainedOn(data, week);
  const test = testTransactions(data, week);
  const learned = detector.features(data, training);
  const score = detector.train({
    columns: learned.columns,
    values: learned.values,
    labels: Uint8Array.from(data.scenarios.subarray(training.from, training.to), isFraud),
  });
  const features = detector.features(data, { from: test[0]!, to: test.at(-1)! + 1 });
  return {
    days: Uint16Array.from(test, (at) => Math.floor(data.seconds[at]! / DAY_SECONDS)),
    customers: Uint16Array.from(test, (at) => data.customers[at]!),
    amountsMinor: Uint32Array.from(test, (at) => data.amountsMinor[at]!),
    frauds: Uint8Array.from(test, (at) => isFraud(data.scenarios[at]!)),
    scores: Float64Array.from(test, (at) => score(rowOf(features, at))),
  };
}

const isFraud = (scenario: number): number => (scenario === 0 ? 0 : 1);
