import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, expect, it } from "vitest";

import { followLog } from "./follow-log.js";

const folder = mkdtempSync(join(tmpdir(), "fraud-follow-"));
afterEach(() => rmSync(folder, { recursive: true }));

it("shows a log's end and what comes to it, when it begins anew too, and nothing that a terminal would obey", async () => {
  const file = join(folder, "kafka.log");
  writeFileSync(file, "one\ntwo\nthree \u001b[2J\n");
  const shown: string[] = [];
  const end = new AbortController();
  const followed = followLog(file, 2, end.signal, (line) => shown.push(line));
  const patient = { timeout: 60_000 };
  await expect.poll(() => shown, patient).toEqual(["two", "three \\u{1b}[2J"]);
  appendFileSync(file, "four \u202e\n");
  await expect.poll(() => shown, patient).toContain("four \\u{202e}");
  renameSync(file, `${file}.1`);
  writeFileSync(file, "five\n");
  await expect.poll(() => shown, patient).toContain("five");
  end.abort();
  await followed;
});
