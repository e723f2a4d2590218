import { z } from "zod";

import { given } from "./environment.js";

/** An integer, and what it is when it is not set. */
export const integer = (otherwise: number, min: number, max: number) =>
  z.coerce.number().int().min(min).max(max).default(otherwise);

/** `HOST` and `PORT`: where a server listens. @param port - by default; on loopback, by default too */
export const listening = (port: number) => ({
  HOST: z.string().default("127.0.0.1"),
  PORT: integer(port, 0, 65_535),
});

/**
 * What a server is told by its environment; an empty variable counts as one that is not set.
 *
 * @throws Error that names each variable that is wrong
 */
export function fromEnvironment<T>(schema: z.ZodType<T>, env: NodeJS.ProcessEnv = process.env): T {
  const parsed = schema.safeParse(given(env));
  if (!parsed.success)
    throw new Error(parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "));
  return parsed.data;
}

/**
 * Runs a server's program; one that cannot start says why in a line, and ends the process.
 *
 * @param what - it is, for people
 */
export async function runServer(what: string, main: () => void | Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`error: ${what} cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

/** How a server stops. */
export interface Stopping {
  /** Lets nothing new in, and resolves when what was under way is done. */
  readonly stop: () => Promise<void>;
  /** It ends then, done or not. In ms. */
  readonly limitMs: number;
  /** Whether what is not done by then is lost to somebody: the process ends with 1. Default: it is not. */
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
