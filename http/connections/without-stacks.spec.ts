import { once } from "node:events";
import { createServer } from "node:http";

import { expect, it } from "vitest";

import { connectTo, get } from "./testing/client.js";
import { withoutStacks } from "./without-stacks.js";

it("A request whose client goes away leaves an error without a stack, and others have theirs", async () => {
  const errors: Error[] = [];
  let asked = 0;
  const server = createServer((request) => {
    asked++;
    request.on("error", (error) => errors.push(error));
  });
  server.on("connection", withoutStacks);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const client = await connectTo(server);
  client.socket.write(get("/").repeat(3));
  await expect.poll(() => asked, { timeout: 60_000 }).toBe(3);
  client.socket.destroy();
  await expect.poll(() => errors.length, { timeout: 60_000 }).toBe(3);
  for (const { message, stack } of errors) expect([message, stack]).toEqual(["aborted", "Error: aborted"]);
  expect(new Error("another").stack).toContain("without-stacks.spec");
  server.close();
});
