import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

import { afterEach, describe, expect, it } from "vitest";

import { healthz, http, kafka, type Probe, zooKeeper } from "./probes.js";

const SHORT_MS = 200;
const NONE = { heard: "silence", healthy: false };
const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

async function listening(server: Server): Promise<number> {
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const answering = async (status: number, body: string): Promise<string> =>
  `http://127.0.0.1:${await listening(createHttpServer((_, response) => void response.writeHead(status, { connection: "close" }).end(body)))}`;

/** @returns the port of a server that does this with what it is sent */
const saying = (onData: (socket: Socket, data: Buffer) => void): Promise<number> =>
  listening(createServer((socket) => socket.on("data", (data) => onData(socket, data)).on("error", () => undefined)));

/** One that takes connections and is silent, as a stopped process does. */
const silent = (): Promise<number> => saying(() => undefined);

describe("a server's health", () => {
  it("is what it says", async () => {
    expect(await healthz(await answering(200, "ok"))).toEqual({ heard: "answer", healthy: true });
  });

  it("comes with the cause, where it tells one", async () => {
    const failing = [
      { consumer: "Kafka doors", cause: "it broke", restarts: 3 },
      { consumer: "committed decisions", cause: "so did this", restarts: 0 },
    ];
    expect(await healthz(await answering(503, JSON.stringify({ status: "failing", failing })))).toEqual({
      heard: "answer",
      healthy: false,
      cause: "Kafka doors: it broke; committed decisions: so did this",
    });
  });

  it("is bad with an answer that nobody understands", async () => {
    expect(await healthz(await answering(500, "<html>"))).toEqual({ heard: "answer", healthy: false });
    expect(await http(await answering(503, ""))).toEqual({ heard: "answer", healthy: false });
  });
});

describe("ZooKeeper's health", () => {
  it("is that it serves", async () => {
    const asked: string[] = [];
    const port = await saying((socket, data) => {
      asked.push(data.toString());
      socket.end("Zookeeper version: 3.5.9\nZxid: 0x1\nMode: standalone\nNode count: 5\n");
    });
    expect(await zooKeeper(port)).toEqual({ heard: "answer", healthy: true });
    expect(asked).toEqual(["srvr"]);
  });

  it("is bad while it serves nobody", async () => {
    const port = await saying((socket) => socket.end("This ZooKeeper instance is not currently serving requests\n"));
    expect(await zooKeeper(port)).toEqual({ heard: "answer", healthy: false });
  });

  it("is not known of one that hangs up", async () => {
    expect(await zooKeeper(await saying((socket) => socket.end()))).toEqual(NONE);
  });
});

describe("Kafka's health", () => {
  /** What it answers to a request, in two pieces, so that nobody may count on one. */
  const broker = (brokers: number): Promise<number> =>
    saying((socket, request) => {
      expect(request.readInt32BE(0)).toBe(request.length - 4);
      expect([request.readInt16BE(4), request.readInt16BE(6)]).toEqual([3, 1]);
      const response = Buffer.alloc(24);
      response.writeInt32BE(response.length - 4, 0);
      request.copy(response, 4, 8, 12);
      response.writeInt32BE(brokers, 8);
      socket.write(response.subarray(0, 3), () => setImmediate(() => socket.write(response.subarray(3))));
    });

  it("is that it is among the brokers that serve", async () => {
    expect(await kafka(await broker(1))).toEqual({ heard: "answer", healthy: true });
    expect(await kafka(await broker(0))).toEqual({ heard: "answer", healthy: false });
  });

  it("is not known of what answers another request", async () => {
    expect(
      await kafka(await saying((socket) => socket.write(Buffer.from("0000000801020304", "hex"))), SHORT_MS),
    ).toEqual(NONE);
    expect(await kafka(await saying((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")))).toEqual(NONE);
  });
});

describe.each<[string, (port: number) => Promise<Probe>]>([
  ["a server", (port) => healthz(`http://127.0.0.1:${port}`, SHORT_MS)],
  ["an interface by HTTP", (port) => http(`http://127.0.0.1:${port}/overview`, SHORT_MS)],
  ["ZooKeeper", (port) => zooKeeper(port, SHORT_MS)],
  ["Kafka", (port) => kafka(port, SHORT_MS)],
])("%s", (_, probe) => {
  it("that takes a connection and says nothing is silent, after the limit", async () => {
    expect(await probe(await silent())).toEqual(NONE);
  });

  it("that takes none refuses", async () => {
    expect(await probe(1)).toEqual({ heard: "refusal", healthy: false });
  });
});
