import { quantile } from "../../contract/quantile.js";

/** What one slice of a comparison saw: the same, with and without what is compared. */
export interface SlicePair {
  readonly dummy: readonly number[];
  readonly attacked: readonly number[];
}

/** How many times as long the slowest requests take, of all slices together. */
export interface PooledTimes {
  readonly times: number;
  /** Of nine in ten choices of slices the result lies between these: what the choice of moments alone makes of it. */
  readonly least: number;
  readonly most: number;
}

const RESAMPLED = 500;

/** By the one definition; infinite when nothing was answered. */
export const quantileOrInfinity = (values: readonly number[], share: number): number =>
  quantile(values, share) ?? Infinity;

/**
 * Compares a quantile over all slices. Slices follow each other in turns, so that what else the machine does hits both
 * alike; by how much they differ among themselves shows in the interval.
 */
export function pooledTimes(pairs: readonly SlicePair[], part: number): PooledTimes {
  const of = (chosen: readonly SlicePair[]): number => {
    const at = (side: keyof SlicePair): number =>
      quantileOrInfinity(
        chosen.flatMap((pair) => pair[side]),
        part,
      );
    return at("attacked") / at("dummy");
  };
  const next = numbers();
  const resampled = Array.from({ length: RESAMPLED }, () =>
    of(pairs.map(() => pairs[Math.floor(next() * pairs.length)]!)),
  );
  return { times: of(pairs), least: quantileOrInfinity(resampled, 0.05), most: quantileOrInfinity(resampled, 0.95) };
}

/** The same ones each time, from 0 to 1: figures that are worked out again are the same. */
function numbers(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
