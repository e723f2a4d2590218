import type { ScoreCount } from "./wire.js";

/*
 * What follows from counts by score. Imports nothing that the browser does not have: the page works the costs out
 * again whenever its reader changes them.
 */

/** A share, and the interval that holds the true one in 95 of 100 cases. */
export interface Share {
  readonly part: number;
  readonly of: number;
  readonly value: number;
  readonly from: number;
  readonly to: number;
}

/** Of a normal distribution 95 % lie within so many standard deviations. */
const Z = 1.959964;

/**
 * By Wilson, which is right for few and for shares of 0 and 1 too.
 *
 * @returns `undefined`: of nothing there is no share
 */
export function shareOf(part: number, of: number): Share | undefined {
  if (of === 0) return undefined;
  const value = part / of;
  const scale = 1 + Z ** 2 / of;
  const middle = (value + Z ** 2 / (2 * of)) / scale;
  const half = (Z / scale) * Math.sqrt((value * (1 - value)) / of + Z ** 2 / (4 * of ** 2));
  return { part, of, value, from: part === 0 ? 0 : middle - half, to: part === of ? 1 : middle + half };
}

/** From where on distributions drift, and are far from each other. */
export const DRIFTS = 0.1;
export const DRIFTS_FAR = 0.25;
/** A share of nothing counts as this, as in the recording rules for Prometheus. */
const LEAST_SHARE = 0.0001;

/** How far shares are from those of a reference: Σ (share − reference) · ln(share ÷ reference). */
export const stabilityIndex = (bands: readonly { readonly share: number; readonly reference: number }[]): number =>
  bands.reduce((sum, { share, reference }) => {
    const own = Math.max(share, LEAST_SHARE);
    const usual = Math.max(reference, LEAST_SHARE);
    return sum + (own - usual) * Math.log(own / usual);
  }, 0);

/** Decisions of about one score, and what they turned out to be. */
export interface ScoreBand {
  readonly from: number;
  readonly to: number;
  readonly decided: number;
  readonly frauds: number;
  readonly genuine: number;
}

const BAND = 100;
/** Scores end here; from one more on, nothing is reviewed or declined. */
export const MAX_SCORE = 1000;
export const NEVER = MAX_SCORE + 1;

/** In bands of 100 points; those without a decision are left out. */
export function scoreBands(scores: readonly ScoreCount[]): ScoreBand[] {
  return Array.from({ length: MAX_SCORE / BAND }, (_, n) => {
    const from = n * BAND;
    const to = n === MAX_SCORE / BAND - 1 ? MAX_SCORE : from + BAND - 1;
    const own = scores.filter(({ score }) => score >= from && score <= to);
    const sum = (of: (count: ScoreCount) => number): number => own.reduce((all, count) => all + of(count), 0);
    return {
      from,
      to,
      decided: sum(({ decided }) => decided),
      frauds: sum(({ frauds }) => frauds),
      genuine: sum(({ genuine }) => genuine),
    };
  }).filter(({ decided }) => decided > 0);
}

/** What mistakes cost, in any unit. */
export interface Costs {
  /** A fraud that is let through. */
  readonly fraud: number;
  /** A good customer who is declined. */
  readonly stopped: number;
  /** An analyst's look at a transaction. */
  readonly look: number;
}

/** Scores from which on transactions are reviewed, and declined; {@link NEVER} and none is. */
export interface ThresholdPair {
  readonly reviewAt: number;
  readonly declineAt: number;
}

/** What would have happened by two thresholds, and what it would have cost. */
export interface CostPoint extends ThresholdPair {
  readonly fraudsLetThrough: number;
  readonly goodStopped: number;
  readonly looks: number;
  readonly cost: number;
}

/** What each pair of thresholds would have cost. An analyst who looks sees what is fraud. */
export class CostCurve {
  readonly #costs: Costs;
  /** At and above each score, up to {@link NEVER}. */
  readonly #frauds: Float64Array;
  readonly #genuine: Float64Array;

  /** @param unlabelledAreGenuine - whether what has no verdict counts as genuine, or not at all */
  constructor(scores: readonly ScoreCount[], costs: Costs, unlabelledAreGenuine: boolean) {
    this.#costs = costs;
    this.#frauds = new Float64Array(NEVER + 1);
    this.#genuine = new Float64Array(NEVER + 1);
    for (const { score, decided, frauds, genuine } of scores) {
      this.#frauds[score] = frauds;
      this.#genuine[score] = unlabelledAreGenuine ? decided - frauds : genuine;
    }
    for (let score = MAX_SCORE; score >= 0; score--) {
      this.#frauds[score]! += this.#frauds[score + 1]!;
      this.#genuine[score]! += this.#genuine[score + 1]!;
    }
  }

  /** Of how many transactions it speaks. */
  get transactions(): number {
    return this.#frauds[0]! + this.#genuine[0]!;
  }

  at({ reviewAt, declineAt }: ThresholdPair): CostPoint {
    const suspiciousAt = Math.min(reviewAt, declineAt);
    const fraudsLetThrough = this.#frauds[0]! - this.#frauds[suspiciousAt]!;
    const goodStopped = this.#genuine[declineAt]!;
    const looks =
      this.#frauds[suspiciousAt]! + this.#genuine[suspiciousAt]! - this.#frauds[declineAt]! - this.#genuine[declineAt]!;
    const { fraud, stopped, look } = this.#costs;
    return {
      reviewAt,
      declineAt,
      fraudsLetThrough,
      goodStopped,
      looks,
      cost: fraudsLetThrough * fraud + goodStopped * stopped + looks * look,
    };
  }

  /** With one of two thresholds at each score in turn. */
  along(which: keyof ThresholdPair, present: ThresholdPair): CostPoint[] {
    return Array.from({ length: NEVER + 1 }, (_, score) => this.at({ ...present, [which]: score }));
  }

  /** The cheapest thresholds of all; of equally cheap ones those nearest to the present ones. */
  cheapest(present: ThresholdPair): CostPoint {
    let best = this.at(present);
    for (let declineAt = 0; declineAt <= NEVER; declineAt++)
      for (let reviewAt = 0; reviewAt <= declineAt; reviewAt++) {
        const point = this.at({ reviewAt, declineAt });
        if (point.cost < best.cost || (point.cost === best.cost && steps(point, present) < steps(best, present)))
          best = point;
      }
    return best;
  }
}

/** The cheapest of some; of equally cheap ones that nearest to the present thresholds. */
export const cheapestOf = (points: readonly CostPoint[], present: ThresholdPair): CostPoint =>
  points.reduce((best, point) =>
    point.cost < best.cost || (point.cost === best.cost && steps(point, present) < steps(best, present)) ? point : best,
  );

const steps = (one: ThresholdPair, other: ThresholdPair): number =>
  Math.abs(one.reviewAt - other.reviewAt) + Math.abs(one.declineAt - other.declineAt);
