import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { poll } from "../process/poll.js";
import { startProgram } from "../process/run-command.js";
import { k6Program, startK6 } from "../tools/index.js";
import { listenersBelow } from "./e2e/listeners.js";
import { PATIENCE_MS } from "./patience.js";

/** A program that listens, and starts another one that listens elsewhere and leaves its group. */
const PROGRAM = `
  const { spawn } = require("node:child_process");
  const listen = (host) => require("node:net").createServer().listen(0, host);
  if (process.argv[1] === "child") listen("0.0.0.0");
  else {
    listen("127.0.0.1");
    const child = spawn(process.execPath, ["-e", process.env.PROGRAM, "child"], { detached: true });
    process.on("SIGTERM", () => (child.kill("SIGKILL"), process.exit()));
  }
`;

describe.skipIf(process.platform !== "linux")("what listens", () => {
  it("is found below a process, whatever its group, and whether beyond loopback", async () => {
    const before = listenersBelow(process.pid);
    const own = createServer();
    await new Promise<void>((resolve) => own.listen(0, "127.0.0.1", resolve));
    const child = startProgram(process.execPath, ["-e", PROGRAM], { ...process.env, PROGRAM });
    try {
      const found = await poll(
        "three sockets more",
        () => {
          const now = listenersBelow(process.pid);
          return now.length >= before.length + 3 && now;
        },
        { timeoutMs: PATIENCE_MS },
      );
      expect(found).toContainEqual({ port: (own.address() as AddressInfo).port, loopback: true });
      expect(found.filter(({ loopback }) => !loopback)).toHaveLength(1);
    } finally {
      child.kill("SIGTERM");
      await child.finished;
      own.close();
    }
  });

  it.skipIf(!existsSync(k6Program()))("is nothing of k6", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fraud-k6-"));
    const before = listenersBelow(process.pid).map(({ port }) => port);
    const script = join(folder, "script.js");
    writeFileSync(
      script,
      'import { sleep } from "k6"; export default function () { console.log("runs"); sleep(600); }\n',
    );
    let said = "";
    const { finished, kill } = startK6(["run", script], (text) => (said += text));
    try {
      await poll("k6 to run", () => said.includes("runs"), { timeoutMs: PATIENCE_MS });
      expect(listenersBelow(process.pid).filter(({ port }) => !before.includes(port))).toEqual([]);
    } finally {
      kill("SIGKILL");
      await finished;
      rmSync(folder, { recursive: true });
    }
  });
});
