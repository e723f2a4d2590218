import { useState } from "preact/hooks";

import { api, ApiError } from "../api.js";
import { clock } from "../format.js";
import { useStore } from "../store.js";
import { Icon } from "./icon.js";

const WORDS: Readonly<Record<string, readonly [name: string, effect: string]>> = {
  taskmanager: ["TaskManager", "the job restarts from its last checkpoint"],
  jobmanager: ["JobManager", "another one goes on from the last checkpoint"],
  functions: ["Function server", "StateFun repeats its calls until it is back"],
  kafka: ["Kafka broker", "nothing goes in or out until it is back"],
};

/** Kills a part, now: after one more click. */
export function FailureMenu() {
  const { meta, failures } = useStore();
  const [armed, setArmed] = useState<string>();
  const [problem, setProblem] = useState("");
  const parts = meta?.failureParts;
  const kill = async (part: string): Promise<void> => {
    setArmed(undefined);
    setProblem("");
    try {
      await api.kill(part);
    } catch (error) {
      setProblem(error instanceof ApiError ? error.message : String(error));
    }
  };
  return (
    <section class="card failures" aria-label="Failure menu">
      <h2>
        <Icon name="bolt" /> Break something
      </h2>
      {parts === null || parts === undefined ? (
        <p class="muted">
          Switched off. <code>npm run demo</code> switches it on, and so does{" "}
          <code>npm run cluster -- up --failures</code>.
        </p>
      ) : (
        <>
          <div class="failure-buttons">
            {parts.map((part) => {
              const [name] = WORDS[part] ?? [part];
              return (
                <button
                  key={part}
                  type="button"
                  class={`button ${armed === part ? "danger solid" : ""}`}
                  data-part={part}
                  onClick={() => (armed === part ? void kill(part) : setArmed(part))}
                  onBlur={() => setArmed(undefined)}
                >
                  {armed === part ? `Kill it now` : `Kill ${name}`}
                </button>
              );
            })}
          </div>
          <p class={problem === "" ? "muted" : "problem"} role="status">
            {problem ||
              (armed === undefined
                ? lastWords(failures.at(-1))
                : `${WORDS[armed]?.[0] ?? armed}: SIGKILL; ${WORDS[armed]?.[1] ?? "it is started again"}.`)}
          </p>
        </>
      )}
    </section>
  );
}

const lastWords = (last: { readonly part: string; readonly atMs: number } | undefined): string =>
  last === undefined
    ? "SIGKILL, then watch the dip, the recovery, and the counters that stay at 0."
    : `${WORDS[last.part]?.[0] ?? last.part} was killed at ${clock(last.atMs)}.`;
