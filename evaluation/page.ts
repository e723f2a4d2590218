import { html, type Html, resultLine, table } from "../terminal/html.js";
import type { CurvePoint } from "./metrics/curves.js";
import {
  BAYES_NAME,
  type Evaluated,
  type EvaluatedWeek,
  type EvaluationReport,
  isGood,
  percent,
  shareOfBayes,
  streamText,
  three,
} from "./report.js";

const SIDE = 360;

/** The report as a page. */
export function pageOf(report: EvaluationReport): Html {
  const { official, baseline, published, bayes = [], references = [], cents, parity, stream, machine, weeks } = report;
  const atMost = bayes.find(({ firstDay }) => firstDay === official?.firstDay);
  const rows = [
    ...published.map((one) => [`published: ${one.detector}`, ...quality(one)]),
    ...(atMost === undefined ? [] : [[BAYES_NAME, ...quality(atMost)]]),
    ...[baseline, report, ...references].flatMap(({ detector, official: week }) =>
      week === undefined
        ? []
        : [
            [detector, ...quality(week)],
            ["95 % of draws", ...intervals(week)],
          ],
    ),
  ];
  return html`<h1>How well frauds are found</h1>
${parity === undefined || stream === undefined ? html`` : resultText(report)}
${
  official === undefined
    ? html`<p>No test week was evaluated: too few days.</p>`
    : html`<h2>Test week from ${official.testFrom}: ${official.transactions.toLocaleString("en")} transactions, ${official.frauds} frauds</h2>${table(["Detector", "#AUC", "#AP", "#CP@100", "#recall", "#value"], rows)}
<p class="dim">Recall and value: among alerts on 0.5 % of the transactions.</p>${weekOf(official, baseline)}`
}
${weeks.length > 1 ? html`<h2>Weeks</h2>${weeksTable(report)}` : html``}
${cents === undefined ? html`` : html`<h2>What the amounts' cents alone give away</h2>${centsTable(cents)}`}
<p class="dim">${machine.cores} cores (${machine.cpu}), Node ${machine.node}.</p>`;
}

const centsTable = ({ here, handbook }: NonNullable<EvaluationReport["cents"]>): Html =>
  table(
    ["Scenario", "#AUC here", "#AUC of the Handbook's data set"],
    here.map(({ scenario, auc }) => [
      scenario,
      three(auc),
      three(handbook.find((one) => one.scenario === scenario)?.auc),
    ]),
  );

const resultText = (report: EvaluationReport): Html =>
  html`${resultLine(isGood(report), isGood(report) ? "what was streamed is what the data set says" : "what was streamed is not what the data set says")}${streamText(report.parity!, report.stream!).map((line) => html`<p>${line}</p>`)}`;

function weekOf(week: EvaluatedWeek, { official: baseline }: Evaluated): Html {
  const curves = [week.curve, baseline?.curve ?? []];
  return html`<h2>Curves</h2><p class="dim">In colour the detector, in grey the logistic regression.</p><div style="display:flex;flex-wrap:wrap;gap:2rem">
${chart("precision over recall", curves, ({ recall, precision }) => [recall, precision])}
${chart("ROC: frauds found over genuine ones taken for fraud", curves, ({ falsePositives, recall }) => [falsePositives, recall])}</div>
<h2>Are the probabilities right?</h2>${table(
    ["Probability", "#transactions", "#frauds expected", "#frauds"],
    week.calibration.map((bin) => [
      `${bin.from.toPrecision(2)} to ${bin.to.toPrecision(2)}`,
      bin.transactions.toLocaleString("en"),
      bin.expected.toFixed(1),
      bin.frauds,
    ]),
  )}
<h2>By scenario</h2>${table(
    ["Scenario", "#frauds", "#AUC", "#AP", "#CP@100", "#recall", "#value"],
    week.scenarios.map((one) => [one.scenario, one.frauds, ...quality(one)]),
  )}
<h2>Thresholds, and what they would have cost</h2>${table(
    [
      "By",
      "#review from",
      "#decline from",
      "#frauds approved",
      "reviewed",
      "declined",
      "#genuine approved",
      "reviewed",
      "declined",
      "#looks a day",
      "#saved",
    ],
    week.decided.map(({ by, thresholds, frauds, genuine, looksADay, saved }) => [
      by,
      thresholds.reviewFrom.toFixed(4),
      Number.isFinite(thresholds.declineFrom) ? thresholds.declineFrom.toFixed(4) : "nothing",
      ...actions(frauds),
      ...actions(genuine),
      looksADay.toFixed(0),
      percent(saved),
    ]),
  )}`;
}

const actions = (one: EvaluatedWeek["decided"][number]["frauds"]): number[] => [
  one.approved,
  one.reviewed,
  one.declined,
];

function chart(
  title: string,
  curves: readonly (readonly CurvePoint[])[],
  at: (point: CurvePoint) => readonly [x: number, y: number],
): Html {
  const line = (curve: readonly CurvePoint[], colour: string): Html =>
    html`<polyline fill="none" stroke="${colour}" stroke-width="2" points="${curve
      .map(at)
      .map(([x, y]) => `${(SIDE * x).toFixed(1)},${(SIDE * (1 - y)).toFixed(1)}`)
      .join(" ")}"/>`;
  return html`<figure style="flex:1;min-width:18rem;margin:0"><figcaption>${title}</figcaption><svg viewBox="-2 -2 ${SIDE + 4} ${SIDE + 4}" role="img" aria-label="${title}"><rect width="${SIDE}" height="${SIDE}" fill="none" stroke="var(--line)"/>${[...curves].reverse().map((curve, n) => line(curve, n === curves.length - 1 ? "var(--series)" : "var(--dim)"))}</svg></figure>`;
}

/** Each week, and below it the intervals. */
const weeksTable = ({ weeks, mean, bayes = [] }: EvaluationReport): Html => {
  const ofBayes = (week: EvaluatedWeek): string[] => {
    const share = shareOfBayes(week, bayes);
    return bayes.length === 0 ? [] : [share === undefined ? "" : percent(share)];
  };
  const none = bayes.length === 0 ? [] : [""];
  return table(
    [
      "Test week from",
      "#transactions",
      "#frauds",
      "#expected",
      "#AUC",
      "#AP",
      "#CP@100",
      "#recall",
      "#value",
      ...(bayes.length === 0 ? [] : ["#of the Bayes reference's AP"]),
    ],
    [
      ...weeks.flatMap((week) => [
        [
          week.testFrom,
          week.transactions.toLocaleString("en"),
          week.frauds,
          Math.round(week.expectedFrauds),
          ...quality(week),
          ...ofBayes(week),
        ],
        ["95 % of draws", "", "", "", ...intervals(week), ...none],
      ]),
      ["mean", "", "", "", ...quality(mean), ...none],
    ],
  );
};

const NAMES = ["auc", "averagePrecision", "cardPrecision100", "recallAt05", "valueAt05"] as const;
const quality = (one: Partial<Record<(typeof NAMES)[number], number>>): string[] =>
  NAMES.map((name) => three(one[name]));
const intervals = ({ intervals: all }: EvaluatedWeek): string[] =>
  NAMES.map((name) => all[name].map((end) => three(end)).join("–"));
