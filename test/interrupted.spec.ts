import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { REPOSITORY_ROOT } from "../process/repository-root.js";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "fraud-interrupted-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("a program that is interrupted", () => {
  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "by %s stops in order, whether anybody hears it or not",
    async (signal) => {
      const stopped = join(folder, "stopped");
      const program = `
      const { interrupted } = await import(${JSON.stringify(pathToFileURL(join(REPOSITORY_ROOT, "terminal/interrupted.ts")).href)});
      const { writeFileSync } = await import("node:fs");
      const { wait } = interrupted();
      const going = setInterval(() => {}, 1000);
      console.log("ready");
      await wait;
      for (let n = 0; n < 10; n++) {
        if (${signal === "SIGHUP"}) console.log("stopping");
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      writeFileSync(${JSON.stringify(stopped)}, "");
      clearInterval(going);`;
      const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], {
        cwd: REPOSITORY_ROOT,
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(child.stdout, "data");
      // As a terminal does that is closed.
      if (signal === "SIGHUP") child.stdout.destroy();
      child.kill(signal);
      if (signal === "SIGHUP") child.kill(signal);
      expect(await once(child, "exit")).toEqual([0, null]);
      expect(existsSync(stopped)).toBe(true);
    },
  );
});
