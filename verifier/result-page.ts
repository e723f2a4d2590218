import { html, type Html, table } from "../terminal/html.js";
import type { PropertyResult } from "./property.js";

/** What was checked, how often, and what was found. */
export function propertiesSection(properties: readonly PropertyResult[]): Html {
  const broken = properties.filter(({ violations }) => violations > 0);
  return html`<h2>Properties</h2>${table(
    ["", "Property", "Claim", "#Looked at", "#Violations"],
    properties.map(({ name, claim, checked, violations }) => [
      violations === 0 ? "✔" : "✘",
      html`<code>${name}</code>`,
      claim,
      checked.toLocaleString("en"),
      violations.toLocaleString("en"),
    ]),
  )}
${broken.map(
  ({ name, examples, violations }) =>
    html`<h2 class="bad">Violations of ${name}${violations > examples.length ? ` (the first ${examples.length} of ${violations})` : ""}</h2>${table(
      ["What", "Records"],
      examples.map(({ what, records }) => [what, html`<code>${records.join(", ")}</code>`]),
    )}`,
)}`;
}
