import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, it } from "vitest";

import { fakeTimeLibrary, OwnClock } from "./fake-time.js";

const DAY_S = 24 * 3_600;
const folder = mkdtempSync(join(tmpdir(), "fraud-clock-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(fakeTimeLibrary() === undefined)("a clock of one program's own", () => {
  const clock = new OwnClock(join(folder, "clocks", "one"));
  const run = (command: string, ...args: readonly string[]): string =>
    execFileSync(command, args, { env: { ...process.env, ...clock.env }, encoding: "utf8" });

  it("is ahead by as many days as it is set, and files keep their times", () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    for (const days of [0, 1, 3]) {
      clock.setAhead(days);
      const aheadS = Number(run("date", "+%s")) - Date.now() / 1000;
      expect(Math.abs(aheadS - days * DAY_S)).toBeLessThan(600);
      expect(Number(run("stat", "-c", "%Y", file))).toBe(Math.floor(statSync(file).mtimeMs / 1000));
    }
  });

  it("is read while a program runs, which measures durations as before", () => {
    clock.setAhead(1);
    const program = `
      const began = [Date.now(), performance.now()];
      require("node:fs").writeFileSync(${JSON.stringify(join(folder, "clocks", "one"))}, "+2d\\n");
      const timer = setInterval(() => {
        if (Date.now() - began[0] < ${0.5 * DAY_S * 1000}) return;
        console.log(Math.round((Date.now() - began[0]) / ${DAY_S * 1000}), performance.now() - began[1] < 600_000);
        clearInterval(timer);
      }, 20);`;
    expect(run(process.execPath, "-e", program)).toBe("1 true\n");
  });

  it("lets threads wait without turning round", () => {
    clock.setAhead(1);
    const program = `
      const word = new Int32Array(new SharedArrayBuffer(4));
      const before = process.cpuUsage();
      for (let n = 0; n < 10; n++) Atomics.wait(word, 0, 0, 100);
      const used = process.cpuUsage(before);
      console.log((used.user + used.system) / 1000);`;
    expect(Number(run(process.execPath, "-e", program))).toBeLessThan(50);
  });
});
