import { amountDigits, amountText } from "../../../../money/amount-text.js";
import type { DecisionPoint, Thresholds } from "../../wire.js";
import { dateTime, shortTime } from "../format.js";
import { VerdictBadge } from "./verdict-badge.js";

const WIDTH = 460;
const HEIGHT = 170;
const LEFT = 34;
const RIGHT = 14;
const TOP = 12;
const BOTTOM = 26;
const MIN_RADIUS = 4;
const MAX_RADIUS = 11;

/** Its area tells the amount; where all are 0, none is larger. */
const radius = (amount: number, largest: number): number =>
  MIN_RADIUS + (largest === 0 ? 0 : (MAX_RADIUS - MIN_RADIUS) * Math.sqrt(amount / largest));

/**
 * Scores over event time: height is the score, size the amount. Below it the same as a table.
 *
 * @param thresholds - of the model that decided the current one; others may have decided the rest
 */
export function Timeline({
  points,
  current,
  thresholds,
}: {
  points: readonly DecisionPoint[];
  current: string;
  thresholds: Thresholds | null;
}) {
  if (points.length === 0) return <p class="muted">None is kept here any more.</p>;
  const times = points.map(({ eventTimeMs }) => eventTimeMs);
  const [from, to] = [Math.min(...times), Math.max(...times)];
  const largest = Math.max(...points.map(({ amountMinor }) => amountMinor));
  const x = (ms: number): number =>
    to === from
      ? (WIDTH + LEFT - RIGHT) / 2
      : LEFT + MAX_RADIUS + ((ms - from) / (to - from)) * (WIDTH - LEFT - RIGHT - 2 * MAX_RADIUS);
  const lines: readonly (readonly [string, number])[] =
    thresholds === null
      ? []
      : [
          ["review", thresholds.reviewAt],
          ["decline", thresholds.declineAt],
        ];
  const y = (score: number): number => HEIGHT - BOTTOM - (score / 1000) * (HEIGHT - TOP - BOTTOM);
  return (
    <>
      <svg
        class="timeline"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`Scores of the account's last ${points.length} transactions; the table below has the figures`}
      >
        {lines.map(([name, score]) => (
          <g key={name} class={`threshold ${name}`}>
            <line x1={LEFT} x2={WIDTH - RIGHT} y1={y(score)} y2={y(score)} />
            <text x={LEFT + 2} y={y(score) + (name === "review" ? 10 : -4)}>
              {name}
            </text>
          </g>
        ))}
        <line class="axis" x1={LEFT} x2={WIDTH - RIGHT} y1={y(0)} y2={y(0)} />
        {[0, 500, 1000].map((score) => (
          <text key={score} x={LEFT - 6} y={y(score) + 4} text-anchor="end">
            {score}
          </text>
        ))}
        {points.map((point) => (
          <g
            key={point.accountSeq}
            class={`dot ${point.outcome.toLowerCase()} ${point.transactionId === current ? "current" : ""}`}
          >
            <line x1={x(point.eventTimeMs)} x2={x(point.eventTimeMs)} y1={y(0)} y2={y(point.score)} />
            <circle cx={x(point.eventTimeMs)} cy={y(point.score)} r={radius(point.amountMinor, largest)}>
              <title>{`${dateTime(point.eventTimeMs)}: ${amountText(point.amountMinor, point.currency)}, score ${point.score}`}</title>
            </circle>
          </g>
        ))}
        <text x={LEFT} y={HEIGHT - 6}>
          {dateTime(from)}
        </text>
        {to !== from && (
          <text x={WIDTH - RIGHT} y={HEIGHT - 6} text-anchor="end">
            {dateTime(to)}
          </text>
        )}
      </svg>
      <div class="scroll">
        <table class="recent">
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col" class="number">
                Amount
              </th>
              <th scope="col">Merchant</th>
              <th scope="col" class="number">
                Score
              </th>
            </tr>
          </thead>
          <tbody>
            {points.toReversed().map((point) => (
              <tr
                key={point.accountSeq}
                class={point.transactionId === current ? "current" : ""}
                aria-current={point.transactionId === current}
              >
                <td title={dateTime(point.eventTimeMs)}>{shortTime(point.eventTimeMs)}</td>
                <td class="number">{amountDigits(point.amountMinor, point.currency)}</td>
                <td class="where">
                  {point.merchantName || point.merchantId} <span class="muted">{point.place || "online"}</span>
                </td>
                <td class="number">
                  <VerdictBadge verdict={point.verdict} />{" "}
                  <b class={`score-text ${point.outcome.toLowerCase()}`}>{point.score}</b>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
