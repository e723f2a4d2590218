import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

import { type ClusterStatus, clusterStatus } from "./control.js";
import { flinkClient } from "./flink.js";
import { partProgram } from "./parts/index.js";
import { type Exit, forget, lastLines, logFile, type ManagedProcess, recorded, start, stopProcess, stopRecorded } from "./managed-process.js";
import { waitHealthy } from "./health.js";
import { savepointFolder, savepointIn } from "./object-store.js";
import { poll } from "./poll.js";
import { isAlive, signalProcess } from "./process-identity.js";
import type { RunningCluster } from "./running-cluster.js";
import { settled } from "./settled.js";
import type { ClusterSettings, Part } from "./settings.js";
import { UserError } from "./user-error.js";

const FLINK: readonly Part[] = ["taskmanager", "jobmanager"];
const GIVE_UP_DEATHS = 5;
const GIVE_UP_WINDOW_MS = 60_000;
const CLEARED_LIMIT_MS = 60_000;
const RESTORE_LIMIT_MS = 60_000;
const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 4_000;

/** What happens to parts while the cluster runs. */
export type ClusterEvent =
  | { readonly kind: "died"; readonly part: Part; readonly exit: Exit; readonly lastLines: readonly string[] }
  | { readonly kind: "restarted"; readonly part: Part }
  /** It died too often: it stays down. */
  | { readonly kind: "gave-up"; readonly part: Part; readonly reason: string };

/**
 * The processes of a running cluster, supervised: one that dies is reported and, if wanted, started again.
 * {@link startCluster} makes it.
 */
export class Cluster implements RunningCluster {
  #settings: ClusterSettings;
  readonly #restart: boolean;
  readonly #onEvent: (event: ClusterEvent) => void;
  readonly #unlock: () => void;
  readonly #deaths = new Map<Part, number[]>();
  /** Killed on purpose: no sign that a part cannot live. */
  readonly #killed = new Set<Part>();
  /** The process that is each part now. */
  readonly #current = new Map<Part, ManagedProcess>();
  /** To stay down when they end. */
  readonly #held = new Set<Part>();
  /** Ends waiting for a next start. */
  readonly #end = new AbortController();
  #stopped: Promise<void> | undefined;

  constructor(settings: ClusterSettings, options: { restart: boolean; onEvent: (event: ClusterEvent) => void; unlock: () => void }) {
    this.#settings = settings;
    this.#restart = options.restart;
    this.#onEvent = options.onEvent;
    this.#unlock = options.unlock;
  }

  get settings(): ClusterSettings {
    return this.#settings;
  }

  /** Starts a part and resolves when it answers. @throws {UserError} with the last lines of its log */
  async startPart(part: Part, signal?: AbortSignal): Promise<void> {
    const process = await this.#spawn(part);
    const exit = await waitHealthy(part, this.#settings, process, signal);
    if (exit !== undefined) throw new UserError(`${part} ended while it was started (${describe(exit)}). The end of ${logFile(this.#settings, part)}:\n${lastLines(this.#settings, part).join("\n")}`);
    this.#watch(part, process);
  }

  /** Sends a signal to a part's process. @throws {UserError} when it does not run */
  kill(part: Part, signal: NodeJS.Signals = "SIGKILL"): void {
    killPart(this.#settings, part, signal);
    if (signal === "SIGKILL") this.#killed.add(part);
  }

  status(): Promise<ClusterStatus> {
    return clusterStatus(this.#settings);
  }

  log(part: Part): Promise<string> {
    return readFile(logFile(this.#settings, part), "utf8");
  }

  /** Keeps a part down when it ends, until {@link release}. */
  hold(part: Part): void {
    this.#held.add(part);
  }

  /** Watches over a part again, and starts it if it has ended. */
  async release(part: Part): Promise<void> {
    this.#held.delete(part);
    if (recorded(this.#settings, part) !== undefined) return;
    const process = await this.#spawn(part);
    this.#watch(part, process);
    this.#onEvent({ kind: "restarted", part });
  }

  /**
   * Stops the Flink job with a savepoint, and starts it from there as these settings want it: another module, another
   * parallelism. Resolves when JobManager and TaskManager answer.
   *
   * @throws {UserError} when the savepoint fails: the job goes on then; or when it was started from anything else
   */
  async restartFlink(changes: Pick<Partial<ClusterSettings>, "application" | "parallelism">): Promise<void> {
    // The JobManager ends with its job.
    for (const part of FLINK) this.hold(part);
    const jobManager = this.#current.get("jobmanager");
    const folder = savepointFolder(this.#settings, `restart-${Date.now()}`);
    const savepoint = await flinkClient(this.#settings)
      .stopWithSavepoint(folder, () => savepointIn(this.#settings, folder))
      .catch(async (error: unknown) => {
        const ended = recorded(this.#settings, "jobmanager") === undefined ? await jobManager?.exited : undefined;
        // It ended in order, with its job: started as it was before, it would begin at an older savepoint, or at nothing.
        if (ended?.code === 0) throw new UserError(`the job ended, but its savepoint is not in ${folder}. See the JobManager's log. Start over with: npm run cluster -- down --name ${this.#settings.name} --wipe`, { cause: error });
        for (const part of FLINK) await this.release(part);
        throw error;
      });
    await this.#endedByItself("jobmanager");
    await Promise.all(
      FLINK.map(async (part) => {
        const identity = recorded(this.#settings, part);
        if (identity !== undefined) await stopProcess(identity, part);
        this.#current.delete(part);
      }),
    );
    this.#settings = { ...this.#settings, ...changes, savepoint };
    for (const part of FLINK) this.#held.delete(part);
    await settled(...FLINK.map((part) => this.startPart(part, this.#end.signal)));
    const restored = await flinkClient(this.#settings).restoredFrom(RESTORE_LIMIT_MS, this.#end.signal);
    if (restored !== savepoint) throw new UserError(`the job went on from ${restored}, not from its savepoint ${savepoint}: what was decided between them is decided again. Start over with: npm run cluster -- down --name ${this.#settings.name} --wipe`);
  }

  /**
   * A JobManager ends with its job, and before it ends it clears away what ZooKeeper holds of the job's checkpoints. One that is stopped
   * on the way leaves some, perhaps old ones: the next start would prefer those to any savepoint.
   */
  async #endedByItself(part: Part): Promise<void> {
    const identity = recorded(this.#settings, part);
    if (identity === undefined) return;
    await poll(`${part} to end with its job`, () => !isAlive(identity), { timeoutMs: CLEARED_LIMIT_MS, intervalMs: 50, signal: this.#end.signal });
  }

  /** Stops every part in order; once, however often it is called. */
  stop(): Promise<void> {
    this.#stopped ??= (async () => {
      this.#end.abort();
      await stopRecorded(this.#settings);
      this.#unlock();
    })();
    return this.#stopped;
  }

  async #spawn(part: Part): Promise<ManagedProcess> {
    const program = partProgram(part, this.#settings);
    program.prepare();
    const process = await start(this.#settings, part, program.command, program.args, program.env);
    this.#current.set(part, process);
    return process;
  }

  #watch(part: Part, process: ManagedProcess): void {
    void process.exited.then((exit) => this.#onExit(part, process, exit));
  }

  async #onExit(part: Part, ended: ManagedProcess, exit: Exit): Promise<void> {
    // The news of an end may come after another process has taken its place.
    if (this.#end.signal.aborted || this.#current.get(part) !== ended) return;
    forget(this.#settings, part);
    this.#onEvent({ kind: "died", part, exit, lastLines: lastLines(this.#settings, part) });
    if (!this.#restart || this.#held.has(part)) return;
    const now = Date.now();
    const deaths = [...(this.#deaths.get(part) ?? []), ...(this.#killed.delete(part) ? [] : [now])].filter((at) => at > now - GIVE_UP_WINDOW_MS);
    this.#deaths.set(part, deaths);
    if (deaths.length >= GIVE_UP_DEATHS) {
      this.#onEvent({ kind: "gave-up", part, reason: `it died ${deaths.length} times within a minute` });
      return;
    }
    try {
      await delay(Math.min(FIRST_BACKOFF_MS * 2 ** Math.max(0, deaths.length - 1), MAX_BACKOFF_MS), undefined, { signal: this.#end.signal });
      const process = await this.#spawn(part);
      this.#watch(part, process);
      // It may have been started in the moment in which everything else was stopped.
      if (this.#end.signal.aborted) signalProcess(process.identity, "SIGKILL");
      else this.#onEvent({ kind: "restarted", part });
    } catch (error) {
      if (!this.#end.signal.aborted) this.#onEvent({ kind: "gave-up", part, reason: error instanceof Error ? error.message : String(error) });
    }
  }
}

/** Sends a signal to a part's process, whoever supervises it. @throws {UserError} when it does not run */
export function killPart(settings: ClusterSettings, part: Part, signal: NodeJS.Signals): void {
  const identity = recorded(settings, part);
  if (identity === undefined || !signalProcess(identity, signal)) throw new UserError(`${part} of the cluster "${settings.name}" does not run. See: npm run cluster -- status --name ${settings.name}`);
}

/** How a process ended, in words. */
export function describe({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code}` : `killed by ${signal}`;
}
