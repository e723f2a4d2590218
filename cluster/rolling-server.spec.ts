import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { afterEach, describe, expect, it } from "vitest";

import { poll } from "../process/poll.js";
import { REPOSITORY_ROOT } from "../process/repository-root.js";
import { encodeCalls, postBatch } from "../statefun/testing/batch-client.js";
import { rollingServer } from "./settings.js";

let server: ChildProcess | undefined;
afterEach(async () => {
  if (server?.exitCode !== null) return;
  server.kill("SIGTERM");
  await once(server, "exit");
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("a server that is replaced", () => {
  it("moves busy clients to the new worker at once, without a failed attempt", async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const { command, args } = rollingServer(join(REPOSITORY_ROOT, "functions/server.ts"));
    let said = "";
    server = spawn(command, [...args], {
      env: { ...process.env, HOST: "127.0.0.1", PORT: String(port) },
      stdio: ["ignore", "ignore", "pipe"],
    });
    server.stderr!.on("data", (chunk: Buffer) => (said += chunk.toString()));
    await poll("the server to listen", async () => (await fetch(`${url}/healthz`)).ok, { timeoutMs: 60_000 });

    // A few connections that are never idle, like those of the batching transport.
    const agents = [1, 2].map(() => new Agent({ keepAlive: true, maxSockets: 1 }));
    const body = encodeCalls([]);
    let isDone = false;
    let closed = 0;
    const clients = agents.map(async (agent) => {
      while (!isDone) {
        const response = await postBatch(`${url}/statefun/batch`, body, { agent });
        await response.ended;
        expect(response.status).toBe(200);
        if (response.headers.connection === "close") closed++;
      }
    });
    server.kill("SIGHUP");
    await poll("the exchange", () => said.includes("drains"), { timeoutMs: 60_000 });
    const old = Number(/worker (\d+) drains/.exec(said)![1]);
    // Far less than the time limit after which it would be killed.
    await poll("the old worker to end", () => !isAlive(old), { timeoutMs: 10_000 });
    isDone = true;
    await Promise.all(clients);
    for (const agent of agents) agent.destroy();
    expect(closed).toBe(agents.length);
    expect(said).not.toContain("the worker ended");
  }, 180_000);
});
