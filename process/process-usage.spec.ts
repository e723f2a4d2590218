import { createServer, connect, type AddressInfo } from "node:net";
import { once } from "node:events";

import { describe, expect, it } from "vitest";

import { connectionsTo, processUsage } from "./process-usage.js";

describe("what processes use", () => {
  it("tells this process' memory and time", () => {
    const [own, ...others] = processUsage((pid) => pid === process.pid);
    expect(others).toEqual([]);
    expect(own!.memoryBytes).toBeGreaterThan(10e6);
    expect(own!.memoryBytes).toBeLessThanOrEqual(process.memoryUsage().rss * 1.2);
    expect(own!.cpuSeconds).toBeGreaterThan(0);
    expect(processUsage((_, group) => group === own!.group).map(({ pid }) => pid)).toContain(process.pid);
  });

  it.runIf(process.platform === "linux")("counts connections to a port, while they are open", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    expect(connectionsTo(port)).toBe(0);
    const sockets = [1, 2, 3].map(() => connect(port, "127.0.0.1"));
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    expect(connectionsTo(port)).toBe(3);
    for (const socket of sockets) socket.destroy();
    server.close();
  });
});
