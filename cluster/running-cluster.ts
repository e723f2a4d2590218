import type { ClusterStatus } from "./control.js";
import type { ClusterSettings, Part } from "./settings.js";

/** A system that runs, as processes of this machine or in containers: what tests, loads and faults act on. */
export interface RunningCluster {
  /** Where its parts are reached, and what it runs. */
  readonly settings: ClusterSettings;
  /**
   * Sends a signal to a part; of several that share its work, to each. What ends is started again, and natively so is
   * what hangs, as one does after SIGSTOP.
   *
   * @throws {UserError} when it does not run
   */
  kill(part: Part, signal?: NodeJS.Signals): void;
  /**
   * Stops a part's processes until {@link resume}. Nobody takes them for some that hang.
   *
   * @throws {UserError} when it does not run
   */
  pause(part: Part): void;
  /** Lets a paused part go on. @throws {UserError} when it has ended meanwhile */
  resume(part: Part): void;
  /** Keeps a part down when it ends, until {@link release}. @throws {UserError} when that can't be done */
  hold(part: Part): void;
  /** Starts a part that was held, if it has ended; watches over it again. */
  release(part: Part): Promise<void>;
  /**
   * Stops the Flink job with a savepoint and starts it from there, changed.
   *
   * @throws {UserError} when that fails or can't be done
   */
  restartFlink(changes: Pick<Partial<ClusterSettings>, "application" | "parallelism" | "stateBackend">): Promise<void>;
  status(): Promise<ClusterStatus>;
  /** What a part has logged since this start, of very much the end; of several, one after the other. */
  log(part: Part): Promise<string>;
  /** Stops everything; what it holds stays. */
  stop(): Promise<void>;
}
