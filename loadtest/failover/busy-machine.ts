import { availableParallelism } from "node:os";

import { processUsage } from "../../process/process-usage.js";
import { type StartedProgram, startSpinner } from "../../process/run-command.js";

/** The share of this machine's processors for the competing programs. */
const SHARE = 0.5;
const ADJUST_MS = 2_000;
/** The most programs: if even these do not get their share, it stays at that. */
const MOST_FOR_EACH_PROCESSOR = 8;

/** Programs that compete with the cluster for processors. */
export interface BusyMachine {
  /** Their process ids. */
  pids(): readonly number[];
  /** The share of this machine's processors that they have had so far. */
  share(): number;
  /** Ends them. */
  stop(): Promise<void>;
}

/**
 * Starts programs that never rest, at the same priority as the cluster, as many as it takes to use half of this
 * machine's processors. How many that is depends on how much the cluster wants: the system divides by threads, so
 * beside five that want to run, one gets a sixth. So one is started or ended every other second. A cgroup would be
 * steadier, but macOS has none, and many containers have none that may be changed.
 */
export function keepMachineBusy(): BusyMachine {
  const processors = availableParallelism();
  const programs: { readonly program: StartedProgram; usedSeconds: number }[] = [];
  const beganMs = Date.now();
  let usedSeconds = 0;
  let lastMs = beganMs;
  let lastSeconds = 0;
  const start = (): void => {
    const program = startSpinner();
    // It is ended by our signal: that is not a failure.
    program.finished.catch(() => undefined);
    programs.push({ program, usedSeconds: 0 });
  };
  const measure = (): number => {
    const usage = new Map(
      processUsage((pid) => programs.some(({ program }) => program.pid === pid)).map(({ pid, cpuSeconds }) => [
        pid,
        cpuSeconds,
      ]),
    );
    for (const one of programs) {
      const now = usage.get(one.program.pid) ?? one.usedSeconds;
      usedSeconds += now - one.usedSeconds;
      one.usedSeconds = now;
    }
    return usedSeconds;
  };
  const shareOf = (seconds: number, sinceMs: number): number =>
    seconds / ((Math.max(1, Date.now() - sinceMs) / 1000) * processors);
  const adjust = (): void => {
    const seconds = measure();
    const share = shareOf(seconds - lastSeconds, lastMs);
    lastMs = Date.now();
    lastSeconds = seconds;
    if (share < 0.9 * SHARE && programs.length < MOST_FOR_EACH_PROCESSOR * processors) start();
    else if (share > 1.1 * SHARE && programs.length > 1) programs.pop()!.program.kill("SIGKILL");
  };
  for (let n = 0; n < Math.ceil(processors * SHARE); n++) start();
  const timer = setInterval(adjust, ADJUST_MS);
  return {
    pids: () => programs.map(({ program }) => program.pid),
    share: () => shareOf(measure(), beganMs),
    async stop() {
      clearInterval(timer);
      for (const { program } of programs) program.kill("SIGKILL");
      await Promise.all(programs.map(({ program }) => program.finished));
      programs.length = 0;
    },
  };
}
