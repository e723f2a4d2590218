import { once } from "node:events";
import { createServer, IncomingMessage } from "node:http";
import type { Socket } from "node:net";

import { expect, it } from "vitest";

import { readNoMore } from "./read-no-more.js";
import { connectTo, get } from "./testing/client.js";

let made = 0;
class Counted extends IncomingMessage {
  constructor(socket: Socket) {
    super(socket);
    made++;
  }
}

it("What else came in one go is not read", async () => {
  const server = createServer({ IncomingMessage: Counted }, ({ url, socket }, response) => {
    if (url === "/too-many") readNoMore(socket);
    response.end("got");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const client = await connectTo(server);
  client.socket.write(get("/one") + get("/too-many") + get("/more").repeat(500));
  await expect.poll(() => client.text, { timeout: 60_000 }).toContain("got");
  // With the one at which it stops.
  expect(made).toBe(3);
  client.socket.destroy();
  server.close();
});
