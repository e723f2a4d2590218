import { z } from "zod";

import { given } from "./environment.js";
import { surviveFullDisk } from "./full-disk.js";

/** An integer, with its default. */
export const integer = (otherwise: number, min: number, max: number) =>
  z.coerce.number().int().min(min).max(max).default(otherwise);

/** `HOST` and `PORT`: where a server listens, by default on loopback. @param port - the default port */
export const listening = (port: number) => ({
  HOST: z.string().default("127.0.0.1"),
  PORT: integer(port, 0, 65_535),
});

/**
 * What the environment tells a server; an empty variable counts as not set.
 *
 * @throws Error that names each wrong variable
 */
export function fromEnvironment<T>(schema: z.ZodType<T>, env: NodeJS.ProcessEnv = process.env): T {
  const parsed = schema.safeParse(given(env));
  if (!parsed.success)
    throw new Error(parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "));
  return parsed.data;
}

/**
 * Runs a server's program; if it cannot start, it says why in one line and ends the process. A full disk below its log
 * does not end it.
 *
 * @param what - what it is, for people
 */
export async function runServer(what: string, main: () => void | Promise<void>): Promise<void> {
  surviveFullDisk();
  try {
    await main();
  } catch (error) {
    process.stderr.write(`error: ${what} cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

/** How a server stops. */
export interface Stopping {
  /** Lets nothing new in, and resolves when all that was under way is done. */
  readonly stop: () => Promise<void>;
  /** After this the process ends, done or not. In ms. */
  readonly limitMs: number;
  /**
   * Called when that limit passes, if unfinished work is then lost to someone: the process exits with 1. Without it,
   * with 0.
   */
  readonly late?: () => void;
  /** For specs. */
  readonly exit?: (code: number) => void;
}

/** Stops a server at the first SIGTERM or SIGINT, and ends the process; further ones change nothing. */
export function stopOnSignal({ stop, limitMs, late, exit = (code) => process.exit(code) }: Stopping): void {
  let stopping = false;
  const onSignal = (): void => {
    if (stopping) return;
    stopping = true;
    const timer = setTimeout(() => {
      late?.();
      exit(late === undefined ? 0 : 1);
    }, limitMs);
    timer.unref();
    void stop().then(() => {
      clearTimeout(timer);
      exit(0);
    });
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, onSignal);
}
