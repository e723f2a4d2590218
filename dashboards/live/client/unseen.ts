/**
 * What is not there yet. What a page was loaded with and what the stream then brings may overlap: the server gathers
 * changes for a quarter of a second before it sends them.
 *
 * @param newest - the newest that is there, if any
 * @param order - a number that grows from one to the next
 */
export function unseen<T>(newest: T | undefined, came: readonly T[], order: (one: T) => number): T[] {
  return newest === undefined ? [...came] : came.filter((one) => order(one) > order(newest));
}
