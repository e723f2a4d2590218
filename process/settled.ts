/** Waits for all, then throws the first failure: nothing may still be starting while everything is stopped. */
export async function settled<T extends readonly Promise<unknown>[]>(
  ...work: T
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(work);
  return await Promise.all(work);
}
