import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { poll } from "../../process/poll.js";
import { boundLog, earlierLog, keepLogsBounded } from "./bounded-log.js";

describe("a log", () => {
  let folder: string;
  let log: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "fraud-log-"));
    log = join(folder, "part.log");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("that is within its bound, or is not there, stays as it is", async () => {
    expect(await boundLog(log, 10)).toBe(false);
    appendFileSync(log, "0123456789");
    expect(await boundLog(log, 10)).toBe(false);
    expect(readFileSync(log, "utf8")).toBe("0123456789");
    expect(existsSync(earlierLog(log))).toBe(false);
  });

  it("that is too long begins anew, and its end is kept", async () => {
    appendFileSync(log, "the beginning, and its end");
    expect(await boundLog(log, 7)).toBe(true);
    expect(readFileSync(log, "utf8")).toBe("");
    expect(readFileSync(earlierLog(log), "utf8")).toBe("its end");
  });

  it.skipIf(!existsSync("/dev/full"))("stays as it is where there is no room for its end", async () => {
    appendFileSync(log, "the beginning, and its end");
    symlinkSync("/dev/full", `${earlierLog(log)}.new`);
    await expect(boundLog(log, 7)).rejects.toThrow("ENOSPC");
    expect(readdirSync(folder)).toEqual(["part.log"]);
    expect(readFileSync(log, "utf8")).toBe("the beginning, and its end");
  });

  it("keeps what is written while its end is copied", async () => {
    appendFileSync(log, "the beginning, and its end");
    const bounded = boundLog(log, 7);
    appendFileSync(log, ", and more");
    expect(await bounded).toBe(true);
    expect(readFileSync(log, "utf8")).toBe("");
    expect(readFileSync(earlierLog(log), "utf8")).toBe("its end, and more");
  });

  it("is written on by whoever has it open, and stays within its bound", async () => {
    const output = openSync(log, "a");
    const writer = spawn(
      process.execPath,
      ["-e", "let n = 0; setInterval(() => { for (let i = 0; i < 100; i++) console.log(++n); }, 1)"],
      { stdio: ["ignore", output, "inherit"] },
    );
    closeSync(output);
    try {
      let first = 0;
      for (let times = 0; times < 5; times++) {
        await poll("it to be too long", () => boundLog(log, 50_000), { timeoutMs: 60_000, intervalMs: 1 });
        await poll("more to be written", () => statSync(log).size > 10_000, { timeoutMs: 60_000, intervalMs: 1 });
        const text = readFileSync(earlierLog(log), "utf8") + readFileSync(log, "utf8");
        const lines = text.split("\n").slice(1, -1).map(Number);
        // Each once and in order. On a busy machine some may be missing: see boundLog.
        for (let at = 1; at < lines.length; at++) expect(lines[at]).toBeGreaterThan(lines[at - 1]!);
        expect(lines[0]).toBeGreaterThan(first);
        first = lines[0]!;
        expect(statSync(earlierLog(log)).size).toBeLessThan(1_000_000);
      }
    } finally {
      writer.kill("SIGKILL");
      await once(writer, "exit");
    }
  });

  it("is looked at until there is no more need", async () => {
    const end = new AbortController();
    const kept = keepLogsBounded(() => [log, join(folder, "none.log")], end.signal);
    end.abort();
    await kept;
  });
});
