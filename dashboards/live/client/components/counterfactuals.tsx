import type { CounterfactualLine } from "../../wire.js";

/** What would have had to be different for an approval: each line alone would have done. */
export function Counterfactuals({ lines }: { lines: readonly CounterfactualLine[] }) {
  return (
    <details class="counterfactuals">
      <summary>What would have been approved</summary>
      {lines.length === 0 ? (
        <p class="muted">No other value of a single feature: several had to be different.</p>
      ) : (
        <>
          <p class="muted">
            Each of these alone, all other features as they are. It says what the model would have done, not what a
            customer could do: features hang together.
          </p>
          <ul class="rules quiet">
            {lines.map(({ name, label, was, wanted }) => (
              <li key={`${name} ${wanted}`} title={name}>
                {label}: <b>{wanted}</b> <span class="muted">instead of {was}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </details>
  );
}
