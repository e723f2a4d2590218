import pc from "picocolors";

import { visible } from "../terminal/visible.js";
import type { PropertyResult } from "./property.js";
import type { Verification } from "./verify.js";

/** The counts in one line. */
export const resultText = ({
  accepted,
  decisions,
  missing,
  duplicates,
  decidedAgain = 0,
  outOfOrder,
  mismatches,
}: Verification): string =>
  `${accepted.toLocaleString("en")} accepted, ${decisions.toLocaleString("en")} decided: ${missing} missing, ${duplicates} duplicates, ${outOfOrder} out of order, ${mismatches} mismatches${decidedAgain > 0 ? `; ${decidedAgain} decided again, long after, and marked` : ""}`;

/** A line for each property, followed by its first violations. */
export function propertyLines(properties: readonly PropertyResult[]): string[] {
  return properties.flatMap(({ name, checked, violations, examples }) => [
    `${violations === 0 ? pc.green("✔") : pc.red("✘")} ${name.padEnd(20)} ${String(checked).padStart(10)} looked at, ${violations} violations`,
    ...examples.slice(0, 5).map(({ what, records }) => pc.red(visible(`    ${what} [${records.join(", ")}]`))),
  ]);
}
