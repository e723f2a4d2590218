import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { poll } from "../../process/poll.js";
import { amongOthers } from "../../process/priority.js";
import { identify, isAlive, type ProcessIdentity, signalProcess } from "../../process/process-identity.js";
import { type ClusterSettings, type Part, SERVERS } from "../settings.js";
import { earlierLog } from "./bounded-log.js";

const STOP_LIMIT_MS = 8_000;
const KILL_LIMIT_MS = 5_000;

/** The supervisor has an identity file too, so that no two work on one data folder. */
export type Owner = Part | "supervisor";

/** Where it all is. */
type Folder = Pick<ClusterSettings, "dataDir">;

export const logFile = ({ dataDir }: Folder, part: Owner): string => join(dataDir, "logs", `${part}.log`);
const identityFile = ({ dataDir }: Folder, owner: Owner): string => join(dataDir, "pids", `${owner}.json`);

/** The running process that was last recorded for a part; `undefined` when it is gone. */
export function recorded(settings: Folder, owner: Owner): ProcessIdentity | undefined {
  try {
    const identity = JSON.parse(readFileSync(identityFile(settings, owner), "utf8")) as ProcessIdentity;
    return isAlive(identity) ? identity : undefined;
  } catch {
    return undefined;
  }
}

export function record(settings: ClusterSettings, owner: Owner, pid: number): ProcessIdentity {
  const identity = identify(pid);
  if (identity === undefined) throw new Error(`process ${pid} (${owner}) ended at once`);
  mkdirSync(join(settings.dataDir, "pids"), { recursive: true });
  // Renamed into place: a reader never sees half a file.
  writeFileSync(`${identityFile(settings, owner)}.new`, JSON.stringify(identity));
  renameSync(`${identityFile(settings, owner)}.new`, identityFile(settings, owner));
  return identity;
}

export function forget(settings: ClusterSettings, owner: Owner): void {
  rmSync(identityFile(settings, owner), { force: true });
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A part's running process. */
export interface ManagedProcess {
  readonly identity: ProcessIdentity;
  readonly startedAtMs: number;
  readonly exited: Promise<Exit>;
}

/**
 * Starts a part's program with its output in the part's log, and records it. In its own process group, so that
 * Ctrl-C in the terminal reaches the supervisor alone, which then stops the parts in order.
 *
 * @param env - the whole environment
 */
export function start(
  settings: ClusterSettings,
  part: Part,
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<ManagedProcess> {
  const log = logFile(settings, part);
  mkdirSync(join(settings.dataDir, "logs"), { recursive: true });
  const output = openSync(log, "a");
  const child: ChildProcess = spawn(command, args, {
    detached: true,
    stdio: ["ignore", output, output],
    env,
    cwd: settings.dataDir,
  });
  closeSync(output);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("spawn", () => {
      amongOthers(child.pid!);
      const exited = new Promise<Exit>((settle) => child.once("exit", (code, signal) => settle({ code, signal })));
      try {
        resolve({ identity: record(settings, part, child.pid!), startedAtMs: Date.now(), exited });
      } catch (error) {
        // One that is not recorded would never be found again, and keep its ports.
        child.kill("SIGKILL");
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}

/** Puts the log of the run before aside as `<part>.log.1`; of a long one, its end. */
export function rotateLog(settings: ClusterSettings, part: Owner): void {
  const log = logFile(settings, part);
  rmSync(earlierLog(log), { force: true });
  if (existsSync(log)) renameSync(log, `${log}.1`);
}

/** The last lines of a part's log. */
export function lastLines(settings: ClusterSettings, part: Owner, count = 15): string[] {
  try {
    return readFileSync(logFile(settings, part), "utf8").trimEnd().split("\n").slice(-count);
  } catch {
    return [];
  }
}

/** The same for people, with where there is more. */
export const endOfLog = (settings: ClusterSettings, part: Owner): string =>
  `The end of ${logFile(settings, part)}:\n${lastLines(settings, part).join("\n")}`;

/** Asks a process to end, and kills it after a limit. */
export async function stopProcess(identity: ProcessIdentity, what: string, limitMs = STOP_LIMIT_MS): Promise<void> {
  if (!signalProcess(identity, "SIGTERM")) return;
  // A stopped process (SIGSTOP) hears nothing until it goes on.
  signalProcess(identity, "SIGCONT");
  try {
    await poll(`${what} to end`, () => !isAlive(identity), { timeoutMs: limitMs, intervalMs: 50 });
  } catch {
    signalProcess(identity, "SIGKILL");
    await poll(`${what} to be gone after SIGKILL`, () => !isAlive(identity), {
      timeoutMs: KILL_LIMIT_MS,
      intervalMs: 50,
    });
  }
}

/** Every recorded part that runs. */
export const recordedParts = (settings: Folder): ReadonlyMap<Part, ProcessIdentity> =>
  new Map(
    STOP_ORDER.flat().flatMap((part) => {
      const identity = recorded(settings, part);
      return identity === undefined ? [] : [[part, identity] as const];
    }),
  );

/** Stops parts, the ones that depend on others first. */
export async function stopParts(
  identityOf: (part: Part) => ProcessIdentity | undefined,
  onStopped: (part: Part) => void = () => undefined,
): Promise<void> {
  for (const group of STOP_ORDER) {
    await Promise.all(
      group.map(async (part) => {
        const identity = identityOf(part);
        if (identity !== undefined) await stopProcess(identity, part);
        onStopped(part);
      }),
    );
  }
}

/** Stops every recorded part. */
export const stopRecorded = (settings: ClusterSettings): Promise<void> =>
  stopParts(
    (part) => recorded(settings, part),
    (part) => forget(settings, part),
  );

/** Flink first, while ZooKeeper and the object store still answer it; then what it stood on. */
const STOP_ORDER: readonly (readonly Part[])[] = [
  ["taskmanager", "jobmanager"],
  SERVERS,
  ["zookeeper", "kafka", "minio"],
];
