import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

import { afterEach, expect, it, vi } from "vitest";

import { answerClientError } from "./client-error.js";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
  vi.restoreAllMocks();
});

async function listening(): Promise<number> {
  const server = createServer();
  server.on("clientError", answerClientError);
  await once(server.listen(0, "127.0.0.1"), "listening");
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

it.each([
  ["no HTTP", "what is this\r\n\r\n", 400],
  ["too long a head", `GET / HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(20_000)}\r\n\r\n`, 431],
])("answers %s with a problem, and ends the connection", async (_, sent, status) => {
  const socket = connect(await listening(), "127.0.0.1");
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString())).on("error", () => undefined);
  socket.write(sent);
  await once(socket, "close");
  const [head = "", body = ""] = text.split("\r\n\r\n");
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*\r\nContent-Type: application/problem\\+json\r\n`));
  expect(JSON.parse(body)).toMatchObject({ status, type: "about:blank" });
});

it("ends one connection in each turn, and answers once whatever else comes", () => {
  const turns: (() => void)[] = [];
  vi.spyOn(globalThis, "setImmediate").mockImplementation(((turn: () => void) => turns.push(turn)) as never);
  const sockets = Array.from({ length: 3 }, () => ({
    writable: true,
    destroyed: false,
    said: 0,
    pause: vi.fn(),
    write() {
      this.said++;
    },
    destroy() {
      this.destroyed = true;
    },
  }));
  const error = Object.assign(new Error("no HTTP"), { code: "HPE_INVALID_METHOD" });
  for (const socket of [...sockets, ...sockets]) answerClientError(error, socket as unknown as Socket);
  const ended: number[] = [];
  for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) {
    turn();
    ended.push(sockets.filter(({ destroyed }) => destroyed).length);
  }
  // Behind the last comes one with nothing to do.
  expect(ended).toEqual([1, 2, 3, 3]);
  expect(sockets.map(({ said }) => said)).toEqual([1, 1, 1]);
});
