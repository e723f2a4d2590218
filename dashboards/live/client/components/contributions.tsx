import { probabilityText, signed } from "../../../../contract/scoring-text.js";
import type { ChallengerLine, ContributionLine, DecisionDetail, FeatureLine } from "../../wire.js";
import { OUTCOME_WORDS } from "../format.js";
import { Counterfactuals } from "./counterfactuals.js";

/** Contributions that are shown at once. */
const SHOWN = 8;

const GROUPS: readonly (readonly [FeatureLine["group"], string])[] = [
  ["transaction", "Transaction"],
  ["account", "Account"],
  ["merchant", "Merchant"],
];

/**
 * Which rules gave how many points, by which features, or what each feature contributed; then every feature that is
 * known, and how many are not; and what a challenger made of it.
 */
export function Contributions({ decision }: { decision: DecisionDetail }) {
  const fired = decision.rules.filter((rule) => rule.fired);
  const others = decision.rules.filter((rule) => !rule.fired);
  return (
    <section class="card">
      <h2>How the score came about</h2>
      {decision.error !== "" && <p class="problem">{decision.error}</p>}
      {!decision.modelKnown && (
        <p class="muted">
          The model's file is not here, so only{" "}
          {decision.contributions.length > 0 ? "what the evidence says is known" : "the reasons are known"}.
        </p>
      )}
      {decision.contributions.length > 0 && <SignedList lines={decision.contributions} />}
      {fired.length > 0 && (
        <ul class="rules">
          {fired.map((rule) => (
            <li key={rule.code} class="fired">
              <div class="rule-head">
                <span>{rule.words}</span>
                <b>+{rule.points}</b>
              </div>
              <div class="bar" aria-hidden="true">
                <i style={{ width: `${rule.points / 10}%` }} />
              </div>
              <p class="muted">
                {rule.conditions.map(({ label, wanted, value }) => (
                  <span key={label} class="condition">
                    {label}: <b>{value || "not known"}</b> ({wanted})
                  </span>
                ))}
              </p>
            </li>
          ))}
        </ul>
      )}
      {others.length > 0 && (
        <details>
          <summary>{others.length} rules that did not fire</summary>
          <ul class="rules quiet">
            {others.map((rule) => (
              <li key={rule.code}>
                <div class="rule-head">
                  <span>{rule.words}</span>
                  <span>{rule.points}</span>
                </div>
                <p class="muted">
                  {rule.conditions.map(({ label, wanted, value, holds }) => (
                    <span key={label} class={`condition ${holds ? "holds" : ""}`}>
                      {label}: <b>{value || "not known"}</b> ({wanted})
                    </span>
                  ))}
                </p>
              </li>
            ))}
          </ul>
        </details>
      )}
      {decision.counterfactuals !== null && <Counterfactuals lines={decision.counterfactuals} />}
      <details>
        <summary>All features</summary>
        <div class="features">
          {GROUPS.map(([group, title]) => {
            const own = decision.features.filter((feature) => feature.group === group);
            const known = own.filter(({ value }) => value !== "");
            return (
              <table key={group}>
                <caption>{title}</caption>
                <tbody>
                  {known.map((feature) => (
                    <tr key={feature.name} class={feature.points > 0 ? "fired" : ""} title={feature.name}>
                      <th scope="row">{feature.label}</th>
                      <td class="number">{feature.value}</td>
                      <td class="number points">{feature.points !== 0 && signed(feature.points)}</td>
                    </tr>
                  ))}
                  {own.length > known.length && (
                    <tr class="muted">
                      <th scope="row">not known</th>
                      <td class="number">{own.length - known.length} more</td>
                      <td />
                    </tr>
                  )}
                </tbody>
              </table>
            );
          })}
        </div>
      </details>
      {decision.challenger !== null && <Challenger challenger={decision.challenger} />}
    </section>
  );
}

/** What each feature contributed, the largest first: bars to the right are towards fraud, to the left genuine. */
function SignedList({ lines }: { lines: readonly ContributionLine[] }) {
  const moved = lines.filter(({ points }) => points !== 0);
  const largest = Math.max(...moved.map(({ points }) => Math.abs(points)));
  const items = (some: readonly ContributionLine[]) => (
    <ul class="rules">
      {some.map((line) => (
        <Contributed key={line.name} line={line} largest={largest} />
      ))}
    </ul>
  );
  return (
    <div class="contributions">
      <p class="muted">
        Told against an ordinary transaction, whose features have the median of genuine ones: what each feature&apos;s
        own value changes on average when it takes the ordinary one&apos;s place. 69 points double the odds of fraud,
        −69 halve them.
      </p>
      {items(moved.slice(0, SHOWN))}
      {moved.length > SHOWN && (
        <details>
          <summary>{moved.length - SHOWN} smaller ones</summary>
          {items(moved.slice(SHOWN))}
        </details>
      )}
      {moved.length < lines.length && <p class="muted">Less than one point each: {lines.length - moved.length}.</p>}
    </div>
  );
}

function Contributed({
  line: { name, label, value, ordinary, points },
  largest,
}: {
  line: ContributionLine;
  largest: number;
}) {
  const half = (Math.abs(points) / largest) * 50;
  return (
    <li class={points > 0 ? "fired" : "genuine"} title={name}>
      <div class="rule-head">
        <span>{label}</span>
        <b>{signed(points)}</b>
      </div>
      <div class="bar" aria-hidden="true">
        <i style={{ width: `${half}%`, marginLeft: `${points > 0 ? 50 : 50 - half}%` }} />
      </div>
      <p class="muted">
        <b>{value || "not known"}</b>
        {ordinary !== "" && ` (ordinary: ${ordinary})`}, towards {points > 0 ? "fraud" : "genuine"}
      </p>
    </li>
  );
}

/** The model that scores beside the one that decides. */
function Challenger({
  challenger: { modelId, modelHash, score, probabilityPpm, outcome, agrees, error },
}: {
  challenger: ChallengerLine;
}) {
  return (
    <section class="challenger" aria-label="The challenger">
      <h3>
        The challenger <span class="badge quiet">shadow: changes nothing</span>
      </h3>
      <p>
        {modelId} <code title={modelHash}>{modelHash.slice(0, 12)}</code>{" "}
        {outcome === "ERROR" ? (
          <>could not score it{error !== "" && `: ${error}`}.</>
        ) : (
          <>
            gives it <b>{score}</b> of 1000
            {probabilityPpm !== null && `, ${probabilityText(probabilityPpm)} likely fraud`}: {OUTCOME_WORDS[outcome]}.{" "}
            <b>{agrees ? "It agrees." : "It does not agree."}</b>
          </>
        )}
      </p>
    </section>
  );
}
