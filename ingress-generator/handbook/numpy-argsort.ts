/** numpy sorts so few by insertion. */
const FEW = 16;

/**
 * The order of the values, ascending: where the first one stands, the second one, and so on. By numpy's quicksort, step
 * by step, because it decides the order of equal values. (numpy goes over to a heap sort when quicksort goes wrong,
 * which it does not on what is sorted here.)
 */
export function numpyArgsort(values: Uint32Array): Uint32Array {
  const order = Uint32Array.from(values, (_, at) => at);
  const valueAt = (at: number): number => values[order[at]!]!;
  const swap = (a: number, b: number): void => {
    const kept = order[a]!;
    order[a] = order[b]!;
    order[b] = kept;
  };
  const waiting = [{ left: 0, right: order.length - 1 }];
  for (let range = waiting.pop(); range !== undefined; range = waiting.pop()) {
    let { left, right } = range;
    while (right - left + 1 > FEW) {
      // The median of three becomes the pivot, and stands second to last.
      const middle = left + ((right - left) >> 1);
      if (valueAt(middle) < valueAt(left)) swap(middle, left);
      if (valueAt(right) < valueAt(middle)) swap(right, middle);
      if (valueAt(middle) < valueAt(left)) swap(middle, left);
      const pivot = valueAt(middle);
      swap(middle, right - 1);
      let up = left;
      let down = right - 1;
      for (;;) {
        do up++;
        while (valueAt(up) < pivot);
        do down--;
        while (pivot < valueAt(down));
        if (up >= down) break;
        swap(up, down);
      }
      swap(up, right - 1);
      // The larger part waits.
      if (up - left < right - up) {
        waiting.push({ left: up + 1, right });
        right = up - 1;
      } else {
        waiting.push({ left, right: up - 1 });
        left = up + 1;
      }
    }
    for (let at = left + 1; at <= right; at++) {
      const moved = order[at]!;
      const value = values[moved]!;
      let to = at;
      for (; to > left && value < valueAt(to - 1); to--) order[to] = order[to - 1]!;
      order[to] = moved;
    }
  }
  return order;
}
