import dns from "node:dns";
import { type AddressInfo, connect } from "node:net";

import { fastify } from "fastify";
import { afterEach, describe, expect, it, vi } from "vitest";

import { limitConnections } from "./connections/limit-connections.js";
import { listenAlone } from "./listen-alone.js";

const ADDRESSES = ["127.0.0.1", "127.0.0.2"].map((address) => ({ address, family: 4 }));
/** A name that has both, on every machine; asked for all of them, or for one. */
function lookup(name: string, ...asked: readonly unknown[]): void {
  const done = asked.at(-1) as (...answer: unknown[]) => void;
  if ((asked[0] as dns.LookupOptions).all === true) done(null, ADDRESSES);
  else done(null, name === "localhost" ? "127.0.0.1" : name, 4);
}

const app = fastify({ forceCloseConnections: true });
afterEach(async () => {
  vi.restoreAllMocks();
  await app.close();
});

describe("a server that listens at a name with two addresses", () => {
  it("has one door, at which its connections are bounded", async () => {
    app.get("/", (_, reply) => void reply.send("got"));
    let dropped = 0;
    limitConnections(app.server, { connections: 2, requests: 1, onDropped: () => dropped++ });
    vi.spyOn(dns, "lookup").mockImplementation(lookup);
    await listenAlone(app, 0, "localhost");
    expect(app.addresses()).toHaveLength(1);
    const { address, port } = app.server.address() as AddressInfo;
    const sockets = [1, 2, 3].map(() => connect(port, address).on("error", () => undefined));
    await expect.poll(() => dropped, { timeout: 60_000 }).toBe(1);
    for (const socket of sockets) socket.destroy();
  });

  it("says when it cannot", async () => {
    const other = fastify({ forceCloseConnections: true });
    const { port } = (await listenAlone(other, 0, "127.0.0.1")).address() as AddressInfo;
    try {
      await expect(listenAlone(fastify(), port, "127.0.0.1")).rejects.toThrow(/EADDRINUSE/);
    } finally {
      await other.close();
    }
  });
});
