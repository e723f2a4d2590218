import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { constants } from "node:os";
import type { Readable } from "node:stream";

import { childEnv } from "./environment.js";
import { amongOthers } from "./priority.js";
import { REPOSITORY_ROOT } from "./repository-root.js";

const END_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * A signal that asks this process to end is meant for what it runs too: it is handed on to the program and all that it
 * has started, and this process ends when the program has. The program must be `detached`, or a terminal's Ctrl-C would
 * reach it twice, which some programs take to mean "at once, and leave everything".
 */
function endTogether(child: ChildProcess): void {
  let received: (typeof END_SIGNALS)[number] | undefined;
  const handOn = (signal: (typeof END_SIGNALS)[number]): void => {
    received = signal;
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // It has ended.
    }
  };
  for (const signal of END_SIGNALS) process.on(signal, handOn);
  child.once("close", () => {
    for (const signal of END_SIGNALS) process.off(signal, handOn);
    if (received !== undefined) process.exit(128 + constants.signals[received]);
  });
}

/**
 * Runs a program in the repository's root, with this terminal's output; resolves to its exit code. A signal to end is
 * handed on to it.
 */
export function runCommand(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: REPOSITORY_ROOT,
      stdio: ["ignore", "inherit", "inherit"],
      env: childEnv(env),
      detached: true,
    });
    endTogether(child);
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}

/**
 * Runs a program without a terminal; resolves to its exit code and all that it printed. A signal to end is handed on to
 * it.
 */
export function runQuietly(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = childEnv(),
): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: REPOSITORY_ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      env,
      detached: true,
    });
    endTogether(child);
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

/** What a program printed and how it ended. */
export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program without a terminal, to be watched, signalled and waited for. */
export interface StartedProgram {
  readonly pid: number;
  /** What it has printed so far. */
  readonly output: () => string;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly finished: Promise<Finished>;
}

/** Starts a program in the repository's root. @param env - the whole environment */
export function startProgram(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = childEnv(),
): StartedProgram {
  const child = spawn(command, args, { cwd: REPOSITORY_ROOT, stdio: ["ignore", "pipe", "pipe"], env });
  if (child.pid !== undefined) amongOthers(child.pid);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { pid: child.pid!, output: () => stdout + stderr, kill: (signal) => void child.kill(signal), finished };
}

/** A command of this repository, for tests and for other programs of it: `node run.mjs <args>`. */
export const startOwnCommand = (args: readonly string[], env: NodeJS.ProcessEnv = childEnv()): StartedProgram =>
  startProgram(process.execPath, ["run.mjs", ...args], env);

/**
 * Starts a program that uses a whole processor for as long as it runs, if others let it; it ends with this process.
 */
export const startSpinner = (): StartedProgram => startProgram(process.execPath, ["process/spinner.mjs"]);

/** Runs a TypeScript module of this repository in its own process; its standard output is the caller's to read. */
export function startModule(
  module: string,
  env: Readonly<Record<string, string>>,
): ChildProcessByStdio<null, Readable, null> & { readonly pid: number } {
  const child = spawn(process.execPath, ["--import", "tsx", module], {
    cwd: REPOSITORY_ROOT,
    stdio: ["ignore", "pipe", "inherit"],
    env: childEnv(env),
  });
  if (child.pid === undefined) throw new Error(`${module} could not be started`);
  return child as typeof child & { readonly pid: number };
}

/**
 * A TypeScript module of this repository in its own process, which exchanges messages with this one. Only this one
 * stops it: it should ignore SIGINT.
 */
export interface TalkingModule {
  readonly pid: number;
  send(message: object): void;
  readonly ended: Promise<number | null>;
  kill(): void;
}

/** @param onMessage - takes what the module sends by `process.send` */
export function startTalkingModule(
  module: string,
  env: Readonly<Record<string, string>>,
  onMessage: (message: unknown) => void,
): TalkingModule {
  const child = spawn(process.execPath, ["--import", "tsx", module], {
    cwd: REPOSITORY_ROOT,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: childEnv(env),
  });
  if (child.pid === undefined) throw new Error(`${module} could not be started`);
  child.on("message", onMessage);
  // It may end while it is being sent something.
  child.on("error", () => undefined);
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return {
    pid: child.pid,
    send: (message) => void (child.connected && child.send(message)),
    ended,
    kill: () => void child.kill("SIGKILL"),
  };
}
