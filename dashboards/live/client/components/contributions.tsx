import type { DecisionDetail, FeatureLine } from "../../wire.js";

const GROUPS: readonly (readonly [FeatureLine["group"], string])[] = [
  ["transaction", "Transaction"],
  ["account", "Account"],
  ["merchant", "Merchant"],
];

/** Which rules gave how many points, by which features; then every feature that is known, and how many are not. */
export function Contributions({ decision }: { decision: DecisionDetail }) {
  const fired = decision.rules.filter((rule) => rule.fired);
  const others = decision.rules.filter((rule) => !rule.fired);
  return (
    <section class="card">
      <h2>How the score came about</h2>
      {decision.error !== "" && <p class="problem">{decision.error}</p>}
      {!decision.modelKnown && <p class="muted">The model's file is not here, so only the reasons are known.</p>}
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
                      <td class="number points">{feature.points > 0 && `+${feature.points}`}</td>
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
    </section>
  );
}
