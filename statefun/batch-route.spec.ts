import { Agent, createServer, get, type RequestListener, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setImmediate as turn } from "node:timers/promises";

import express from "express";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Address as Sample, FromFunction, ToFunction } from "./gen/io/statefun/reqreply.js";
import { encode, typeUrlOf } from "./any.js";
import { expressMiddleware } from "./express.js";
import { nodeHttpListener } from "./http.js";
import { RequestReplyHandler, StatefulFunctions } from "./index.js";
import { type BatchResponse, decodeReplies, encodeCalls, postBatch } from "./testing/batch-client.js";

/** The content type that a single call is sent with. */
const SINGLE = { "content-type": "application/octet-stream" };

const MAX_BYTES = 4 * 1024 * 1024;
const logged: { readonly message: string; readonly details: object }[] = [];
/** What functions have begun to do, in order. */
const ran: string[] = [];
/** Functions that are waiting, and how to release them. */
const waiting = new Map<string, { readonly go: () => void; readonly fail: (why: Error) => void }>();

/** Bound under names that say what they do with the text of their message. */
const functions = new StatefulFunctions()
  .bind("demo/echo", (context, message) => {
    const { id } = message.unpack(Sample);
    ran.push(id);
    context.packAndSend({ typename: "demo/next", id: "1" }, Sample, sample(id));
  })
  .bind("demo/fail", () => {
    throw new Error("out of luck");
  })
  .bind("demo/wait", async (context, message) => {
    const { id } = message.unpack(Sample);
    ran.push(id);
    await new Promise<void>((go, fail) => waiting.set(id, { go, fail }));
    context.packAndSend({ typename: "demo/next", id: "1" }, Sample, sample(id));
  })
  .bind("demo/soon", () => Promise.resolve())
  .bind("demo/work", (_, message) => {
    const [name, ms] = message.unpack(Sample).id.split(" ");
    ran.push(name!);
    const end = performance.now() + Number(ms);
    while (performance.now() < end);
  })
  .bind("demo/large", (context, message) => {
    ran.push(message.unpack(Sample).id);
    context.packAndSend({ typename: "demo/next", id: "1" }, Sample, sample("x".repeat(256 * 1024)));
  });
const handler = new RequestReplyHandler(functions, {
  maxBodyBytes: MAX_BYTES,
  // A client that does not read is to be given more than it takes.
  maxReplyBytes: 64 * 1024 * 1024,
  maxBatchCalls: 100,
  logger: { error: (details, message) => logged.push({ message, details }) },
});

function sample(id: string): Sample {
  return { namespace: "", type: "", id };
}
const call = (type: string, text = ""): Uint8Array =>
  ToFunction.encode({
    request: {
      $case: "invocation",
      value: {
        target: { namespace: "demo", type, id: "ada" },
        state: [],
        invocations: [
          {
            caller: undefined,
            argument: { typename: typeUrlOf(Sample), hasValue: true, value: encode(Sample, sample(text)) },
          },
        ],
      },
    },
  }).finish();
const batchOf = (...payloads: Uint8Array[]): Buffer =>
  encodeCalls(payloads.map((payload, at) => ({ id: at + 10, payload })));
/** The frames that came, in a form that is easy to compare: for a result, the text that its function sent on. */
const frames = (body: Uint8Array) =>
  decodeReplies(body).map((frame) => {
    if (frame.kind === "alive") return "alive";
    if (frame.kind === "error") return `${frame.id}: ${frame.status} ${frame.text}`;
    const { response } = FromFunction.decode(frame.payload);
    const sent =
      response?.$case === "invocationResult"
        ? response.value.outgoingMessages.map(({ argument }) => Sample.decode(argument!.value).id)
        : [];
    return `${frame.id}: ${sent.join()}`;
  });
const until = (what: string, isSo: () => unknown) =>
  vi.waitFor(() => expect(isSo(), what).toBeTruthy(), { timeout: 60_000, interval: 5 });

let server: Server;
let base: string;

async function listen(listener: RequestListener): Promise<void> {
  server = createServer({ keepAliveTimeout: 60_000 }, listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
/** Waits until the server has noticed that its clients have gone. */
async function noConnection(): Promise<void> {
  const connections = () =>
    new Promise<number>((resolve, reject) =>
      server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
    );
  await vi.waitFor(async () => expect(await connections()).toBe(0), { timeout: 60_000, interval: 5 });
}
const post = (body: Uint8Array, options: Parameters<typeof postBatch>[2] = {}) =>
  postBatch(`${base}/statefun/batch`, body, options);
async function whole(response: BatchResponse): Promise<Buffer> {
  await response.ended;
  return response.body();
}

beforeEach(async () => {
  logged.length = ran.length = 0;
  waiting.clear();
  const statefun = nodeHttpListener(handler);
  await listen((request, response) => (request.url === "/healthz" ? response.end("ok") : statefun(request, response)));
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  server.closeAllConnections();
  server.close();
});

describe("a request of many calls", () => {
  it("is answered in one piece with its length when its functions are synchronous and quick", async () => {
    vi.spyOn(performance, "now").mockReturnValue(0);
    const response = await post(batchOf(call("echo", "a"), call("echo", "b"), call("echo", "c")));
    const body = await whole(response);
    expect(response.status).toBe(200);
    expect(response.headers).toMatchObject({
      "content-type": "application/x-statefun-batch",
      "content-length": String(body.length),
      "statefun-batch-max-bytes": String(MAX_BYTES),
      "statefun-batch-max-calls": "100",
      connection: "keep-alive",
    });
    expect(frames(body)).toEqual(["10: a", "11: b", "12: c"]);
    expect(ran).toEqual(["a", "b", "c"]);
  });

  it("has an error frame for each call that fails, with the status, the text and the log of the single route; the others succeed", async () => {
    const bad = [call("unknown"), Buffer.from("noise"), Buffer.alloc(0), call("fail")];
    const expected: string[] = [];
    for (const [at, payload] of bad.entries()) {
      const single = await fetch(`${base}/statefun`, { method: "POST", headers: SINGLE, body: payload });
      expected.push(`${11 + at}: ${single.status} ${(await single.text()).trimEnd()}`);
    }
    const singleLog = logged.splice(0);
    const body = await whole(await post(batchOf(call("echo", "first"), ...bad, call("echo", "last"))));
    expect(frames(body)).toEqual(["10: first", ...expected, "15: last"]);
    expect(expected.map((line) => line.slice(4, 7))).toEqual(["404", "400", "400", "500"]);
    expect(logged).toEqual(singleLog);
    expect(logged).toHaveLength(4);
  });

  it("logs some of its failed calls, and how many more there are", async () => {
    const body = await whole(await post(batchOf(...Array.from({ length: 40 }, () => call("fail")))));
    expect(frames(body)).toHaveLength(40);
    expect(logged).toHaveLength(5);
    expect(logged.at(-1)!.message).toBe("36 more calls failed");
  });

  it("is answered as its calls complete: one that waits holds up no other", async () => {
    const response = await post(
      batchOf(call("wait", "slow"), call("echo", "a"), call("wait", "quick"), call("echo", "b")),
    );
    await until("the synchronous answers", () => frames(response.body()).length === 2);
    expect(response.headers["content-length"]).toBeUndefined();
    expect(frames(response.body())).toEqual(["11: a", "13: b"]);
    waiting.get("quick")!.go();
    await until("the quick one's answer", () => frames(response.body()).length === 3);
    waiting.get("slow")!.fail(new Error("gave up"));
    expect(frames(await whole(response))).toEqual([
      "11: a",
      "13: b",
      "12: quick",
      "10: 500 demo/wait/ada failed: gave up",
    ]);
    expect(ran).toEqual(["slow", "a", "quick", "b"]);
  });

  it("is answered in one piece when its asynchronous functions have nothing to wait for", async () => {
    const posted = post(batchOf(call("wait", "a"), call("wait", "b")));
    await until("both to wait", () => waiting.size === 2);
    for (const { go } of waiting.values()) go();
    const response = await posted;
    expect(frames(await whole(response))).toEqual(["10: a", "11: b"]);
    expect(response.headers["content-length"]).toBeDefined();
  });

  it("may be empty", async () => {
    const response = await post(batchOf());
    expect(await whole(response)).toEqual(Buffer.of(1));
    expect(response.headers["content-length"]).toBe("1");
  });

  it.each([
    { what: "another version", body: encodeCalls([], 9), status: 400, says: "version 9" },
    { what: "no byte at all", body: Buffer.alloc(0), status: 400, says: "empty" },
    {
      what: "a truncated frame",
      body: batchOf(call("echo", "a"), call("echo", "b")).subarray(0, -1),
      status: 400,
      says: "frame 1",
    },
    {
      what: "too many calls",
      body: batchOf(...Array.from({ length: 101 }, () => call("echo", "a"))),
      status: 413,
      says: "more than 100 calls",
    },
    {
      what: "a single call's content type",
      body: batchOf(call("echo", "a")),
      options: { contentType: "application/octet-stream" },
      status: 415,
      says: "not application/x-statefun-batch",
    },
    {
      what: "another method",
      body: batchOf(call("echo", "a")),
      options: { method: "PUT" },
      status: 405,
      says: "only POST",
    },
  ])("is refused as a whole for $what, and none of its calls runs", async ({ body, options, status, says }) => {
    const response = await post(body, options);
    expect(String(await whole(response))).toContain(says);
    expect(response.status).toBe(status);
    expect(response.headers).toMatchObject({
      "content-type": "text/plain; charset=utf-8",
      "statefun-batch-max-bytes": String(MAX_BYTES),
      "statefun-batch-max-calls": "100",
    });
    expect(ran).toEqual([]);
    expect(logged).toHaveLength(status === 405 ? 0 : 1);
  });

  it("is refused when it is too large, and the connection ends", async () => {
    const response = await post(Buffer.alloc(MAX_BYTES + 1, 1));
    expect(response.status).toBe(413);
    expect(response.headers).toMatchObject({ connection: "close", "statefun-batch-max-bytes": String(MAX_BYTES) });
  });

  it("is told limits that fit into 31 bits where no limits are set", async () => {
    const boundless = new RequestReplyHandler(functions, {
      maxBodyBytes: Infinity,
      logger: { error: () => undefined },
    });
    server.close();
    await listen(nodeHttpListener(boundless));
    expect((await post(batchOf())).headers).toMatchObject({
      "statefun-batch-max-bytes": "2147483647",
      "statefun-batch-max-calls": "4096",
    });
  });

  it("is served by Express beside single calls, whether the body was read before or not", async () => {
    server.close();
    await listen(express().use("/statefun", expressMiddleware(handler)));
    expect(frames(await whole(await post(batchOf(call("echo", "a")))))).toEqual(["10: a"]);
    expect((await fetch(`${base}/statefun`, { method: "POST", headers: SINGLE, body: call("echo", "b") })).status).toBe(
      200,
    );
    server.closeAllConnections();
    server.close();
    await listen(
      express().use(
        express.raw({ type: "*/*", limit: "10mb" }),
        express.Router().use("/statefun", expressMiddleware(handler)),
      ),
    );
    expect(frames(await whole(await post(batchOf(call("echo", "c")))))).toEqual(["10: c"]);
    expect((await post(Buffer.alloc(MAX_BYTES + 1, 1))).status).toBe(413);
  });

  it("goes by the path, not by the query", async () => {
    expect((await postBatch(`${base}/statefun/batch?a=b`, batchOf(call("echo", "a")))).status).toBe(200);
    expect((await postBatch(`${base}/statefun?a=/batch`, batchOf(call("echo", "a")))).status).toBe(415);
  });
});

describe("a request that takes a long time", () => {
  it("says every second that the server is still working on it, unless something else was sent", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const posted = post(batchOf(call("wait", "a"), call("wait", "b")));
    await vi.waitFor(() => expect(waiting.size).toBe(2), { timeout: 60_000, interval: 0 });
    await turn();
    await vi.advanceTimersByTimeAsync(999);
    await vi.advanceTimersByTimeAsync(1);
    const response = await posted;
    const seen = async (...expected: string[]) => {
      while (frames(response.body()).length < expected.length) await turn();
      expect(frames(response.body())).toEqual(expected);
    };
    await seen("alive");
    await vi.advanceTimersByTimeAsync(2_000);
    await seen("alive", "alive", "alive");
    await vi.advanceTimersByTimeAsync(900);
    waiting.get("b")!.go();
    await seen("alive", "alive", "alive", "11: b");
    await vi.advanceTimersByTimeAsync(900);
    await seen("alive", "alive", "alive", "11: b");
    await vi.advanceTimersByTimeAsync(100);
    await seen("alive", "alive", "alive", "11: b", "alive");
    waiting.get("a")!.go();
    await seen("alive", "alive", "alive", "11: b", "alive", "10: a");
    await response.ended;
    expect(vi.getTimerCount()).toBe(0);
  });

  it("lets others have their turn: a health check and another request are answered before it ends", async () => {
    const agent = new Agent({ keepAlive: true });
    const health = () =>
      new Promise<void>((resolve, reject) =>
        get(`${base}/healthz`, { agent }, (response) => response.resume().on("end", resolve)).on("error", reject),
      );
    await health();
    const long = post(batchOf(...Array.from({ length: 60 }, (_, at) => call("work", `long-${at} 10`))));
    await until("it to begin", () => ran.length > 0);
    await health();
    const beganBeforeHealth = ran.length;
    const short = await whole(await post(batchOf(call("echo", "short"))));
    expect(frames(short)).toEqual(["10: short"]);
    expect(beganBeforeHealth).toBeLessThan(50);
    expect(ran.indexOf("short")).toBeLessThan(60);
    const response = await long;
    // The answers did not wait for the rest.
    expect(response.headers["content-length"]).toBeUndefined();
    expect(frames(await whole(response))).toHaveLength(60);
    expect(ran.filter((name) => name.startsWith("long"))).toEqual(Array.from({ length: 60 }, (_, at) => `long-${at}`));
    agent.destroy();
  });

  it("ends once, when answers of both kinds complete it", async () => {
    const response = await post(batchOf(call("soon"), call("work", "a 25"), call("work", "b 1")));
    expect(frames(await whole(response)).toSorted()).toEqual(["10: ", "11: ", "12: "]);
  });

  it("is given up when its client goes away: calls that have not begun never do", async () => {
    const response = await post(batchOf(...Array.from({ length: 100 }, (_, at) => call("work", `n${at} 15`))));
    await until("first answers", () => frames(response.body()).length > 0);
    response.destroy();
    await noConnection();
    const begun = ran.length;
    expect(begun).toBeLessThan(90);
    // The server has taken no harm.
    expect(frames(await whole(await post(batchOf(call("work", "other 50"), call("echo", "a")))))).toEqual([
      "10: ",
      "11: a",
    ]);
    expect(ran.slice(begun)).toEqual(["other", "a"]);
  });

  it("is no longer answered when its client has gone away while functions wait", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const response = await post(batchOf(call("echo", "a"), call("wait", "b"), call("wait", "c")));
    await until("a first answer", () => frames(response.body()).length === 1);
    response.destroy();
    await noConnection();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(vi.getTimerCount()).toBe(0);
    waiting.get("b")!.go();
    waiting.get("c")!.fail(new Error("too late"));
    await until("the failure's log", () => logged.length === 1);
    expect(frames(await whole(await post(batchOf(call("echo", "d")))))).toEqual(["10: d"]);
  });

  it("waits for a client that does not read, and goes on when it does", async () => {
    const body = batchOf(...Array.from({ length: 100 }, (_, at) => call("large", `n${at}`)));
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1").pause();
    socket.write(
      `POST /statefun/batch HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-statefun-batch\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n`,
    );
    socket.write(body);
    await until("calls to begin", () => ran.length > 0);
    let before = -1;
    await vi.waitFor(
      () => {
        const stopped = ran.length === before;
        before = ran.length;
        expect(stopped, "the calls to stop").toBe(true);
      },
      { timeout: 60_000, interval: 200 },
    );
    expect(ran.length).toBeLessThan(90);
    let bytes = 0;
    socket.on("data", (chunk: Buffer) => (bytes += chunk.length)).resume();
    await new Promise((resolve) => socket.on("end", resolve));
    expect(ran).toHaveLength(100);
    expect(bytes).toBeGreaterThan(100 * 256 * 1024);
  });
});
