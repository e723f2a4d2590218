import { useEffect, useRef, useState } from "preact/hooks";

import type { AlertRow, VerdictName, VerdictRow } from "../../wire.js";
import { api, ApiError } from "../api.js";
import { dateTime } from "../format.js";
import { useKeys } from "../keys.js";
import { store } from "../store.js";
import { Icon } from "./icon.js";
import { VERDICT_WORDS } from "./verdict-badge.js";

const MAX_NOTE = 500;
const MAX_NAME = 60;

/** Confirm fraud or call it a false alarm, with a note; and what was said before. */
export function Triage({
  alert,
  known,
  verdicts,
  onVerdict,
}: {
  alert: AlertRow;
  known: boolean;
  verdicts: readonly VerdictRow[];
  onVerdict: () => void;
}) {
  const [choice, setChoice] = useState<VerdictName>();
  const [note, setNote] = useState("");
  const signedInAs = store.meta?.signedInAs ?? undefined;
  const [analyst, setAnalyst] = useState(() => localStorage.getItem("analyst") ?? "");
  const [state, setState] = useState<
    | { readonly kind: "ready" | "sending" }
    | { readonly kind: "sent"; readonly labelId: string }
    | { readonly kind: "failed"; readonly why: string }
  >({ kind: "ready" });
  const first = useRef<HTMLInputElement>(null);
  const noteField = useRef<HTMLInputElement>(null);
  const choose = (verdict: VerdictName): void => {
    if (!known) return;
    setChoice(verdict);
    setState({ kind: "ready" });
  };
  useEffect(() => {
    if (choice !== undefined) (signedInAs === undefined && analyst === "" ? first : noteField).current?.focus();
  }, [choice]);
  useKeys({
    c: (event) => (event.preventDefault(), choose("FRAUD")),
    f: (event) => (event.preventDefault(), choose("LEGITIMATE")),
  });

  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (choice === undefined) return;
    if (signedInAs === undefined) localStorage.setItem("analyst", analyst);
    setState({ kind: "sending" });
    try {
      const { labelId } = await api.giveVerdict({
        accountId: alert.account,
        transactionId: alert.transactionId,
        verdict: choice,
        note,
        analyst: signedInAs === undefined ? analyst : undefined,
      });
      setState({ kind: "sent", labelId });
      setChoice(undefined);
      setNote("");
      onVerdict();
    } catch (error) {
      setState({ kind: "failed", why: error instanceof ApiError ? error.message : String(error) });
    }
  };

  return (
    <section class="card triage" aria-label="Triage">
      <div class="triage-buttons">
        <button
          type="button"
          class="button danger"
          aria-pressed={choice === "FRAUD"}
          disabled={!known}
          onClick={() => choose("FRAUD")}
        >
          <Icon name="flag" /> Confirm fraud <kbd aria-hidden="true">c</kbd>
        </button>
        <button
          type="button"
          class="button ok"
          aria-pressed={choice === "LEGITIMATE"}
          disabled={!known}
          onClick={() => choose("LEGITIMATE")}
        >
          <Icon name="check" /> False alarm <kbd aria-hidden="true">f</kbd>
        </button>
        <span class="muted">
          {verdicts.length === 0
            ? "Nobody has given a verdict yet."
            : `${verdicts.length === 1 ? "One verdict" : `${verdicts.length} verdicts`} so far; the highest revision holds.`}
        </span>
      </div>
      {choice !== undefined && (
        <form class="verdict-form" onSubmit={(event) => void send(event)}>
          {signedInAs === undefined ? (
            <label>
              Your name
              <input
                ref={first}
                name="analyst"
                value={analyst}
                maxLength={MAX_NAME}
                required
                autocomplete="name"
                onInput={(event) => setAnalyst(event.currentTarget.value)}
              />
            </label>
          ) : (
            <p>
              As <b>{signedInAs}</b>
            </p>
          )}
          <label class="grow">
            Note
            <input
              ref={noteField}
              name="note"
              value={note}
              maxLength={MAX_NOTE}
              placeholder={choice === "FRAUD" ? "What shows that it is fraud?" : "What clears it?"}
              onInput={(event) => setNote(event.currentTarget.value)}
            />
          </label>
          <button
            type="submit"
            class={`button ${choice === "FRAUD" ? "danger" : "ok"} solid`}
            disabled={state.kind === "sending"}
          >
            {state.kind === "sending" ? "Sending …" : choice === "FRAUD" ? "Confirm fraud" : "Call it a false alarm"}
          </button>
          <button type="button" class="button" onClick={() => setChoice(undefined)}>
            Cancel
          </button>
        </form>
      )}
      <p class={state.kind === "failed" ? "problem" : "muted"} role="status">
        {state.kind === "failed" && state.why}
        {state.kind === "sent" &&
          !verdicts.some(({ labelId }) => labelId === state.labelId) &&
          "Sent: waiting for it to come back from the topic …"}
      </p>
      {verdicts.length > 0 && (
        <ol class="verdicts">
          {verdicts.map((verdict) => (
            <li key={verdict.labelId} class={verdict.verdict.toLowerCase()}>
              <b>{VERDICT_WORDS[verdict.verdict]}</b> by {verdict.analyst || "the label feed"}, {dateTime(verdict.atMs)}
              {verdict.note !== "" && <q>{verdict.note}</q>}
              <small>
                {verdict.revision > 0 && `revision ${verdict.revision} · `}
                {effect(verdict, verdicts)}
              </small>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function effect({ accountEffect, merchantEffect, revision, labelId }: VerdictRow, all: readonly VerdictRow[]): string {
  const overruled =
    revision > 0 &&
    all.some((other) => other.labelId !== labelId && other.revision >= revision && other.accountEffect !== null);
  if (accountEffect === null) return overruled ? "not counted: another verdict was there before it" : "not counted yet";
  const delta = (value: number): string => (value > 0 ? `+${value}` : String(value));
  const account = `account event ${accountEffect.eventSeq} (${delta(accountEffect.delta)})`;
  return merchantEffect === null
    ? account
    : `${account}, merchant event ${merchantEffect.eventSeq} (${delta(merchantEffect.delta)})`;
}
