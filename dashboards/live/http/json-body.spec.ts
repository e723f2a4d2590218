import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";

import { fastify } from "fastify";
import { expect, it } from "vitest";

import { HeldBytes } from "../../../statefun/held-bytes.js";
import { jsonBody } from "./json-body.js";

it("gives up the largest body that is still arriving when there is no room for more", async () => {
  const held = new HeldBytes(10_000);
  const app = fastify();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  app.post("/", { preHandler: jsonBody(8_192, held) }, (request, reply) => void reply.send(request.body));
  await app.ready();
  const { server } = app;
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const slow = Array.from({ length: 2 }, () => {
    const client = { text: "", socket: connect(port, "127.0.0.1") };
    client.socket.on("error", () => undefined).on("data", (chunk: Buffer) => (client.text += chunk.toString()));
    return client;
  });
  const head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 8000\r\n\r\n";
  slow[0]!.socket.write(head + " ".repeat(6_000));
  await expect.poll(() => held.bytes, { timeout: 20_000 }).toBe(6_000);
  slow[1]!.socket.write(head + " ".repeat(4_000));
  await expect.poll(() => held.bytes, { timeout: 20_000 }).toBe(10_000);
  const response = await fetch(`http://127.0.0.1:${port}`, { method: "POST", body: '{"a":1}' });
  expect([response.status, await response.json()]).toEqual([200, { a: 1 }]);
  await expect
    .poll(() => slow[0]!.text, { timeout: 20_000 })
    .toMatch(/^HTTP\/1.1 503 [^]*connection: close[^]*retry-after: 1[^]*send it again/i);
  expect(slow[1]!.text).toBe("");
  for (const { socket } of slow) socket.destroy();
  await expect.poll(() => held.bytes, { timeout: 20_000 }).toBe(0);
  server.close();
  server.closeAllConnections();
});
