import { setTimeout as delay } from "node:timers/promises";

/**
 * Waits until a condition holds.
 *
 * @param what - completes "waited 60 s for …"
 * @param condition - a falsy result means "not yet"; its truthy result is returned. What it throws counts as "not yet"
 *   too
 * @throws Error that says what was awaited, how long, and what the last attempt threw
 */
export async function poll<T>(
  what: string,
  condition: () => T | Promise<T>,
  { timeoutMs, intervalMs = 100, signal }: { timeoutMs: number; intervalMs?: number; signal?: AbortSignal | undefined },
): Promise<Exclude<T, false | undefined | null | 0 | "">> {
  const end = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    signal?.throwIfAborted();
    try {
      const result = await condition();
      if (result) return result as Exclude<T, false | undefined | null | 0 | "">;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() >= end)
      throw new Error(
        `waited ${Math.round(timeoutMs / 1000)} s for ${what}${last instanceof Error ? `; the last attempt: ${last.message}` : ""}`,
        { cause: last },
      );
    await delay(intervalMs, undefined, { signal });
  }
}
