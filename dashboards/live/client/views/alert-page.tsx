import { useEffect, useState } from "preact/hooks";

import { probabilityText } from "../../../../contract/scoring-text.js";
import { amountText } from "../../../../money/amount-text.js";
import type { AlertDetail } from "../../wire.js";
import { api, ApiError } from "../api.js";
import { alertWords, dateTime, reasonWords, severity } from "../format.js";
import { Contributions } from "../components/contributions.js";
import { Icon } from "../components/icon.js";
import { NextScoresPanel } from "../components/next-scores.js";
import { Provenance } from "../components/provenance.js";
import { Timeline } from "../components/timeline.js";
import { Triage } from "../components/triage.js";
import { VerdictBadge } from "../components/verdict-badge.js";
import { hasPlaces, WorldMap } from "../components/world-map.js";
import { go } from "../router.js";
import { store } from "../store.js";

/** While one looks at an alert, its account goes on. */
const REFRESH_MS = 1_500;

export function AlertPage({ id }: { id: string }) {
  const [detail, setDetail] = useState<AlertDetail>();
  const [problem, setProblem] = useState("");
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    let gone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      try {
        if (!document.hidden) {
          const found = await api.alert(id);
          if (gone) return;
          setDetail(found);
          setProblem("");
        }
      } catch (error) {
        if (gone) return;
        setProblem(error instanceof ApiError ? error.message : String(error));
      }
      timer = setTimeout(() => void look(), REFRESH_MS);
    };
    void look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [id, asked]);

  return (
    <article class="alert-page" aria-labelledby="alert-title">
      <button
        type="button"
        class="icon-button close"
        aria-label="Back to the list"
        title="Back to the list (Esc)"
        onClick={() => go("/")}
      >
        <Icon name="close" />
      </button>
      {problem !== "" && (
        <p class="banner alarm" role="alert">
          {problem}
        </p>
      )}
      {detail === undefined ? (
        problem === "" && <p class="empty">Loading …</p>
      ) : (
        <Found detail={detail} onVerdict={() => setAsked((n) => n + 1)} />
      )}
    </article>
  );
}

function Found({ detail, onVerdict }: { detail: AlertDetail; onVerdict: () => void }) {
  const { alert, decision, recent, verdicts, next } = detail;
  const meta = store.meta!;
  // The list's row may be behind the decision.
  const outcome = decision?.outcome ?? alert.outcome;
  const level = severity(outcome);
  const probabilityPpm = decision?.probabilityPpm ?? null;
  return (
    <>
      <header class={`alert-head ${level}`}>
        <div class="gauge" role="img" aria-label={`Score ${alert.score} of 1000`}>
          <svg viewBox="0 0 100 100" aria-hidden="true">
            <circle cx="50" cy="50" r="43" pathLength={1000} />
            <circle class="value" cx="50" cy="50" r="43" pathLength={1000} stroke-dasharray={`${alert.score} 1000`} />
          </svg>
          <b>{alert.score}</b>
          <span>of 1000</span>
        </div>
        <div class="alert-words">
          <h1 id="alert-title" tabIndex={-1}>
            {amountText(alert.amountMinor, alert.currency)} <span>at {alert.merchantName || alert.merchantId}</span>
          </h1>
          <p class="facts">
            <span class={`badge outcome ${level}`}>{alertWords(outcome)}</span>
            {probabilityPpm !== null && <b class="probability">{probabilityText(probabilityPpm)} likely fraud</b>}
            <VerdictBadge verdict={alert.verdict} />
            <span class={`badge ${alert.open ? "open" : "quiet"}`}>
              episode {alert.episode} {alert.open ? "open" : "closed"}
            </span>
            <span>
              <Icon name="pin" />
              {alert.place || "online"}
            </span>
            <span>{dateTime(alert.eventTimeMs)}</span>
          </p>
          <ul class="reasons">
            {alert.reasons.map(({ code, points }) => (
              <li key={code}>
                <b>+{points}</b> {reasonWords(code, meta.reasons)}
              </li>
            ))}
          </ul>
          <p class="muted">
            Account <code>{alert.account}</code> ·{" "}
            {alert.count > 1
              ? `${alert.count} suspicious transactions in this episode, ${amountText(alert.sumMinor, alert.currency)} in all`
              : alert.cause}
          </p>
        </div>
      </header>
      <Triage alert={alert} known={decision !== null} verdicts={verdicts} onVerdict={onVerdict} />
      {next !== null && <NextScoresPanel next={next} />}
      <div class="two">
        <section class="card">
          <h2>The account's recent transactions</h2>
          <Timeline points={recent} current={alert.transactionId} thresholds={decision?.thresholds ?? null} />
        </section>
        {hasPlaces(recent) && (
          <section class="card">
            <h2>Where the card was used</h2>
            <WorldMap points={recent} current={alert.transactionId} />
          </section>
        )}
      </div>
      {decision === null ? (
        <p class="card muted">This alert's decision is older than what this server keeps: the topic still has it.</p>
      ) : (
        <>
          <Contributions decision={decision} />
          <Provenance decision={decision} alert={alert} />
        </>
      )}
    </>
  );
}
