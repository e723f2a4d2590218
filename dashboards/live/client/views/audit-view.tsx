import { useState } from "preact/hooks";

import { signed } from "../../../../contract/scoring-text.js";
import { dateTime, whole } from "../format.js";
import { VerdictBadge } from "../components/verdict-badge.js";
import { useStore } from "../store.js";

/** Who said what about which transaction, and what it changed; newest first. */
export function AuditView() {
  const { verdicts } = useStore();
  const [text, setText] = useState("");
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = verdicts.filter(({ account, transactionId, merchantId, analyst, note }) =>
    words.every((word) => `${account} ${transactionId} ${merchantId} ${analyst} ${note}`.toLowerCase().includes(word)),
  );
  return (
    <section class="page">
      <div class="page-head">
        <h1>Audit trail</h1>
        <p class="muted">
          The newest {whole(verdicts.length)} verdicts of analysts, as they stand in the topic <code>labels.valid</code>
          . Nothing is kept anywhere else, and nothing can be taken out: to change a verdict, give its next revision.
        </p>
        <input
          type="search"
          class="field"
          placeholder="Search analyst, note, account"
          aria-label="Search the verdicts"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </div>
      {shown.length === 0 ? (
        <p class="empty">
          {verdicts.length === 0
            ? "No analyst has given a verdict yet. Open an alert and confirm or clear it."
            : "No verdict matches."}
        </p>
      ) : (
        <div class="scroll card">
          <table class="audit">
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Verdict</th>
                <th scope="col">Analyst</th>
                <th scope="col">Note</th>
                <th scope="col">Account, transaction</th>
                <th scope="col">Counted</th>
                <th scope="col">Kafka</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((row) => (
                <tr key={row.labelId}>
                  <td>{dateTime(row.atMs)}</td>
                  <td>
                    <VerdictBadge verdict={row.verdict} /> <span class="muted">rev. {row.revision || "…"}</span>
                  </td>
                  <td>{row.analyst}</td>
                  <td class="note">{row.note || <span class="muted">–</span>}</td>
                  <td>
                    <code>{row.account}</code> <code class="muted">{row.transactionId}</code>
                  </td>
                  <td>
                    {row.accountEffect === null ? (
                      <span class="muted">not yet</span>
                    ) : (
                      `account ${signed(row.accountEffect.delta)} at event ${row.accountEffect.eventSeq}`
                    )}
                    {row.merchantEffect !== null &&
                      `, merchant ${signed(row.merchantEffect.delta)} at event ${row.merchantEffect.eventSeq}`}
                  </td>
                  <td>
                    <code>
                      {row.kafka.partition}:{row.kafka.offset}
                    </code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
