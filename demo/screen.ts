import { createLogUpdate } from "log-update";

import type { LiveStats } from "../ingress-generator/live-stats.js";
import { type ClusterGlance, liveLine, liveView } from "./live-view.js";

const REDRAW_MS = 500;
const LINE_MS = 2_000;

/** Shows a run while it goes on: redrawn on a terminal, a line every two seconds elsewhere. */
export interface Screen {
  /** Prints something that stays. */
  say(text: string): void;
  /** Leaves the last view standing; may be called again. */
  close(): void;
}

export function openScreen(
  stats: LiveStats,
  glance: () => ClusterGlance,
  stream: NodeJS.WriteStream = process.stdout,
): Screen {
  if (!stream.isTTY) {
    const timer = setInterval(() => stream.write(`${liveLine(stats.snapshot(Date.now()), glance())}\n`), LINE_MS);
    return { say: (text) => void stream.write(`${text}\n`), close: () => clearInterval(timer) };
  }
  const log = createLogUpdate(stream);
  const draw = () => log(`\n${liveView(stats.snapshot(Date.now()), glance())}`);
  const timer = setInterval(draw, REDRAW_MS);
  let closed = false;
  return {
    say(text) {
      log.clear();
      stream.write(`${text}\n`);
      draw();
    },
    close() {
      if (closed) return;
      closed = true;
      clearInterval(timer);
      draw();
      log.done();
    },
  };
}
