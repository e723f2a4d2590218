/** An error as evidence may hold it: its message alone, for a stack differs between machines. */
export function errorText(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}
