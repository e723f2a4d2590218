import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { describe, expect, it } from "vitest";

import { REPOSITORY_ROOT } from "./repository-root.js";

/** A device that has room for nothing. */
const FULL = "/dev/full";
const moduleAt = (name: string): string =>
  JSON.stringify(pathToFileURL(join(REPOSITORY_ROOT, `process/${name}.ts`)).href);

/** A program that prints thrice, a turn of the event loop apart, and then ends with 7. */
const program = (prepared: string): string => `
  ${prepared}
  let said = 0;
  const timer = setInterval(() => {
    console.log("a line");
    process.stderr.write("a line\\n");
    if (++said === 3) { clearInterval(timer); process.exitCode = 7; }
  }, 1);`;

async function exitCode(code: string, output: string): Promise<unknown> {
  const file = openSync(output, "a");
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], {
    cwd: REPOSITORY_ROOT,
    stdio: ["ignore", file, file],
  });
  closeSync(file);
  return (await once(child, "exit"))[0];
}

describe.skipIf(!existsSync(FULL))("a process whose output finds no room", () => {
  it("ends at the first line, as Node has it", async () => {
    expect(await exitCode(program(""), FULL)).toBe(1);
  });

  it("lives on when it is told to", async () => {
    expect(await exitCode(program(`(await import(${moduleAt("full-disk")})).surviveFullDisk();`), FULL)).toBe(7);
  });

  it("lives on when it logs as our servers do", async () => {
    const logging = `
      const logger = (await import(${moduleAt("server-log")})).serverLogger("a server");
      let said = 0;
      const timer = setInterval(() => {
        logger.info("a line");
        if (++said === 3) { clearInterval(timer); process.exit(7); }
      }, 1);`;
    expect(await exitCode(logging, FULL)).toBe(7);
  });
});
