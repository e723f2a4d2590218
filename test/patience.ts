/**
 * How long a test waits for anything that must come, in milliseconds. A long limit costs nothing when it comes sooner;
 * a machine may be four times slower than any of ours.
 */
export const PATIENCE_MS = 300_000;
