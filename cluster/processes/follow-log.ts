import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { visible } from "../../terminal/visible.js";

/**
 * Shows the end of a log, and what comes to it, also when it begins anew: until the signal. What others wrote into it
 * is made visible, so that it tells the terminal nothing.
 *
 * @param lines - how many of those that are there
 * @param show - takes a line
 */
export async function followLog(
  file: string,
  lines: number,
  signal: AbortSignal,
  show: (line: string) => void,
): Promise<void> {
  const tail = spawn("tail", ["-n", String(lines), "-F", file], { stdio: ["ignore", "pipe", "ignore"] });
  const ended = new Promise<void>((resolve, reject) => {
    tail.once("error", (cause) => reject(new Error(`tail can't be started: ${cause.message}`, { cause })));
    tail.once("close", () => resolve());
  });
  const end = (): void => void tail.kill();
  signal.addEventListener("abort", end, { once: true });
  createInterface({ input: tail.stdout }).on("line", (line) => show(visible(line)));
  try {
    await ended;
  } finally {
    signal.removeEventListener("abort", end);
  }
}
