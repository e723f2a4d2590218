import type { VerdictName } from "../../wire.js";
import { Icon } from "./icon.js";

export const VERDICT_WORDS: Readonly<Record<VerdictName, string>> = { FRAUD: "fraud", LEGITIMATE: "false alarm" };

export function VerdictBadge({ verdict }: { verdict: VerdictName | null }) {
  if (verdict === null) return null;
  return (
    <span class={`badge verdict ${verdict.toLowerCase()}`}>
      <Icon name={verdict === "FRAUD" ? "flag" : "check"} />
      {VERDICT_WORDS[verdict]}
    </span>
  );
}
