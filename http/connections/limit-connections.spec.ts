import { once } from "node:events";
import { createServer, IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";

import { afterEach, describe, expect, it, vi } from "vitest";

import { AT_A_TIME, TURN_MS } from "./few-at-a-time.js";
import { CLIENTS_THAT_WAIT, limitConnections } from "./limit-connections.js";
import { type Client, connectTo, get } from "./testing/client.js";

/** More than the system takes for a connection. */
const LARGE = Buffer.alloc(16_000_000, "x");
let server: Server;
const held: ServerResponse[] = [];
let dropped = 0;
/** How many requests Node has made objects for. */
let made = 0;
class Counted extends IncomingMessage {
  constructor(socket: Socket) {
    super(socket);
    made++;
  }
}

async function start(connections: number, requests = 4, unreadBytes?: number): Promise<void> {
  held.length = dropped = made = 0;
  server = createServer({ IncomingMessage: Counted }, (request, response) => {
    if (request.url === "/hold") held.push(response);
    else if (request.url === "/large") response.end(LARGE);
    else if (request.url === "/twice-as-large") response.end(Buffer.concat([LARGE, LARGE]));
    else if (request.url === "/refuse") response.writeHead(403).end("refused");
    else if (request.method === "POST") request.resume().on("end", () => response.end("posted"));
    else response.end("got");
  });
  limitConnections(server, {
    connections,
    requests,
    ...(unreadBytes !== undefined && { unreadBytes }),
    onDropped: () => dropped++,
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
}
afterEach(() => {
  vi.useRealTimers();
  server.close();
  server.closeAllConnections();
});

const open = (): Promise<Client> => connectTo(server);
const answered = (client: Client, times = 1) =>
  expect.poll(() => client.text.split("got").length - 1, { timeout: 60_000 }).toBe(times);
const goes = (client: Client) => expect.poll(() => client.gone, { timeout: 60_000 }).toBe(true);

describe("connections", () => {
  it("that have waited longest for a request make room for new ones", async () => {
    await start(3);
    const [first, second, third] = [await open(), await open(), await open()];
    first.socket.write(get("/"));
    await answered(first);
    const fourth = await open();
    // The first one has been of use.
    await goes(second);
    fourth.socket.write(get("/"));
    await answered(fourth);
    expect([first.gone, third.gone, dropped]).toEqual([false, false, 1]);
  });

  it("that have been of use stay, however many come that never are", async () => {
    await start(3);
    const used = [await open(), await open()];
    for (const client of used) {
      client.socket.write(get("/"));
      await answered(client);
    }
    for (let n = 0; n < 20; n++) await open();
    for (const client of used) {
      client.socket.write(get("/"));
      await answered(client, 2);
    }
    expect(dropped).toBe(19);
  });

  it("that send nothing, or half a head, shut nobody out, however many there are", async () => {
    await start(3);
    for (let n = 0; n < 20; n++) (await open()).socket.write("GET / HT");
    const client = await open();
    client.socket.write(get("/"));
    await answered(client);
    expect(dropped).toBe(18);
  });

  it("whose requests never end are closed before those that wait for an answer", async () => {
    await start(2);
    const [slow, waiting] = [await open(), await open()];
    slow.socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12");
    waiting.socket.write(get("/hold"));
    await expect.poll(() => held.length, { timeout: 60_000 }).toBe(1);
    const client = await open();
    await goes(slow);
    client.socket.write(get("/hold"));
    await expect.poll(() => held.length, { timeout: 60_000 }).toBe(2);
    // All wait for the server now: there is no room for more.
    await goes(await open());
    held[0]!.end("got");
    await answered(waiting);
    expect(dropped).toBe(2);
  });

  it("whose answers are not read are closed before those that wait for an answer", async () => {
    await start(2);
    const [waiting, unread] = [await open(), await open()];
    unread.socket.pause();
    unread.socket.write(get("/large"));
    waiting.socket.write(get("/hold"));
    await expect.poll(() => held.length, { timeout: 60_000 }).toBe(1);
    const client = await open();
    client.socket.write(get("/"));
    await answered(client);
    unread.socket.resume();
    await goes(unread);
    expect([waiting.gone, dropped]).toEqual([false, 1]);
    held[0]!.end("got");
    await answered(waiting);
  });

  it("whose answers are not read are closed when that is too much of all of them, the largest first", async () => {
    await start(5, 4, 20_000_000);
    const clients = [await open(), await open(), await open()];
    for (const { socket } of clients) socket.pause();
    clients[0]!.socket.write(get("/large"));
    clients[1]!.socket.write(get("/large"));
    await expect.poll(() => dropped, { timeout: 60_000 }).toBe(1);
    clients[2]!.socket.write(get("/twice-as-large"));
    await expect.poll(() => dropped, { timeout: 60_000 }).toBe(2);
    for (const { socket } of clients) socket.resume();
    await goes(clients[2]!);
    const reading = clients.slice(0, 2).filter(({ gone }) => !gone);
    await expect.poll(() => reading.some(({ text }) => text.length > LARGE.length), { timeout: 60_000 }).toBe(true);
  });

  it("are not read while they have too many requests open, and are read again afterwards", async () => {
    await start(3);
    const client = await open();
    client.socket.write(get("/hold").repeat(4));
    await expect.poll(() => made, { timeout: 60_000 }).toBe(4);
    client.socket.write(get("/hold").repeat(4));
    const other = await open();
    other.socket.write(get("/"));
    await answered(other);
    expect(made).toBe(4 + 1);
    // One after the other.
    for (let times = 1; times <= 8; times++) {
      await expect.poll(() => held.length, { timeout: 60_000 }).toBe(1);
      held.pop()!.end("got");
      await answered(client, times);
    }
    expect(made).toBe(8 + 1);
  });

  it("that send far more requests in one go than they may have open are closed, and those are not worked on", async () => {
    await start(3, 4);
    const worked: string[] = [];
    server.on("request", ({ url }: { url?: string }) => worked.push(url!));
    const [many, tooMany, other] = [await open(), await open(), await open()];
    many.socket.write(get("/many").repeat(16));
    await answered(many, 16);
    tooMany.socket.write(get("/too-many").repeat(1_000));
    await goes(tooMany);
    expect(worked.filter((url) => url === "/too-many")).toHaveLength(1);
    // The rest is not even read.
    expect(made).toBeLessThan(16 + 20);
    // As often as it likes, one after the other.
    for (let times = 1; times <= 20; times++) {
      other.socket.write(get("/other"));
      await answered(other, times);
    }
    expect(many.gone || other.gone).toBe(false);
  });

  it("send two in one go, and no third, where clients wait for their answers", async () => {
    server = createServer((_, response) => response.end("got"));
    limitConnections(server, { connections: 3, ...CLIENTS_THAT_WAIT });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const worked: string[] = [];
    server.on("request", ({ url }: { url?: string }) => worked.push(url!));
    const [two, three] = [await open(), await open()];
    for (let times = 1; times <= 3; times++) {
      two.socket.write(get("/two").repeat(2));
      await answered(two, 2 * times);
    }
    three.socket.write(get("/three").repeat(3));
    await goes(three);
    expect(worked.filter((url) => url === "/three")).toHaveLength(1);
    expect(two.gone).toBe(false);
  });

  it("take turns when they send several in one go: one request, and others come", async () => {
    await start(3, 4);
    let [inTurn, most, worked] = [0, 0, 0];
    server.on("request", () => {
      worked++;
      most = Math.max(most, ++inTurn);
      setImmediate(() => (inTurn = 0));
    });
    const client = await open();
    client.socket.write(get("/many").repeat(16));
    await answered(client, 16);
    expect([worked, most]).toEqual([16, 1]);
  });

  it.each([
    ["expect what is not known here", "GET / HTTP/1.1\r\nHost: a\r\nExpect: more\r\n\r\n", "417"],
    ["name no host", "GET / HTTP/1.1\r\n\r\n", "400"],
  ])("are closed for their many requests in one go, also if these %s", async (_, request, status) => {
    await start(3, 4);
    const answers = vi.spyOn(ServerResponse.prototype, "writeHead");
    const [one, many] = [await open(), await open()];
    one.socket.write(request);
    await goes(one);
    expect(one.text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    many.socket.write(request.repeat(1_000));
    await goes(many);
    expect(answers).toHaveBeenCalledTimes(1 + 1);
    answers.mockRestore();
  });
});

describe("bodies that arrive together", () => {
  const HALF = 40_000;
  const head = (path: string): string => `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${2 * HALF}\r\n\r\n`;

  it.each([
    ["/read", "posted"],
    ["/refuse", "refused"],
  ])("are read a few at a time, and stay with the system meanwhile: %s", async (path, answer) => {
    // So none has its turn by itself.
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    await start(100);
    const sockets: Socket[] = [];
    server.on("connection", (socket) => sockets.push(socket));
    const clients: Client[] = [];
    for (let n = 0; n < AT_A_TIME + 8; n++) clients.push(await open());
    const each = (text: string): void => {
      for (const { socket } of clients) socket.write(text);
    };
    const read = (all: readonly Socket[]): number => all.reduce((sum, { bytesRead }) => sum + bytesRead, 0);
    const answeredAll = (text: string): boolean => clients.every((client) => client.text.includes(text));
    each(head(path));
    while (sockets.filter((socket) => socket.isPaused()).length < 8) await turn();
    const [waiting, others] = [true, false].map((paused) => sockets.filter((one) => one.isPaused() === paused));
    each("x".repeat(HALF));
    while (read(others!) < AT_A_TIME * (head(path).length + HALF)) await turn();
    const other = await open();
    other.socket.write(get("/"));
    while (!other.text.includes("got")) await turn();
    expect(read(waiting!)).toBe(8 * head(path).length);
    each("x".repeat(HALF));
    while (!answeredAll(answer) || read(sockets.slice(0, -1)) < clients.length * (head(path).length + 2 * HALF)) {
      vi.advanceTimersByTime(TURN_MS);
      await turn();
    }
    // Their connections go on.
    each(get("/"));
    while (!answeredAll("got")) await turn();
  });

  it("do not hold up one that comes with its head, or in the same moment", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    await start(100);
    for (let n = 0; n < AT_A_TIME; n++) (await open()).socket.write(head("/read"));
    const small = await open();
    small.socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
    while (!small.text.includes("posted")) await turn();
    const late = await open();
    late.socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n");
    await turn();
    late.socket.write("x");
    while (!late.text.includes("posted")) {
      vi.advanceTimersByTime(TURN_MS);
      await turn();
    }
  });
});
