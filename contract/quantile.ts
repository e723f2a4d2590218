/**
 * The nearest-rank quantile, the one way in which p50s and p99s of many are made here, so that any two can be compared:
 * the least of the values that so large a share is not above.
 *
 * @param values - in any order
 * @param share - from 0 to 1
 * @returns `undefined` without values
 */
export const quantile = (values: readonly number[] | Float64Array, share: number): number | undefined =>
  quantileOfSorted(Float64Array.from(values).sort(), share);

/** The same of values that are in order, for whoever wants several. */
export const quantileOfSorted = (sorted: Float64Array, share: number): number | undefined =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
