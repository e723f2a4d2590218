import pc from "picocolors";

import { type ClusterEvent, describe } from "./cluster.js";

/** What happened to a part, for people; of one that died, with so many of the last lines of its log. */
export function eventText(event: ClusterEvent, lines: number): string {
  if (event.kind === "restarted") return `${event.part}: started again`;
  if (event.kind === "gave-up") return pc.red(`${event.part}: not started again, ${event.reason}`);
  return `${pc.red(`${event.part} died`)} (${describe(event.exit)}). The end of its log:\n${event.lastLines
    .slice(-lines)
    .map((line) => `    ${line}`)
    .join("\n")}`;
}
