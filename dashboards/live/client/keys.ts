import { useLayoutEffect } from "preact/hooks";

type Listener = (event: KeyboardEvent) => void;

const listeners = new Map<string, Set<Listener>>();

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

/**
 * Calls back for keys, unless a person is writing. What a key does goes with what is drawn: as a layout effect, it is
 * there before the next key can be pressed. (An effect comes after the painting: of two keys in a row the second would
 * meet what the first has replaced.)
 */
export function useKeys(bindings: Readonly<Record<string, Listener>>): void {
  useLayoutEffect(() => {
    for (const [key, listener] of Object.entries(bindings))
      listeners.set(key, (listeners.get(key) ?? new Set()).add(listener));
    return () => {
      for (const [key, listener] of Object.entries(bindings)) listeners.get(key)?.delete(listener);
    };
  });
}
