import { once } from "node:events";
import { createServer, type Server } from "node:http";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { answerInsteadOfNode, namesNoHost } from "./instead-of-node.js";
import { connectTo } from "./testing/client.js";

let server: Server;
let seen: (string | undefined)[];
beforeEach(async () => {
  seen = [];
  server = createServer((request, response) => {
    seen.push(request.url);
    if (!namesNoHost(request, response)) response.end("got");
  });
  answerInsteadOfNode(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
});

describe("a request that Node itself would answer", () => {
  it.each([
    ["expects what is not known here", "GET / HTTP/1.1\r\nHost: a\r\nExpect: more\r\n\r\n", "417", 0],
    ["names no host", "GET / HTTP/1.1\r\n\r\n", "400", 1],
  ])("is refused when it %s, and its connection closed", async (_, request, status, times) => {
    const client = await connectTo(server);
    client.socket.write(request);
    await expect.poll(() => client.gone, { timeout: 60_000 }).toBe(true);
    expect(client.text).toMatch(new RegExp(`^HTTP/1.1 ${status} .*\r\nconnection: close\r\n`, "i"));
    expect(seen).toHaveLength(times);
  });

  it("is answered when it is of HTTP/1.0, which has no hosts", async () => {
    const client = await connectTo(server);
    client.socket.write("GET / HTTP/1.0\r\n\r\n");
    await expect.poll(() => client.text, { timeout: 60_000 }).toContain("got");
  });
});
