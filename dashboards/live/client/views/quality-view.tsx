import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

import { amountText } from "../../../../money/amount-text.js";
import { DRIFTS, DRIFTS_FAR, scoreBands, type Share, shareOf } from "../../quality.js";
import type { Drift, FeatureDrift, ModelQuality, Quality } from "../../wire.js";
import { api } from "../api.js";
import { Costs } from "../components/costs.js";
import { FiguresTable } from "../components/figures-table.js";
import { whole } from "../format.js";

const REFRESH_MS = 5_000;

/** How well frauds are found, by the verdicts that have come so far. */
export function QualityView() {
  const { quality, failed } = useQuality();
  const [chosen, setChosen] = useState<string>();
  if (quality === undefined)
    return <p class="empty">{failed ? "The server does not answer. Trying again …" : "Loading …"}</p>;
  const model = quality.models.find(({ modelHash }) => modelHash === chosen) ?? quality.models[0];
  return (
    <section class="page quality" aria-labelledby="quality-title">
      <div class="page-head">
        <h1 id="quality-title">Quality</h1>
        <p class="muted">
          Of the newest {whole(quality.limit)} decisions, by the verdicts that have come so far. Of what nobody gives a
          verdict on, nothing is known.
        </p>
        {quality.models.length > 1 && (
          <label>
            Model{" "}
            <select value={model!.modelHash} onChange={(event) => setChosen(event.currentTarget.value)}>
              {quality.models.map(({ modelId, modelHash }) => (
                <option key={modelHash} value={modelHash}>
                  {modelId} {modelHash.slice(0, 8)}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      {model === undefined ? (
        <p class="empty">No decisions yet, so no labels yet.</p>
      ) : (
        <>
          <SoFar model={model} verdictsWithoutDecision={quality.verdictsWithoutDecision} />
          <Costs key={model.modelHash} model={model} />
          <div class="charts">
            <Calibration model={model} />
            <DriftCard drift={model.drift} />
            {model.featureDrift.length > 0 && <FeatureDriftCard features={model.featureDrift} />}
          </div>
        </>
      )}
    </section>
  );
}

/** Asks now and then: these figures change slowly, and few look at them. */
function useQuality(): { readonly quality: Quality | undefined; readonly failed: boolean } {
  const [quality, setQuality] = useState<Quality>();
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let left = false;
    const ask = (): void => {
      if (document.hidden) return;
      api.quality().then(
        (answer) => {
          if (left) return;
          setQuality(answer);
          setFailed(false);
        },
        () => !left && setFailed(true),
      );
    };
    ask();
    const timer = setInterval(ask, REFRESH_MS);
    document.addEventListener("visibilitychange", ask);
    return () => {
      left = true;
      clearInterval(timer);
      document.removeEventListener("visibilitychange", ask);
    };
  }, []);
  return { quality, failed };
}

const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;

const interval = ({ part, of, from, to }: Share): string =>
  `${whole(part)} of ${whole(of)}; 95 %: ${percent(from)} to ${percent(to)}`;

/** What labels say, and how many there are. */
function SoFar({
  model: { modelId, suspicious, approved, value },
  verdictsWithoutDecision,
}: {
  model: ModelQuality;
  verdictsWithoutDecision: number;
}) {
  const labelled = (counts: typeof suspicious): number => counts.frauds + counts.genuine;
  const all = labelled(suspicious) + labelled(approved);
  const precision = shareOf(suspicious.frauds, labelled(suspicious));
  const recall = shareOf(suspicious.frauds, suspicious.frauds + approved.frauds);
  const known = shareOf(suspicious.frauds, suspicious.decided);
  return (
    <section class="card" aria-label="So far">
      <h2>So far: {modelId}</h2>
      {all === 0 && <p class="no-labels">No labels yet. They come from the label feed, and from verdicts on alerts.</p>}
      <dl class="quality-figures">
        <Figure name="With a label" id="labelled" value={whole(all)}>
          of {whole(suspicious.decided + approved.decided)} decisions
        </Figure>
        <Figure name="Precision of what is suspicious" id="precision" value={precision && percent(precision.value)}>
          {precision === undefined
            ? "no suspicious one has a label"
            : `frauds among those with a label: ${interval(precision)}`}
        </Figure>
        <Figure name="Known frauds among all that is suspicious" id="at-least" value={known && percent(known.value)}>
          {known === undefined ? "nothing was suspicious" : `${interval(known)}. The precision is at least that`}
        </Figure>
        <Figure name="Recall of known frauds" id="recall" value={recall && percent(recall.value)}>
          {recall === undefined ? "no fraud is known" : `suspicious: ${interval(recall)}`}
        </Figure>
        {value.map(({ currency, detectedMinor, missedMinor }) => (
          <Figure
            key={currency}
            name={`Value detected, ${currency}`}
            id={`value-${currency}`}
            value={percent(detectedMinor / (detectedMinor + missedMinor))}
          >
            {amountText(detectedMinor, currency)} of {amountText(detectedMinor + missedMinor, currency)} of known frauds
          </Figure>
        ))}
        <Figure name="Still without a label" id="unlabelled" value={whole(suspicious.decided - labelled(suspicious))}>
          suspicious ones, and {whole(approved.decided - labelled(approved))} approved ones
        </Figure>
        {verdictsWithoutDecision > 0 && (
          <Figure name="Labels without their decision" id="without-decision" value={whole(verdictsWithoutDecision)}>
            it is older than the newest ones, has not come yet, or could not be scored
          </Figure>
        )}
      </dl>
    </section>
  );
}

function Figure({
  name,
  id,
  value,
  children,
}: {
  name: string;
  id: string;
  value: string | undefined;
  children: ComponentChildren;
}) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <b data-figure={id}>{value ?? "–"}</b> <span class="muted">{children}</span>
      </dd>
    </div>
  );
}

/** Whether a higher score means more fraud. */
function Calibration({ model: { scores } }: { model: ModelQuality }) {
  return (
    <section class="card">
      <h2>What a score turned out to mean</h2>
      <FiguresTable
        caption="Fraud by score"
        columns={["Score", "Decided", "Labelled", "Fraud", "Of the labelled", "Of all"]}
        rows={scoreBands(scores).map(({ from, to, decided, frauds, genuine }) => ({
          key: from,
          head: `${from}–${to}`,
          figures: [
            whole(decided),
            whole(frauds + genuine),
            whole(frauds),
            <ShareOfLabelled share={shareOf(frauds, frauds + genuine)} />,
            percent(frauds / decided),
          ],
        }))}
      />
      <p class="muted">
        Where mostly frauds get labels, the share of the labelled is too high; that of all is too low while labels are
        still to come.
      </p>
    </section>
  );
}

function ShareOfLabelled({ share }: { share: Share | undefined }) {
  if (share === undefined) return <>–</>;
  return (
    <>
      {percent(share.value)}{" "}
      <small class="muted">
        {percent(share.from)} to {percent(share.to)}
      </small>
    </>
  );
}

const SCALE_WIDTH = 300;
const SCALE_END = 0.4;

/** How far scores are from the model's reference. */
function DriftCard({ drift }: { drift: Drift | null }) {
  return (
    <section class="card" aria-label="Drift">
      <h2>Drift of scores</h2>
      {drift === null ? (
        <p class="muted">
          This model has no reference to compare with: models of points have none. Models of trees say how rare a score
          is.
        </p>
      ) : (
        <>
          {drift.index === null ? (
            <p>
              {whole(drift.decisions)} decisions within {drift.minutes} minutes: too few to tell; it takes{" "}
              {whole(drift.least)}.
            </p>
          ) : (
            <StabilityIndex index={drift.index} of="the scores" />
          )}
          <FiguresTable
            caption="Scores next to the reference"
            columns={["Scores from", `Share of ${drift.minutes} min`, "Reference"]}
            rows={drift.bands.map(({ from, share, reference }) => ({
              key: from,
              head: from,
              figures: [percent(share), percent(reference)],
            }))}
          />
        </>
      )}
    </section>
  );
}

const driftWords = (index: number): readonly [tone: string, words: string] =>
  index > DRIFTS_FAR ? ["decline", "far off"] : index > DRIFTS ? ["review", "drifting"] : ["good", "steady"];

/** How far each main feature is from what the model was trained on. */
function FeatureDriftCard({ features }: { features: readonly FeatureDrift[] }) {
  return (
    <section class="card" aria-label="Drift of features">
      <h2>Drift of features</h2>
      <p class="muted">
        Population stability index of a sample of {features[0]!.minutes} minutes, against what the model was trained on:
        above {DRIFTS.toFixed(2)} it drifts, above {DRIFTS_FAR.toFixed(2)} it is far off. It takes{" "}
        {whole(features[0]!.least)} values to tell.
      </p>
      <FiguresTable
        caption="Drift by feature"
        columns={["Feature", "Values", "Index"]}
        rows={features.map(({ feature, label, decisions, index }) => ({
          key: feature,
          title: feature,
          head: <span class="wrap">{label}</span>,
          figures: [whole(decisions), <IndexOfFeature index={index} />],
        }))}
      />
    </section>
  );
}

function IndexOfFeature({ index }: { index: number | null }) {
  if (index === null) return <>–</>;
  const [tone, words] = driftWords(index);
  return (
    <span class={`index ${tone}`}>
      {index.toFixed(2)} {words}
    </span>
  );
}

/** A population stability index, with where it begins to matter. */
function StabilityIndex({ index, of }: { index: number; of: string }) {
  const x = (value: number): number => (Math.min(value, SCALE_END) / SCALE_END) * SCALE_WIDTH;
  const [tone, words] = driftWords(index);
  return (
    <>
      <p class={`index ${tone}`}>
        <b data-figure="psi">{index.toFixed(2)}</b> {words}
        <span class="muted"> population stability index of {of}</span>
      </p>
      <svg
        class={`index-scale ${tone}`}
        viewBox={`0 0 ${SCALE_WIDTH + 20} 30`}
        role="img"
        aria-label={`${index.toFixed(2)} on a scale on which ${DRIFTS} is drift and ${DRIFTS_FAR} far off`}
      >
        <rect class="ground" x="0" y="4" width={SCALE_WIDTH} height="8" rx="4" />
        <rect class="value" x="0" y="4" width={Math.max(2, x(Math.max(0, index)))} height="8" rx="4" />
        {[DRIFTS, DRIFTS_FAR].map((mark) => (
          <g key={mark}>
            <line x1={x(mark)} x2={x(mark)} y1="0" y2="16" />
            <text x={x(mark)} y="27" text-anchor="middle">
              {mark.toFixed(2)}
            </text>
          </g>
        ))}
      </svg>
    </>
  );
}
