import type { Quality } from "./metrics/scored.js";

/** A result that others have published for the official week. */
export interface Published extends Pick<Quality, "auc" | "averagePrecision" | "cardPrecision100"> {
  readonly detector: string;
}

/** By the Fraud Detection Handbook: chapter 3, and tuned ones of chapter 5. */
export const PUBLISHED: readonly Published[] = [
  { detector: "random scores", auc: 0.5, averagePrecision: 0.007, cardPrecision100: 0.017 },
  { detector: "decision tree of depth 2", auc: 0.763, averagePrecision: 0.496, cardPrecision100: 0.241 },
  { detector: "decision tree", auc: 0.788, averagePrecision: 0.309, cardPrecision100: 0.243 },
  { detector: "logistic regression", auc: 0.871, averagePrecision: 0.606, cardPrecision100: 0.291 },
  { detector: "random forest", auc: 0.867, averagePrecision: 0.658, cardPrecision100: 0.287 },
  { detector: "XGBoost", auc: 0.862, averagePrecision: 0.639, cardPrecision100: 0.273 },
  { detector: "random forest, tuned", auc: 0.87, averagePrecision: 0.678, cardPrecision100: 0.299 },
  { detector: "XGBoost, tuned", auc: 0.869, averagePrecision: 0.687, cardPrecision100: 0.303 },
];
