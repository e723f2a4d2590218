import { html, type Html, table, resultLine } from "../terminal/html.js";
import type { Hop, Trace } from "./types.js";
import {
  againText,
  amountOf,
  challengerText,
  duration,
  HOP_TEXT,
  isBad,
  sectionFields,
  SECTIONS,
  repeatNote,
  scoreText,
  time,
  WORDS,
} from "./words.js";

const WIDTH = 1000;
const LEFT = 110;
const ROW = 26;

/** A trace as a page that needs nothing from elsewhere. */
export function tracePage(trace: Trace): Html {
  const {
    transactionId,
    accountId,
    merchantId,
    transaction,
    decision,
    state,
    entered,
    hops,
    evidence,
    rederivation,
    commit,
  } = trace;
  const facts: (readonly [string, string])[] = [
    ["Account", accountId],
    ["Merchant", merchantId ?? "–"],
    ...(transaction === undefined
      ? []
      : ([
          ["Amount", amountOf(transaction)],
          ["Used", `${time(Number(transaction["event_time_ms"]))} UTC`],
        ] as const)),
    ["Came by", entered.origin === undefined ? entered.door : `${entered.door}, ${entered.origin}`],
    ["Record", entered.place ?? "no longer there"],
    [
      "Decision",
      decision === undefined
        ? state
        : `${decision.outcome}, ${scoreText(decision)} by ${decision.modelId}, in ${decision.place}`,
    ],
    ...(challengerText(trace) === "" ? [] : ([["Challenger", challengerText(trace)]] as const)),
    ["Commit", commit?.source ?? "–"],
    ...(entered.again.length === 0 ? [] : ([["Again", `${entered.again.join(", ")}: ${againText(trace)}`]] as const)),
    ...(repeatNote(trace) === "" ? [] : ([["Repeat", repeatNote(trace)]] as const)),
  ];
  return html`<h1>Transaction <code>${transactionId}</code></h1>
${rederivation === undefined ? html`` : resultOf(rederivation)}
${table(
  ["", ""],
  facts.map(([name, value]) => [name, value]),
)}
${
  hops.length === 0
    ? html``
    : html`<h2>Way</h2>${waterfall(hops)}${table(
        ["Hop", "At (UTC)", "#Took", "Where", "Spent on", "Time by"],
        hops.map(({ name, atMs, tookMs, where, source }) => [
          name,
          time(atMs),
          took(tookMs),
          html`<code>${where}</code>`,
          HOP_TEXT[name],
          source,
        ]),
      )}`
}
${
  evidence === undefined
    ? html``
    : html`<h2>Evidence</h2>${table(
        ["Section", "Derived again", "As it stands"],
        SECTIONS.map((name) => [
          name,
          rederivation ? WORDS[rederivation.parts[name].verdict] : "–",
          html`${sectionFields(evidence[name] as Parameters<typeof sectionFields>[0]).map((field) => html`<code>${field}</code> &nbsp; `)}`,
        ]),
      )}`
}
${rederivation === undefined ? html`` : differencesSection(rederivation)}
${section(
  "Alerts of its episode",
  ["", "Kind", "Cause", "Alert", "Raised (UTC)", "Record"],
  trace.alerts.map(({ byThis, kind, cause, alertId, raisedAtMs, place }) => [
    byThis ? "▸" : "",
    kind,
    cause,
    alertId,
    time(raisedAtMs),
    html`<code>${place}</code>`,
  ]),
)}
${section(
  "Labels",
  ["Verdict", "Label", "#Revision", "Record"],
  trace.labels.map(({ verdict, labelId, revision, place }) => [
    verdict,
    labelId,
    revision,
    html`<code>${place}</code>`,
  ]),
)}
${section(
  "Changes of state",
  ["Address", "#event_seq", "Kind", "Source", "#Fraud", "Record"],
  trace.stateEvents.map(({ address, eventSeq, kind, source, fraudDelta, place }) => [
    html`<code>${address}</code>`,
    eventSeq,
    kind,
    source,
    fraudDelta,
    html`<code>${place}</code>`,
  ]),
)}
${section(
  "Refused",
  ["Reason", "By", "What", "At (UTC)", "Record"],
  trace.refused.map(({ reason, by, message, atMs, place }) => [
    reason,
    by,
    message,
    time(atMs),
    html`<code>${place}</code>`,
  ]),
)}`;
}

/** Green only when it is shown; what could not be looked at is neither good nor bad. */
function resultOf(rederivation: NonNullable<Trace["rederivation"]>): Html {
  const text = `Derived again from the topics: ${rederivation.summary}`;
  return rederivation.verdict === "identical" || isBad(rederivation)
    ? resultLine(!isBad(rederivation), text)
    : html`<p class="verdict">– ${text}</p>`;
}

/** Not broken at the end of a line. */
const took = (ms: number | undefined): string => (ms === undefined ? "" : duration(ms).replace(" ", "\u00a0"));

function differencesSection({ parts }: NonNullable<Trace["rederivation"]>): Html {
  const rows = Object.values(parts).flatMap(({ differences }) =>
    differences.map(({ field, found, expected }) => [
      html`<code>${field}</code>`,
      found ?? "nothing",
      expected ?? "nothing",
    ]),
  );
  return section("Differences", ["Field", "In the evidence", "By a replay"], rows);
}

/** The hops as bars below each other, each as long as it took. */
function waterfall(hops: readonly Hop[]): Html {
  const first = hops[0]!.atMs;
  const span = Math.max(1, ...hops.map(({ atMs }) => atMs - first));
  const x = (ms: number): number => LEFT + (Math.max(0, ms - first) / span) * (WIDTH - LEFT - 90);
  return html`<svg viewBox="0 0 ${WIDTH} ${hops.length * ROW + 6}" role="img" aria-label="The time of each hop">${hops.map(
    ({ name, atMs, tookMs }, row) => {
      const end = x(atMs);
      const begin = Math.min(end, x(atMs - Math.max(0, tookMs ?? 0)));
      return html`<g><title>${name}: ${HOP_TEXT[name]}</title><text x="${LEFT - 8}" y="${row * ROW + 18}" font-size="13" text-anchor="end" fill="var(--ink)">${name}</text>
<rect x="${begin.toFixed(1)}" y="${row * ROW + 6}" width="${Math.max(2, end - begin).toFixed(1)}" height="${ROW - 10}" rx="2" fill="${name === "alert" ? "var(--bad)" : "var(--series)"}"/>
<text x="${(Math.max(end, begin + 2) + 6).toFixed(1)}" y="${row * ROW + 18}" font-size="12" fill="var(--dim)">${took(tookMs)}</text></g>`;
    },
  )}</svg>`;
}

const section = (
  title: string,
  heads: readonly string[],
  rows: readonly (readonly (string | number | Html)[])[],
): Html => (rows.length === 0 ? html`` : html`<h2>${title}</h2>${table(heads, rows)}`);
