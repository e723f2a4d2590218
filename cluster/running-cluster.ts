import type { ClusterStatus } from "./control.js";
import type { ClusterSettings, Part } from "./settings.js";

/** A running system, as processes of this machine or in containers: what tests, loads and faults act on. */
export interface RunningCluster {
  /** Where its parts are reached, and what it runs. */
  readonly settings: ClusterSettings;
  /**
   * Sends a signal to a part, or to each of several that share its work. One that ends is started again; natively so is
   * one that hangs, as it does after SIGSTOP.
   *
   * @throws {UserError} when it does not run
   */
  kill(part: Part, signal?: NodeJS.Signals): void;
  /**
   * Stops a part's processes until {@link resume}. They are not taken to hang.
   *
   * @throws {UserError} when it does not run
   */
  pause(part: Part): void;
  /** Lets a paused part go on. @throws {UserError} when it has ended meanwhile */
  resume(part: Part): void;
  /** Keeps a part down when it ends, until {@link release}. @throws {UserError} when that is not possible */
  hold(part: Part): void;
  /** Starts a part that was held, if it has ended; watches over it again. */
  release(part: Part): Promise<void>;
  /**
   * Stops the Flink job with a savepoint and starts it from there, changed.
   *
   * @throws {UserError} when that fails or is not possible
   */
  restartFlink(changes: Pick<Partial<ClusterSettings>, "application" | "parallelism" | "stateBackend">): Promise<void>;
  status(): Promise<ClusterStatus>;
  /**
   * What a part has logged since this start, or the end of it when that is very much; for several, one after the other.
   */
  log(part: Part): Promise<string>;
  /** Stops everything; its data stay. */
  stop(): Promise<void>;
}
