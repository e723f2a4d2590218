/** Transactions of a test week with their scores: one in each place. */
export interface Scored {
  readonly days: Uint16Array;
  readonly customers: Uint16Array;
  readonly amountsMinor: Uint32Array;
  /** 1: fraud. */
  readonly frauds: Uint8Array;
  /** The greater, the more suspicious. */
  readonly scores: Float64Array;
}

/** How well scores find the frauds. Each from 0 to 1, the greater the better. */
export interface Quality {
  /** Area under the ROC curve: how often a fraud is scored above a genuine transaction. */
  readonly auc: number;
  /** Area under the curve of precision over recall, in steps. */
  readonly averagePrecision: number;
  /** The Handbook's card precision: of the 100 most suspicious cards of each day, the share that has a fraud. */
  readonly cardPrecision100: number;
  /** The share of frauds among the half percent of transactions that are scored highest. */
  readonly recallAt05: number;
  /** The same share of the frauds' amounts. */
  readonly valueAt05: number;
}
