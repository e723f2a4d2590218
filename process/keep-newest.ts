/** Forgets the oldest entry of a map that has one too many: call it after adding one. */
export function keepNewest<K>(entries: Map<K, unknown>, limit: number): void {
  if (entries.size > limit) entries.delete(entries.keys().next().value!);
}
