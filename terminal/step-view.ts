import { createLogUpdate } from "log-update";
import pc from "picocolors";

import type { Step } from "./steps.js";
import { visible } from "./visible.js";

/**
 * Shows steps on a terminal, several at a time, each with what it is at; or, in a pipe or a log, as plain lines.
 *
 * @param stream - where to; reports go to the standard output, so this is usually the standard error
 */
export function stepView(stream: NodeJS.WriteStream = process.stderr): Step {
  const show = stream.isTTY ? liveView(stream) : plainView(stream);
  return async (text, work) => {
    const title = visible(text);
    const startedAt = Date.now();
    const seconds = () => `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
    show.running(title, "");
    try {
      const result = await work((line) => show.running(title, visible(line)));
      show.ended(title, `${pc.green("✔")} ${title} ${pc.dim(seconds())}`);
      return result;
    } catch (error) {
      show.ended(title, `${pc.red("✘")} ${title} ${pc.dim(seconds())}`);
      throw error;
    }
  };
}

interface View {
  running(title: string, detail: string): void;
  ended(title: string, line: string): void;
}

function plainView(stream: NodeJS.WriteStream): View {
  return {
    running: (title, detail) => stream.write(detail === "" ? `  ${title} …\n` : `  ${title}: ${detail}\n`),
    ended: (_title, line) => stream.write(`${line}\n`),
  };
}

function liveView(stream: NodeJS.WriteStream): View {
  const log = createLogUpdate(stream);
  const details = new Map<string, string>();
  const draw = () =>
    log(
      [...details]
        .map(([title, detail]) => `${pc.yellow("…")} ${title} ${pc.dim(detail)}`.slice(0, (stream.columns || 120) + 10))
        .join("\n"),
    );
  return {
    running(title, detail) {
      details.set(title, detail);
      draw();
    },
    ended(title, line) {
      details.delete(title);
      log.clear();
      stream.write(`${line}\n`);
      if (details.size > 0) draw();
      else log.done();
    },
  };
}
