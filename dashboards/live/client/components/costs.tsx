import { useMemo, useState } from "preact/hooks";

import {
  cheapestOf,
  CostCurve,
  type CostPoint,
  type Costs as CostsOf,
  NEVER,
  type ThresholdPair,
} from "../../quality.js";
import type { ModelQuality } from "../../wire.js";
import { whole } from "../format.js";
import { FiguresTable } from "./figures-table.js";

type Which = keyof ThresholdPair;

/** An example's: whoever reads the page knows better, and changes them. */
const EXAMPLE: CostsOf = { fraud: 100, stopped: 10, look: 3 };
const FIELDS = [
  ["fraud", "A fraud let through"],
  ["stopped", "A good customer stopped"],
  ["look", "An analyst's look"],
] as const;
const THRESHOLDS = [
  ["reviewAt", "review from"],
  ["declineAt", "decline from"],
] as const;
/** Of a model whose file is not here. */
const NONE: ThresholdPair = { reviewAt: NEVER, declineAt: NEVER };
/** In the table, besides the marked ones. */
const TABLE_STEP = 50;

/** Kept while one looks at other pages. */
let remembered = { costs: EXAMPLE, genuine: true };

const money = (value: number): string => value.toLocaleString("en-GB", { maximumFractionDigits: 2 });
const scoreText = (score: number): string => (score === NEVER ? "never" : String(score));

/** What each threshold would have cost, and which would have cost least. */
export function Costs({ model: { scores, thresholds } }: { model: ModelQuality }) {
  const present = thresholds ?? NONE;
  const [{ costs, genuine }, set] = useState(remembered);
  const [which, setWhich] = useState<Which>("reviewAt");
  const [looked, setLooked] = useState<number>();
  const curve = useMemo(() => new CostCurve(scores, costs, genuine), [scores, costs, genuine]);
  const points = useMemo(() => curve.along(which, present), [curve, which, present.reviewAt, present.declineAt]);
  const best = useMemo(() => curve.cheapest(present), [curve, present.reviewAt, present.declineAt]);
  const change = (changed: Partial<typeof remembered>): void => set((remembered = { costs, genuine, ...changed }));
  const cheapest = cheapestOf(points, present);
  const now = curve.at(present);
  const at = points[Math.min(looked ?? present[which], NEVER)]!;
  const name = THRESHOLDS.find(([field]) => field === which)![1];
  return (
    <section class="card costs" aria-labelledby="costs-title">
      <h2 id="costs-title">Thresholds and what they cost</h2>
      <div class="cost-fields">
        {FIELDS.map(([field, label]) => (
          <label key={field}>
            {label}
            <input
              type="number"
              inputMode="decimal"
              min="0"
              step="any"
              required
              value={costs[field]}
              onInput={({ currentTarget: { valueAsNumber: cost } }) => {
                if (cost >= 0 && Number.isFinite(cost)) change({ costs: { ...costs, [field]: cost } });
              }}
            />
          </label>
        ))}
        <label class="check">
          <input
            type="checkbox"
            checked={genuine}
            onChange={(event) => change({ genuine: event.currentTarget.checked })}
          />
          What has no label counts as genuine
        </label>
      </div>
      <p class="muted">
        An example&apos;s costs, in any unit: change them here. A look finds out what is fraud.{" "}
        {genuine
          ? "Frauds whose label is still to come count as good customers."
          : "What has no label is left out: where mostly frauds get one, declining looks cheaper than it is."}
      </p>
      {curve.transactions === 0 ? (
        <p class="empty">No labels yet, so no costs yet.</p>
      ) : (
        <>
          <fieldset class="which">
            <legend>Threshold</legend>
            {THRESHOLDS.map(([field, label]) => (
              <label key={field} class="check">
                <input
                  type="radio"
                  name="threshold"
                  checked={which === field}
                  onChange={() => {
                    setWhich(field);
                    setLooked(undefined);
                  }}
                />
                {label}
              </label>
            ))}
          </fieldset>
          <Curve points={points} which={which} marks={{ present: now, cheapest, at }} />
          <label class="look-at">
            Look at: {name}{" "}
            <input
              type="range"
              min="0"
              max={NEVER}
              value={at[which]}
              aria-valuetext={`${name} ${scoreText(at[which])}: costs ${money(at.cost)}`}
              onInput={(event) => setLooked(event.currentTarget.valueAsNumber)}
            />
          </label>
          <p data-figure="looked-at">
            <b>
              {name} {scoreText(at[which])}: {money(at.cost)}
            </b>{" "}
            = {counted(at.fraudsLetThrough, "fraud", "frauds")} let through × {money(costs.fraud)} +{" "}
            {counted(at.goodStopped, "good customer", "good customers")} stopped × {money(costs.stopped)} +{" "}
            {counted(at.looks, "look", "looks")} × {money(costs.look)}
          </p>
          <p class="muted" data-figure="cheapest">
            {thresholds === null
              ? "The model's file is not here, so its thresholds are not known."
              : `Now: review from ${scoreText(present.reviewAt)}, decline from ${scoreText(present.declineAt)}: ${money(now.cost)}.`}{" "}
            {best.cost < now.cost
              ? `Cheapest of all: review from ${scoreText(best.reviewAt)}, decline from ${scoreText(best.declineAt)}: ${money(best.cost)}.`
              : "Nothing would have cost less."}{" "}
            Chosen on what has happened: it may be otherwise with what comes.
          </p>
          <details>
            <summary>The same as a table</summary>
            <CostTable points={points} which={which} name={name} present={present[which]} cheapest={cheapest[which]} />
          </details>
        </>
      )}
    </section>
  );
}

const counted = (count: number, one: string, more: string): string => `${whole(count)} ${count === 1 ? one : more}`;

const WIDTH = 640;
const HEIGHT = 250;
const LEFT = 64;
const RIGHT = 16;
const TOP = 50;
const BOTTOM = 46;

/** The cost by threshold: a step wherever a transaction has that score. */
function Curve({
  points,
  which,
  marks: { present, cheapest, at },
}: {
  points: readonly CostPoint[];
  which: Which;
  marks: { readonly present: CostPoint; readonly cheapest: CostPoint; readonly at: CostPoint };
}) {
  // From 0 on everything is stopped or looked at, which costs so much that all else would be a flat line beside it.
  const most = Math.max(...points.slice(1).map(({ cost }) => cost), 1);
  const x = (score: number): number => LEFT + (score / NEVER) * (WIDTH - LEFT - RIGHT);
  const y = (cost: number): number => HEIGHT - BOTTOM - (Math.min(cost, most) / most) * (HEIGHT - TOP - BOTTOM);
  // A step at each score at which something changes.
  const path = points
    .map(({ cost }, score) =>
      score === 0
        ? `M${x(0)} ${y(cost).toFixed(1)}`
        : cost === points[score - 1]!.cost
          ? ""
          : `H${x(score).toFixed(1)}V${y(cost).toFixed(1)}`,
    )
    .join("");
  const mark = (name: string, point: CostPoint, words: string, line: number) => (
    <g class={`cost-mark ${name}`}>
      <line x1={x(point[which])} x2={x(point[which])} y1={TOP} y2={HEIGHT - BOTTOM} />
      <circle cx={x(point[which])} cy={y(point.cost)} r="5" />
      <text
        x={x(point[which])}
        y={TOP - 8 - line * 20}
        text-anchor={point[which] > 850 ? "end" : point[which] < 150 ? "start" : "middle"}
      >
        {words} {scoreText(point[which])}
      </text>
    </g>
  );
  return (
    <svg
      class="cost-curve"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`Cost by threshold: ${money(present.cost)} at the present one, ${scoreText(present[which])}; least at ${scoreText(cheapest[which])}: ${money(cheapest.cost)}. The table below has the figures`}
    >
      {[0, 0.5, 1].map((part) => (
        <g key={part}>
          <line class="grid" x1={LEFT} x2={WIDTH - RIGHT} y1={y(part * most)} y2={y(part * most)} />
          <text x={LEFT - 8} y={y(part * most) + 4} text-anchor="end">
            {Math.round(part * most).toLocaleString("en-GB", { notation: "compact" })}
          </text>
        </g>
      ))}
      {[0, 200, 400, 600, 800, 1000].map((score) => (
        <text key={score} x={x(score)} y={HEIGHT - 26} text-anchor="middle">
          {score}
        </text>
      ))}
      <text x={(LEFT + WIDTH - RIGHT) / 2} y={HEIGHT - 5} text-anchor="middle">
        threshold
      </text>
      <path class="total" d={`${path}H${x(NEVER)}`} />
      <line class="cursor" x1={x(at[which])} x2={x(at[which])} y1={TOP} y2={HEIGHT - BOTTOM} />
      {mark("cheapest", cheapest, "cheapest", 0)}
      {mark("present", present, "now", 1)}
    </svg>
  );
}

function CostTable({
  points,
  which,
  name,
  present,
  cheapest,
}: {
  points: readonly CostPoint[];
  which: Which;
  name: string;
  present: number;
  cheapest: number;
}) {
  const shown = points.filter(
    (_, score) => score % TABLE_STEP === 0 || score === NEVER || score === present || score === cheapest,
  );
  return (
    <FiguresTable
      caption="Costs by threshold"
      columns={[
        name.replace(/^./, (letter) => letter.toUpperCase()),
        "Frauds let through",
        "Good stopped",
        "Looks",
        "Cost",
      ]}
      rows={shown.map((point) => ({
        key: point[which],
        class: point[which] === cheapest ? "cheapest" : "",
        head: (
          <>
            {scoreText(point[which])} {point[which] === present && <span class="badge">now</span>}{" "}
            {point[which] === cheapest && <span class="badge legitimate">cheapest</span>}
          </>
        ),
        figures: [whole(point.fraudsLetThrough), whole(point.goodStopped), whole(point.looks), money(point.cost)],
      }))}
    />
  );
}
