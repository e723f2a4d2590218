/** Where each map's oldest entry is looked for: all before it is gone. */
const oldest = new WeakMap<object, Iterator<unknown>>();

/**
 * Forgets the oldest entry of a map that has one too many: call it after adding one.
 *
 * @returns the value that it has forgotten
 */
export function keepNewest<K, V>(entries: Map<K, V>, limit: number): V | undefined {
  if (entries.size <= limit) return undefined;
  // A new iterator would step over all places that were left since the map was last made anew: tens of thousands, each
  // time.
  let all = oldest.get(entries) as Iterator<[K, V], undefined> | undefined;
  if (all === undefined) oldest.set(entries, (all = entries.entries()));
  // There is one, as there are too many; so the iterator never comes to an end.
  const [key, value] = all.next().value!;
  entries.delete(key);
  return value;
}
