import { useRef } from "preact/hooks";

import { type AlertFilter, isEmpty, NO_FILTER } from "../../filter.js";
import { whole } from "../format.js";
import { useKeys } from "../keys.js";
import { store, useStore } from "../store.js";
import { Icon } from "./icon.js";

const STATES: readonly (readonly [AlertFilter["status"], string])[] = [
  ["all", "All"],
  ["untriaged", "To triage"],
  ["open", "Open"],
  ["fraud", "Fraud"],
  ["legitimate", "False alarms"],
];

export function Filters() {
  const { filter, meta, paused, shown, alerts, heldBack } = useStore();
  const search = useRef<HTMLInputElement>(null);
  useKeys({
    "/": (event) => {
      event.preventDefault();
      search.current?.focus();
      search.current?.select();
    },
  });
  return (
    <div class="filters" role="search">
      <div class="filters-row">
        <label class="search">
          <Icon name="search" />
          <input
            ref={search}
            type="search"
            placeholder="Search account, merchant, place, reason"
            aria-label="Search the alerts"
            value={filter.text}
            onInput={(event) => store.setFilter({ text: event.currentTarget.value })}
          />
          <kbd aria-hidden="true">/</kbd>
        </label>
        <button
          type="button"
          class={`button ${paused ? "primary" : ""}`}
          aria-pressed={paused}
          onClick={() => store.setPaused(!paused)}
          title="p"
        >
          <Icon name={paused ? "play" : "pause"} />
          {paused ? `Go on${heldBack > 0 ? ` · ${whole(heldBack)} new` : ""}` : "Pause"}
        </button>
      </div>
      <div class="filters-row">
        <div class="segmented" role="radiogroup" aria-label="Which alerts">
          {STATES.map(([status, name]) => (
            <button
              key={status}
              type="button"
              role="radio"
              aria-checked={filter.status === status}
              onClick={() => store.setFilter({ status })}
            >
              {name}
            </button>
          ))}
        </div>
        <select
          aria-label="Reason"
          value={filter.reason}
          onChange={(event) => store.setFilter({ reason: event.currentTarget.value })}
        >
          <option value="">Any reason</option>
          {Object.entries(meta?.reasons ?? {}).map(([code, words]) => (
            <option key={code} value={code}>
              {words}
            </option>
          ))}
        </select>
        <select
          aria-label="Lowest score"
          value={String(filter.minScore)}
          onChange={(event) => store.setFilter({ minScore: Number(event.currentTarget.value) })}
        >
          <option value="0">Any score</option>
          {[500, 600, 700, 800, 900].map((score) => (
            <option key={score} value={String(score)}>
              {score} and more
            </option>
          ))}
        </select>
        <select
          aria-label="Kind"
          value={filter.kind}
          onChange={(event) => store.setFilter({ kind: event.currentTarget.value as AlertFilter["kind"] })}
        >
          <option value="all">New and escalated</option>
          <option value="opened">New episodes</option>
          <option value="escalated">Escalated</option>
        </select>
        <span class="count" role="status">
          {isEmpty(filter) ? `${whole(alerts.length)} alerts` : `${whole(shown.length)} of ${whole(alerts.length)}`}
          {!isEmpty(filter) && (
            <button type="button" class="link" onClick={() => store.setFilter(NO_FILTER)}>
              clear
            </button>
          )}
        </span>
      </div>
    </div>
  );
}
