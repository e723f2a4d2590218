const listeners = new Map<string, Set<(event: KeyboardEvent) => void>>();

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const { target } = event;
  const writing =
    target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
  // While someone is writing, keys mean letters; Escape leaves the field.
  if (writing) {
    if (event.key === "Escape") target.blur();
    return;
  }
  // Buttons and links have Enter for themselves.
  if (event.key === "Enter" && target instanceof HTMLElement && target.closest("button, a, summary") !== null) return;
  listeners.get(event.key)?.forEach((listener) => listener(event));
});

/** Calls back for a key, unless a person is writing. @returns how to stop that */
export function onKey(key: string, listener: (event: KeyboardEvent) => void): () => void {
  const all = listeners.get(key) ?? new Set();
  listeners.set(key, all.add(listener));
  return () => void all.delete(listener);
}
