import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

import { childEnv } from "../process/environment.js";
import { poll } from "../process/poll.js";
import { isAlive, type ProcessIdentity, signalProcess } from "../process/process-identity.js";
import { settled } from "../process/settled.js";
import { UserError } from "../terminal/user-error.js";
import { endpoints } from "./endpoints.js";
import { type ClusterStatus, clusterStatus } from "./control.js";
import { flinkClient } from "./flink-client.js";
import { partProgram } from "./parts/index.js";
import { earlierLog, keepLogsBounded } from "./processes/bounded-log.js";
import { healthOf, waitHealthy } from "./processes/health.js";
import {
  type Exit,
  forget,
  endOfLog,
  lastLines,
  logFile,
  type ManagedProcess,
  recorded,
  start,
  stopProcess,
  stopRecorded,
} from "./processes/managed-process.js";
import { KEEPS_DYING, Restarts } from "./restarts.js";
import type { RunningCluster } from "./running-cluster.js";
import { type ClusterSettings, type Part, partsOf } from "./settings.js";
import { endAbandonedTransactions } from "./state/abandoned-transactions.js";
import { startOverCommand } from "./state/guard.js";
import { removeLeftovers } from "./state/leftovers.js";
import { savepointFolder, savepointIn } from "./state/object-store.js";
import { otherParallelism } from "./state/state-at-start.js";
import { afterRestart, type StateRecord, writeStateRecord } from "./state/state-record.js";
import { countReplacement } from "./watchdog/replacements.js";
import { Watchdog } from "./watchdog/watchdog.js";

const FLINK: readonly Part[] = ["taskmanager", "jobmanager"];
const CLEARED_LIMIT_MS = 60_000;
const RESTORE_LIMIT_MS = 60_000;
/** The exit code of a JobManager that must not start the job: `StoresGuard.EXIT_CODE` in Java. */
const REFUSED_CODE = 78;
const MUST_NOT = "the job must not start: ";

/** What happens to parts while the cluster runs. */
export type ClusterEvent =
  | { readonly kind: "died"; readonly part: Part; readonly exit: Exit; readonly lastLines: readonly string[] }
  | { readonly kind: "restarted"; readonly part: Part }
  /** It hung, and is killed: "died" and "restarted" follow. */
  | { readonly kind: "hung"; readonly part: Part; readonly pid: number; readonly why: string }
  /** It soon ends each time, or cannot be started: it is tried again for ever, but somebody should look at it. */
  | { readonly kind: "keeps-dying"; readonly part: Part; readonly reason: string }
  /** A transaction that nobody would have ended, and that committed readers waited for, is aborted. */
  | { readonly kind: "aborted"; readonly part: "kafka"; readonly transactionalId: string; readonly startedAtMs: number }
  /** It must not start: it stays down. */
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
  readonly #restarts = new Map<Part, Restarts>();
  /** Killed on purpose: that says nothing about whether a part can run. */
  readonly #killed = new Set<Part>();
  /** The process that is each part now. */
  readonly #current = new Map<Part, ManagedProcess>();
  /** To stay down when they end. */
  readonly #held = new Set<Part>();
  /** Stopped on purpose, to go on later: they do not hang. */
  readonly #paused = new Set<ManagedProcess>();
  /** Ends waiting for a next start. */
  readonly #end = new AbortController();
  /** See {@link leaveSavepoint}. */
  #left: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;
  #refuse!: (why: UserError) => void;
  /** Rejects, with the cause, when the JobManager must not start or keeps dying. Never resolves. */
  readonly jobManagerLost = new Promise<never>((_, reject) => (this.#refuse = reject));

  constructor(
    settings: ClusterSettings,
    options: { restart: boolean; onEvent: (event: ClusterEvent) => void; unlock: () => void },
  ) {
    this.#settings = settings;
    this.#restart = options.restart;
    this.#onEvent = options.onEvent;
    this.#unlock = options.unlock;
    // Whoever waits for the job hears of it; nobody may.
    this.jobManagerLost.catch(() => undefined);
    void keepLogsBounded(() => this.#logs(), this.#end.signal);
    if (!options.restart) return;
    const watchdog = new Watchdog({
      watched: () => this.#watchedProcesses(),
      probe: (part, limitMs) => healthOf(part, this.#settings, limitMs),
      onHang: (part, process, why) => this.#replace(part, process, why),
    });
    void watchdog.run(this.#end.signal);
  }

  get settings(): ClusterSettings {
    return this.#settings;
  }

  /** Takes over what is written down of the job's state, before the job is started. */
  adoptState({ stateBackend, generation, parallelism, savepoint }: StateRecord): void {
    this.#settings = {
      ...this.#settings,
      stateBackend,
      stateGeneration: generation,
      savepoint,
      ...(parallelism !== undefined && { parallelism }),
    };
  }

  /**
   * Writes down what Flink keeps of the job that runs: its parallelism, for the next start to give it as many slots,
   * and where it has Kafka.
   *
   * @throws {UserError} when another one was asked for: no setting changes that of a job that Flink keeps
   */
  async keepJob(): Promise<void> {
    const parallelism = await flinkClient(this.#settings).parallelism();
    if (parallelism === "unreachable") return;
    if (this.#settings.parallelismAsked && parallelism !== this.#settings.parallelism)
      throw new UserError(otherParallelism(this.#settings, parallelism));
    this.#settings = { ...this.#settings, parallelism };
    await writeStateRecord(this.#settings, this.#record());
  }

  /** What is to be written down of the job as it runs. */
  #record({ savepoint }: Pick<ClusterSettings, "savepoint"> = this.#settings): StateRecord {
    const { stateBackend, stateGeneration: generation, parallelism } = this.#settings;
    return {
      stateBackend,
      generation,
      parallelism,
      kafka: endpoints(this.#settings).kafka,
      ...(savepoint !== undefined && { savepoint }),
    };
  }

  /** Starts a part and resolves when it answers. @throws {UserError} with the last lines of its log */
  async startPart(part: Part, signal?: AbortSignal): Promise<void> {
    const process = await this.#spawn(part);
    const exit = await waitHealthy(part, this.#settings, process, signal);
    if (exit !== undefined)
      throw new UserError(
        this.#refusal(part, exit) ??
          `${part} ended while it was started (${describe(exit)}). ${endOfLog(this.#settings, part)}`,
      );
    this.#watch(part, process);
  }

  /** Sends a signal to a part's process. @throws {UserError} when it does not run */
  kill(part: Part, signal: NodeJS.Signals = "SIGKILL"): void {
    killPart(this.#settings, part, signal);
    if (signal === "SIGKILL") this.#killed.add(part);
  }

  /** Stops a part's process until {@link resume}: the watchdog lets it be. @throws {UserError} when it does not run */
  pause(part: Part): void {
    const process = this.#current.get(part);
    if (process !== undefined) this.#paused.add(process);
    killPart(this.#settings, part, "SIGSTOP");
  }

  /** Lets a paused part go on. @throws {UserError} when it does not run */
  resume(part: Part): void {
    killPart(this.#settings, part, "SIGCONT");
    const process = this.#current.get(part);
    if (process !== undefined) this.#paused.delete(process);
  }

  status(): Promise<ClusterStatus> {
    return clusterStatus(this.#settings);
  }

  async log(part: Part): Promise<string> {
    const log = logFile(this.#settings, part);
    const earlier = await readFile(earlierLog(log), "utf8").catch(() => "");
    return earlier + (await readFile(log, "utf8"));
  }

  #logs(): readonly string[] {
    return [...partsOf(this.#settings), "supervisor" as const].map((owner) => logFile(this.#settings, owner));
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
   * parallelism, another state backend. Resolves when the job has its own checkpoint. Killed on the way, the next start
   * goes on from the savepoint, or as it was before if there is none.
   *
   * @throws {UserError} when the savepoint fails: the job goes on then; or when it was started from anything else
   */
  async restartFlink(
    changes: Pick<Partial<ClusterSettings>, "application" | "parallelism" | "stateBackend">,
  ): Promise<void> {
    // It writes the record too.
    await this.#left;
    const record = this.#record();
    const folder = savepointFolder(this.#settings, `restart-${Date.now()}`);
    const { stateBackend, parallelism } = { ...this.#settings, ...changes };
    const next = { stateBackend, parallelism, folder };
    await writeStateRecord(this.#settings, { ...record, next });
    for (const part of FLINK) this.hold(part);
    const failure = await flinkClient(this.#settings)
      .stopWithSavepoint(folder, () => savepointIn(this.#settings, folder), this.#end.signal)
      .then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
      );
    this.#end.signal.throwIfAborted();
    await this.#endJobManager(failure === undefined);
    const savepoint = await savepointIn(this.#settings, folder);
    const after = afterRestart({ ...record, next }, savepoint);
    await writeStateRecord(this.#settings, after);
    if (savepoint === undefined) {
      for (const part of FLINK) await this.release(part);
      throw failure ?? new UserError(`the job ended, but its savepoint is not in ${folder}. See the JobManager's log.`);
    }
    await Promise.all(
      FLINK.map(async (part) => {
        const identity = recorded(this.#settings, part);
        if (identity !== undefined) await stopProcess(identity, part);
        this.#current.delete(part);
      }),
    );
    this.#settings = { ...this.#settings, ...changes };
    this.adoptState(after);
    for (const part of FLINK) this.#held.delete(part);
    await settled(...FLINK.map((part) => this.startPart(part, this.#end.signal)));
    const restored = await flinkClient(this.#settings).restoredFrom(RESTORE_LIMIT_MS, this.#end.signal);
    if (restored !== savepoint)
      throw new UserError(
        `the job went on from ${restored}, not from its savepoint ${savepoint}: what was decided between them is decided again. Start over with: ${startOverCommand(this.#settings)}`,
      );
    void this.endAbandonedTransactions();
    await this.leaveSavepoint();
  }

  /**
   * Once the job has its own checkpoint, forgets the savepoint that it began from: should its checkpoints be lost, it
   * must not begin there once more. And removes what generations before have left; what it began from itself, the next
   * start removes. Never fails: the next start tries again.
   */
  leaveSavepoint(): Promise<void> {
    this.#left = this.#leaveSavepoint().catch(() => undefined);
    return this.#left;
  }

  /**
   * Aborts transactions on the output topics that nobody will end, once the job has completed checkpoints: what is
   * ready to be committed is committed by then. Never fails: the next start tries again.
   */
  async endAbandonedTransactions(): Promise<void> {
    await endAbandonedTransactions(
      this.#settings,
      ({ transactionalId, startedAtMs }) =>
        this.#onEvent({ kind: "aborted", part: "kafka", transactionalId, startedAtMs }),
      this.#end.signal,
    );
  }

  async #leaveSavepoint(): Promise<void> {
    await removeLeftovers(this.#settings, {
      signal: this.#end.signal,
      whenSettled: async () => {
        if (this.#settings.savepoint === undefined) return;
        await writeStateRecord(this.#settings, this.#record({ savepoint: undefined }));
        this.#settings = { ...this.#settings, savepoint: undefined };
      },
    });
  }

  /**
   * A JobManager ends with its job, and before it ends it clears away what ZooKeeper holds of the job's checkpoints.
   * After a failure it must not live on: it might still complete the savepoint, and end the job.
   */
  async #endJobManager(byItself: boolean): Promise<void> {
    const identity = recorded(this.#settings, "jobmanager");
    if (identity === undefined) return;
    const ended = () =>
      poll("the JobManager to end", () => !isAlive(identity), {
        timeoutMs: CLEARED_LIMIT_MS,
        intervalMs: 50,
        signal: this.#end.signal,
      });
    if (byItself) await ended().catch(() => this.#end.signal.throwIfAborted());
    signalProcess(identity, "SIGKILL");
    await ended();
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
    const process = await start(
      this.#settings,
      part,
      program.command,
      program.args,
      childEnv({ ...program.env, ...program.secrets?.() }, program.foreign),
    );
    this.#current.set(part, process);
    return process;
  }

  /** What hangs of these is replaced: what is held or paused is in somebody's hands. */
  #watchedProcesses(): ReadonlyMap<Part, ProcessIdentity> {
    return new Map(
      [...this.#current]
        .filter(([part, process]) => !this.#held.has(part) && !this.#paused.has(process))
        .map(([part, { identity }]) => [part, identity]),
    );
  }

  /** Ends a process that hangs; then it is started again like any that died. */
  #replace(part: Part, process: ProcessIdentity, why: string): void {
    if (this.#end.signal.aborted || !signalProcess(process, "SIGKILL")) return;
    try {
      countReplacement(this.#settings, part, why);
    } catch {
      // The disk may be full: it is replaced all the same.
    }
    this.#onEvent({ kind: "hung", part, pid: process.pid, why });
  }

  /** Leaves a JobManager down that must not start, and says why. */
  #giveUp(part: Part, reason: string): void {
    this.#refuse(new UserError(reason));
    this.#onEvent({ kind: "gave-up", part, reason });
  }

  /** Says that a part does not stay up. Whoever waits for the job need not wait on. */
  #keepsDying(part: Part, reason: string): void {
    if (part === "jobmanager") this.#refuse(new UserError(`${part}: ${reason}. ${endOfLog(this.#settings, part)}`));
    this.#onEvent({ kind: "keeps-dying", part, reason });
  }

  /** Why a part that ended must not be started again; `undefined` when it may. */
  #refusal(part: Part, exit: Exit): string | undefined {
    if (part !== "jobmanager" || exit.code !== REFUSED_CODE) return undefined;
    const said = lastLines(this.#settings, part, 100).findLast((line) => line.startsWith(`error: ${MUST_NOT}`));
    return said?.slice("error: ".length) ?? `${MUST_NOT}see the JobManager's log`;
  }

  #watch(part: Part, process: ManagedProcess): void {
    void process.exited.then((exit) => this.#onExit(part, process, exit));
  }

  async #onExit(part: Part, ended: ManagedProcess, exit: Exit): Promise<void> {
    // The news of an end may come after another process has taken its place.
    this.#paused.delete(ended);
    if (this.#end.signal.aborted || this.#current.get(part) !== ended) return;
    this.#current.delete(part);
    forget(this.#settings, part);
    this.#onEvent({ kind: "died", part, exit, lastLines: lastLines(this.#settings, part) });
    const refusal = this.#refusal(part, exit);
    if (refusal !== undefined) return this.#giveUp(part, refusal);
    if (!this.#restart || this.#held.has(part)) return;
    await this.#startAgain(part, Date.now() - ended.startedAtMs, this.#killed.delete(part));
  }

  /** Starts a part that has ended, however often that takes. @param livedMs - how long its process had lived */
  async #startAgain(part: Part, livedMs: number, onPurpose: boolean): Promise<void> {
    const restarts = this.#restarts.get(part) ?? new Restarts();
    this.#restarts.set(part, restarts);
    restarts.ended(livedMs, onPurpose);
    let cause = `it died ${KEEPS_DYING} times, each time within a minute`;
    for (;;) {
      if (!onPurpose && restarts.keepsDying) this.#keepsDying(part, cause);
      await delay(restarts.delayMs, undefined, { signal: this.#end.signal }).catch(() => undefined);
      // Somebody else may have started it meanwhile, or want it to stay down.
      if (this.#end.signal.aborted || this.#held.has(part) || this.#current.has(part)) return;
      try {
        const process = await this.#spawn(part);
        this.#watch(part, process);
        // It may have been started in the moment in which everything else was stopped.
        if (this.#end.signal.aborted) signalProcess(process.identity, "SIGKILL");
        else this.#onEvent({ kind: "restarted", part });
        return;
      } catch (error) {
        // Such as a disk without room for its files.
        cause = `it cannot be started: ${error instanceof Error ? error.message : String(error)}`;
        onPurpose = false;
        restarts.ended(0, false);
      }
    }
  }
}

/** Sends a signal to a part's process, whoever supervises it. @throws {UserError} when it does not run */
export function killPart(settings: ClusterSettings, part: Part, signal: NodeJS.Signals): void {
  const identity = recorded(settings, part);
  if (identity === undefined || !signalProcess(identity, signal))
    throw new UserError(
      `${part} of the cluster "${settings.name}" does not run. See: npm run cluster -- status --name ${settings.name}`,
    );
}

/** How a process ended, in words. */
export function describe({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code}` : `killed by ${signal}`;
}
