import pc from "picocolors";

import { visible } from "../terminal/visible.js";
import { type ClusterEvent, describe } from "./cluster.js";

/** What happened to a part, for people; if it died, with this many of the last lines of its log. */
export function eventText(event: ClusterEvent, lines: number): string {
  if (event.kind === "restarted") return `${event.part}: started again`;
  if (event.kind === "hung")
    return pc.red(`${event.part} hangs, and is replaced: ${event.why} (process ${event.pid}, killed)`);
  if (event.kind === "keeps-dying")
    return pc.red(`${event.part}: ${visible(event.reason)}. It is started again and again until it stays up`);
  if (event.kind === "aborted")
    return `kafka: aborted a transaction that nobody would have ended: ${visible(event.transactionalId)}, begun at ${new Date(event.startedAtMs).toISOString()}`;
  if (event.kind === "gave-up") return pc.red(`${event.part}: not started again, ${visible(event.reason)}`);
  return `${pc.red(`${event.part} died`)} (${describe(event.exit)}). The end of its log:\n${event.lastLines
    .slice(-lines)
    .map((line) => `    ${visible(line)}`)
    .join("\n")}`;
}
