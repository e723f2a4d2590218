import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, describe, expect, it } from "vitest";

import { healthz } from "./probes.js";

let server: Server | undefined;
afterEach(() => new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve))));

async function answering(status: number, body: string): Promise<string> {
  const listening = createServer((_, response) => void response.writeHead(status, { connection: "close" }).end(body));
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

describe("a server's health", () => {
  it("is what it says", async () => {
    expect(await healthz(await answering(200, "ok"))).toEqual({ healthy: true });
  });

  it("comes with the cause, where it tells one", async () => {
    const failing = [
      { consumer: "Kafka doors", cause: "it broke", restarts: 3 },
      { consumer: "committed decisions", cause: "so did this", restarts: 0 },
    ];
    expect(await healthz(await answering(503, JSON.stringify({ status: "failing", failing })))).toEqual({
      healthy: false,
      cause: "Kafka doors: it broke; committed decisions: so did this",
    });
  });

  it("is bad without an answer, or with one that cannot be understood", async () => {
    expect(await healthz(await answering(500, "<html>"))).toEqual({ healthy: false });
    expect(await healthz("http://127.0.0.1:1")).toEqual({ healthy: false });
  });
});
