import { type StartedProgram, startOwnCommand } from "../../process/run-command.js";
import type { UserErrorCode } from "../../terminal/user-error.js";
import type { NoTrace, Trace } from "../../trace/types.js";

const LIMIT_MS = 300_000;
const MAX_WAITING = 8;
/** Without Java there are no traces here at all. */
const STATUS: Readonly<Record<UserErrorCode, 404 | 501>> = { "not-found": 404, "tool-missing": 501 };
const STOPPING = "the web app is stopping";

/** A trace, or why there is none: a status of HTTP and one sentence. */
export type TraceAnswer =
  { readonly status: 200; readonly trace: Trace } | { readonly status: 404 | 501 | 503; readonly error: string };

/**
 * Makes traces by `npm run trace`, in its own process: Kafka's Java consumer reads topics for seconds, and the streams
 * must not wait for it. One at a time, for each reads all there is.
 */
export class Tracer {
  readonly #brokers: string;
  readonly #start: typeof startOwnCommand;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #running: StartedProgram | undefined;
  #stopped = false;

  /** @param brokers - `host:port` of a broker */
  constructor(brokers: string, start: typeof startOwnCommand = startOwnCommand) {
    this.#brokers = brokers;
    this.#start = start;
  }

  async trace(accountId: string, transactionId: string): Promise<TraceAnswer> {
    if (this.#waiting >= MAX_WAITING)
      return { status: 503, error: "too many traces are wanted at once: try again in a minute" };
    this.#waiting++;
    const answer = this.#last.then(() => this.#run(accountId, transactionId));
    this.#last = answer.catch(() => undefined);
    try {
      return await answer;
    } finally {
      this.#waiting--;
    }
  }

  /** Ends a trace that is under way; those that wait are not begun. */
  stop(): void {
    this.#stopped = true;
    this.#running?.kill("SIGTERM");
  }

  async #run(accountId: string, transactionId: string): Promise<TraceAnswer> {
    if (this.#stopped) return { status: 503, error: STOPPING };
    const program = this.#start([
      "trace",
      `--account=${accountId}`,
      `--brokers=${this.#brokers}`,
      "--json",
      "--",
      transactionId,
    ]);
    this.#running = program;
    const timer = setTimeout(() => program.kill("SIGTERM"), LIMIT_MS);
    try {
      const { stdout, signal } = await program.finished;
      // It ends with 1, too, when a replay does not give the evidence: then there is a trace to show.
      if (stdout.startsWith("{")) {
        const said = JSON.parse(stdout) as Trace | NoTrace;
        return "error" in said
          ? { status: said.error.code === undefined ? 503 : STATUS[said.error.code], error: said.error.message }
          : { status: 200, trace: said };
      }
      if (signal !== null)
        return { status: 503, error: this.#stopped ? STOPPING : `the trace was not ready after ${LIMIT_MS / 1000} s` };
      return { status: 503, error: "npm run trace failed; see the web app's log" };
    } finally {
      clearTimeout(timer);
      this.#running = undefined;
    }
  }
}
