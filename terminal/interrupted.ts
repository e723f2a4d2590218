/** The exit code of a program that was interrupted, as shells have it: 128 and the number of SIGINT. */
export const INTERRUPTED = 130;

/**
 * Takes Ctrl-C, SIGTERM, and the end of the terminal: the first one aborts `signal` and resolves `wait`, so that the
 * program stops in order. A second Ctrl-C ends it at once.
 */
export function interrupted(): { readonly signal: AbortSignal; readonly wait: Promise<void> } {
  const controller = new AbortController();
  const wait = new Promise<void>((resolve) =>
    controller.signal.addEventListener("abort", () => resolve(), { once: true }),
  );
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  process.on("SIGHUP", () => {
    // Nobody reads any more what is still said.
    for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
    controller.abort();
  });
  return { signal: controller.signal, wait };
}
