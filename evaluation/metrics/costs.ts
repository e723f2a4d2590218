import type { Scored } from "./scored.js";

/** What mistakes cost, in cents. A fraud that is let through costs its amount. */
export interface Costs {
  /** An analyst's look at a transaction. */
  readonly lookMinor: number;
  /** A good customer who is stopped. */
  readonly stoppedMinor: number;
}

/** Probabilities from which on a transaction is reviewed, or declined without a look. */
export interface Thresholds {
  readonly reviewFrom: number;
  readonly declineFrom: number;
}

/** What was done with the transactions of a week, and what it cost. */
export interface Outcomes {
  readonly thresholds: Thresholds;
  /** How many frauds, and how many genuine transactions, were let through, looked at, and declined. */
  readonly frauds: ByAction;
  readonly genuine: ByAction;
  readonly looksADay: number;
  /** With every transaction let through: the frauds' amounts. */
  readonly costWithoutMinor: number;
  readonly costMinor: number;
  /** The share of the former that is saved. */
  readonly saved: number;
}

interface ByAction {
  readonly approved: number;
  readonly reviewed: number;
  readonly declined: number;
}

/**
 * The thresholds that cost least when probabilities are right: a look must be worth less than what it saves on average,
 * and a transaction is declined without one where that is cheaper.
 *
 * @param fraudMinor - the mean amount of the frauds that are known so far, in cents
 */
export function thresholdsByCosts({ lookMinor, stoppedMinor }: Costs, fraudMinor: number): Thresholds {
  const declineFrom = Math.max(0, 1 - lookMinor / stoppedMinor);
  // Where looking never pays, a transaction is declined as soon as that costs less than letting it through.
  const reviewFrom = Math.min(1, lookMinor / fraudMinor);
  return reviewFrom <= declineFrom
    ? { reviewFrom, declineFrom }
    : {
        reviewFrom: stoppedMinor / (stoppedMinor + fraudMinor),
        declineFrom: stoppedMinor / (stoppedMinor + fraudMinor),
      };
}

/**
 * The probability that so many transactions a day reach: what analysts have time for.
 *
 * @param scores - probabilities of some days before
 */
export function thresholdByCapacity(scores: Float64Array, days: number, looksADay: number): number {
  const sorted = scores.toSorted();
  return sorted[Math.max(0, sorted.length - Math.floor(looksADay * days))] ?? 1;
}

/** What a week's transactions would have come to by these thresholds. An analyst sees what is fraud. */
export function outcomesOf(
  { days, amountsMinor, frauds, scores }: Scored,
  thresholds: Thresholds,
  { lookMinor, stoppedMinor }: Costs,
): Outcomes {
  const genuine = { approved: 0, reviewed: 0, declined: 0 };
  const fraudulent = { approved: 0, reviewed: 0, declined: 0 };
  let costMinor = 0;
  let costWithoutMinor = 0;
  for (const [at, score] of scores.entries()) {
    const isFraud = frauds[at] === 1;
    const count = isFraud ? fraudulent : genuine;
    if (isFraud) costWithoutMinor += amountsMinor[at]!;
    if (score >= thresholds.declineFrom) {
      count.declined++;
      if (!isFraud) costMinor += stoppedMinor;
    } else if (score >= thresholds.reviewFrom) {
      count.reviewed++;
      costMinor += lookMinor;
    } else {
      count.approved++;
      if (isFraud) costMinor += amountsMinor[at]!;
    }
  }
  return {
    thresholds,
    frauds: fraudulent,
    genuine,
    looksADay: (genuine.reviewed + fraudulent.reviewed) / new Set(days).size,
    costWithoutMinor,
    costMinor,
    saved: costWithoutMinor === 0 ? 0 : 1 - costMinor / costWithoutMinor,
  };
}
