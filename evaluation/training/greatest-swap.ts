/**
 * By how much two of `theirs` differ at most that `ours` puts into the other order; 0 when none are. What one of them
 * has equal, the other may have in any order.
 */
export function greatestSwap(theirs: Float64Array, ours: Float64Array): number {
  const order = Uint32Array.from(theirs, (_, at) => at).sort((a, b) => theirs[a]! - theirs[b]!);
  /** The places in the order where `ours` is greater than everywhere before. */
  const peaks: number[] = [];
  let greatest = 0;
  for (const at of order) {
    const own = ours[at]!;
    if (peaks.length === 0 || own > ours[peaks.at(-1)!]!) {
      peaks.push(at);
      continue;
    }
    // The first that is above it: of all that stand before and should not, the farthest.
    let low = 0;
    let high = peaks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ours[peaks[middle]!]! > own) high = middle;
      else low = middle + 1;
    }
    if (low < peaks.length) greatest = Math.max(greatest, theirs[at]! - theirs[peaks[low]!]!);
  }
  return greatest;
}
