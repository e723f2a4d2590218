const MAX_INT64 = 2n ** 63n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;
const MAX_UINT32 = 2 ** 32 - 1;

// A sum that does not fit its field would fail the whole call, and fail again at every retry: it stays at the
// greatest value instead.

/** Keeps a non-negative sum within an int64 field. */
export const saturateSum = (value: bigint): bigint => (value > MAX_INT64 ? MAX_INT64 : value);
/** Keeps a non-negative value within a uint64 field. */
export const saturateUnsigned = (value: bigint): bigint => (value > MAX_UINT64 ? MAX_UINT64 : value);
/** Keeps a count within 0 and a uint32 field's maximum. */
export const saturateCount = (value: number): number => Math.min(Math.max(value, 0), MAX_UINT32);

export const maxTime = (a: bigint, b: bigint): bigint => (a > b ? a : b);
