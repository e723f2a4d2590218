import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

import { afterEach, describe, expect, it } from "vitest";

import { wasWritten, zookeeperWasWritten } from "./zookeeper-past.js";

const answer = (zxid: string) =>
  `Zookeeper version: 3.8.4\nLatency min/avg/max: 0/0.0/0\nZxid: ${zxid}\nMode: standalone\nNode count: 5\n`;

describe("ZooKeeper's past", () => {
  let close: () => void = () => undefined;
  afterEach(() => close());

  it("does not exist at transaction 0, and does from the first on", () => {
    expect(wasWritten(answer("0x0"))).toBe(false);
    expect(wasWritten(answer("0x1"))).toBe(true);
    expect(wasWritten(answer("0x1000000a3"))).toBe(true);
  });

  it("is not guessed when the command is refused", () => {
    expect(() => wasWritten("srvr is not executed because it is not in the whitelist.\n")).toThrow(
      /not in the whitelist/,
    );
    expect(() => wasWritten("")).toThrow(/nothing/);
  });

  it("is asked for over the wire", async () => {
    const server = createServer((socket) =>
      socket.once("data", (command) => socket.end(command.toString() === "srvr" ? answer("0x2f") : "")),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    close = () => server.close();
    expect(await zookeeperWasWritten(`127.0.0.1:${(server.address() as AddressInfo).port}`)).toBe(true);
  });
});
