/**
 * Waits for all, then throws the first failure, so that nothing is still starting while everything is being stopped.
 */
export async function settled<T extends readonly Promise<unknown>[]>(
  ...work: T
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(work);
  return await Promise.all(work);
}
