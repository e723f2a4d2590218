import { once } from "node:events";
import { createServer, request as httpRequest, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setImmediate as turn } from "node:timers/promises";

import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { afterEach, describe, expect, it, vi } from "vitest";

import {
  Address as Sample,
  FromFunction,
  ToFunction,
  type ToFunction_Invocation,
  ToFunction_InvocationBatchRequest,
} from "./gen/io/statefun/reqreply.js";
import { BATCH_CONTENT_TYPE } from "./framing.js";
import { CONTENT_TYPE, nodeHttpListener } from "./http.js";
import { RequestReplyHandler } from "./request-reply-handler.js";
import { type StatefulFunction, StatefulFunctions } from "./stateful-functions.js";
import { decodeReplies, encodeCalls } from "./testing/batch-client.js";

const MAX_BYTES = 8 * 1024 * 1024;
const logged: string[] = [];
const handlerOf = (run: StatefulFunction, maxInvocations?: number) =>
  new RequestReplyHandler(new StatefulFunctions().bind("demo/greet", run), {
    maxBodyBytes: MAX_BYTES,
    ...(maxInvocations !== undefined && { maxInvocations }),
    logger: {
      error: (details, message) => {
        const { err } = details as { readonly err?: Error };
        logged.push(`${message} ${err?.message} ${err?.stack}`);
      },
    },
  });
const next = { typename: "demo/next", id: "bob" };
const target = { namespace: "demo", type: "greet", id: "ada" };
const empty: ToFunction_Invocation = { caller: undefined, argument: undefined };
const requestOf = (invocations: ToFunction_Invocation[], to = target): Uint8Array =>
  ToFunction.encode({
    request: { $case: "invocation", value: { target: to, invocations, state: [] } },
  }).finish();
/** As the batch of a request: field 100. */
const wrapped = (batch: Uint8Array): Uint8Array => new BinaryWriter().uint32(802).bytes(batch).finish();
const many = (length: number): Uint8Array => requestOf(Array.from({ length }, () => empty));

afterEach(() => {
  logged.length = 0;
  vi.restoreAllMocks();
});

describe("a request of very many messages", () => {
  it.each([
    ["empty ones", wrapped(Buffer.from("1a00".repeat(3_000_000), "hex"))],
    [
      "one with very many fields",
      wrapped(
        Buffer.concat([
          ToFunction_InvocationBatchRequest.encode({ target, state: [], invocations: [] }).finish(),
          new BinaryWriter()
            .uint32(26)
            .bytes(Buffer.from("0a00".repeat(1_000_000), "hex"))
            .finish(),
        ]),
      ),
    ],
    ["very many batches", Buffer.from("a20600".repeat(1_000_000), "hex")],
  ])("is refused before it is decoded: %s", (_, body) => {
    expect(body.length).toBeLessThanOrEqual(MAX_BYTES);
    const decode = vi.spyOn(ToFunction, "decode");
    expect(() => handlerOf(() => undefined).handle(body)).toThrow(
      expect.objectContaining({ code: "MALFORMED_REQUEST", status: 413 }) as Error,
    );
    expect(decode).not.toHaveBeenCalled();
  });

  it("is refused by its count when it is small, and taken up to that count", async () => {
    const handler = handlerOf(() => undefined, 100);
    expect(() => handler.handle(many(101))).toThrow(expect.objectContaining({ status: 413 }) as Error);
    expect(FromFunction.decode(await handler.handle(many(100))).response?.$case).toBe("invocationResult");
  });

  it("is called malformed when its lengths lead nowhere", () => {
    const body = Buffer.concat([Buffer.from([0xa2, 0x06, 0xff, 0xff, 0xff, 0x07]), Buffer.alloc(100_000, 0x1b)]);
    expect(() => handlerOf(() => undefined).handle(body)).toThrow(
      expect.objectContaining({ code: "MALFORMED_REQUEST", status: 400 }) as Error,
    );
  });

  it.each(["synchronous", "asynchronous"])("lets others have their turns between its messages: %s", async (kind) => {
    await turn();
    await turn();
    let nowMs = 0;
    vi.spyOn(performance, "now").mockImplementation(() => nowMs);
    let ran = 0;
    const run: StatefulFunction = () => {
      ran++;
      nowMs += 1;
      return kind === "synchronous" ? undefined : Promise.resolve();
    };
    let done = false;
    const handled = Promise.resolve(handlerOf(run).handle(many(200))).then((reply) => {
      done = true;
      return reply;
    });
    const pieces: number[] = [];
    while (!done) {
      const before = ran;
      await turn();
      pieces.push(ran - before);
      expect(pieces.length).toBeLessThan(200);
    }
    expect(FromFunction.decode(await handled).response?.$case).toBe("invocationResult");
    expect(ran).toBe(200);
    // A share of a turn has 2 ms.
    expect(Math.max(...pieces)).toBe(2);
    expect(pieces.length).toBeGreaterThanOrEqual(99);
  });

  it("fails as a whole when a message fails after a turn", async () => {
    await turn();
    let nowMs = 0;
    vi.spyOn(performance, "now").mockImplementation(() => nowMs);
    let ran = 0;
    const handler = handlerOf(() => {
      nowMs += 5;
      if (++ran === 50) throw new Error("the fiftieth");
    });
    await expect(handler.handle(many(100))).rejects.toMatchObject({ code: "FUNCTION_FAILED", status: 500 });
    expect(ran).toBe(50);
  });
});

describe("text of a request", () => {
  const long = `demo\u001b[2J\u202e${"x".repeat(4_000_000)}`;

  it.each([
    ["a type name", requestOf([empty], { ...target, type: long })],
    ["an id, of a function that fails", requestOf([empty], { ...target, id: long })],
    [
      "the type of a message",
      requestOf([{ caller: undefined, argument: { typename: long, hasValue: true, value: Buffer.alloc(0) } }]),
    ],
  ])("is cut, and written out, in what is answered and logged: %s", async (_, body) => {
    const handler = handlerOf((_context, message) => {
      if (message.typeUrl !== "") message.unpack({ $type: "a.B", encode: undefined!, decode: undefined! });
      throw new Error("it fails");
    });
    const server: Server = createServer(nodeHttpListener(handler));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const answer = await new Promise<string>((resolve, reject) => {
      const { port } = server.address() as AddressInfo;
      const headers = { "content-type": CONTENT_TYPE };
      const sent = httpRequest({ port, host: "127.0.0.1", method: "POST", headers }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => resolve(text));
      });
      sent.on("error", reject);
      sent.end(body);
    });
    server.close();
    expect(answer.length).toBeLessThan(1_000);
    expect(logged).toHaveLength(1);
    expect(logged[0]!.length).toBeLessThan(4_000);
    // eslint-disable-next-line no-control-regex -- these are what must not be there
    expect(answer + logged[0]!).not.toMatch(/[\u001b\u202e]/);
  });
});

describe("a body", () => {
  it("is read whole however small its pieces are", async () => {
    const handler = handlerOf(() => undefined);
    const body = many(500);
    const server = createServer(nodeHttpListener(handler));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    for (const length of [{}, { "content-length": String(body.length) }] as const) {
      const headers = { "content-type": CONTENT_TYPE, ...length };
      const status = await new Promise<number>((resolve, reject) => {
        const sent = httpRequest({ port, host: "127.0.0.1", method: "POST", headers }, (response) =>
          response.resume().on("end", () => resolve(response.statusCode!)),
        );
        sent.on("error", reject);
        for (const byte of body) sent.write(Buffer.of(byte));
        sent.end();
      });
      expect(status).toBe(200);
    }
    server.close();
  });

  it("is refused in very many pieces of a few bytes", async () => {
    const server = createServer(nodeHttpListener(handlerOf(() => undefined)));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(
      `POST / HTTP/1.1\r\nhost: x\r\ncontent-type: ${CONTENT_TYPE}\r\ntransfer-encoding: chunked\r\n\r\n${"1\r\nx\r\n".repeat(3_000)}`,
    );
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 400 [^]*connection: close[^]*too many small pieces/);
    socket.destroy();
    server.close();
  });

  it("that grows while there is no room makes room for those of others, and is told to come again", async () => {
    const maxBodyBytes = 100_000;
    const handler = new RequestReplyHandler(
      new StatefulFunctions().bind("demo/greet", () => undefined),
      {
        maxBodyBytes,
        maxHeldBytes: 200_000,
        logger: { error: () => undefined },
      },
    );
    const server = createServer(nodeHttpListener(handler));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const begin = (bytes: number) => {
      const socket = connect(port, "127.0.0.1");
      const client = { socket, text: "" };
      socket.on("error", () => undefined).on("data", (chunk: Buffer) => (client.text += chunk.toString()));
      socket.write(
        `POST / HTTP/1.1\r\nhost: x\r\ncontent-type: ${CONTENT_TYPE}\r\ncontent-length: ${maxBodyBytes}\r\n\r\n`,
      );
      socket.write(Buffer.alloc(bytes));
      return client;
    };
    const slow = [begin(90_000), begin(80_000)];
    await expect.poll(() => handler.held.bytes).toBeGreaterThanOrEqual(170_000);
    const body = requestOf(
      Array.from({ length: 1_000 }, () => ({ ...empty, caller: { ...target, id: "x".repeat(30) } })),
    );
    expect(body.length).toBeGreaterThan(30_000);
    const response = await fetch(`http://127.0.0.1:${port}`, {
      method: "POST",
      headers: { "content-type": CONTENT_TYPE },
      body: Buffer.from(body),
    });
    expect(response.status).toBe(200);
    await expect
      .poll(() => slow[0]!.text)
      .toMatch(/^HTTP\/1.1 503 [^]*retry-after: 1[^]*connection: close[^]*send it again/);
    expect(slow[1]!.text).toBe("");
    for (const { socket } of slow) socket.destroy();
    // Nothing is held for those who have gone away.
    await expect.poll(() => handler.held.bytes).toBe(0);
    server.close();
  });
});

describe("a client that reads no answer", () => {
  /** More than the system takes for a connection. */
  const ANSWER_BYTES = 12_000_000;
  const MESSAGES = 10;
  const message = { ...empty, argument: { typename: "t", hasValue: true, value: Buffer.alloc(200_000) } };
  const call = requestOf(Array.from({ length: MESSAGES }, () => message));

  it.each(["/", "/batch"])("keeps nobody else out, however much it asks for: %s", async (path) => {
    let ran = 0;
    const handler = new RequestReplyHandler(
      new StatefulFunctions().bind("demo/greet", (context) => {
        ran++;
        context.packAndSend(next, Sample, { namespace: "", type: "", id: "x".repeat(ANSWER_BYTES / MESSAGES) });
      }),
      {
        maxBodyBytes: 3_000_000,
        maxReplyBytes: 2 * ANSWER_BYTES,
        maxHeldBytes: 9_000_000,
        logger: { error: () => undefined },
      },
    );
    const server = createServer(nodeHttpListener(handler));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const [type, body] =
      path === "/batch"
        ? [BATCH_CONTENT_TYPE, encodeCalls([{ id: 1, payload: call }])]
        : [CONTENT_TYPE, Buffer.from(call)];
    const clients = Array.from({ length: 4 }, () => connect(port, "127.0.0.1").pause());
    for (const [at, client] of clients.entries()) {
      client.on("error", () => undefined);
      client.write(
        `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n`,
      );
      client.write(body);
      await vi.waitFor(() => expect(ran).toBeGreaterThanOrEqual((at + 1) * MESSAGES), { timeout: 60_000 });
    }
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: "POST",
      headers: { "content-type": type },
      body: Buffer.from(body),
    });
    expect(response.status).toBe(200);
    expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(ANSWER_BYTES);
    for (const client of clients) client.destroy();
    await vi.waitFor(() => expect(handler.held.bytes).toBe(0), { timeout: 60_000 });
    server.close();
  });

  it("and goes away takes no room for what is still made for it", async () => {
    let go: () => void = () => undefined;
    let done: (() => void) | undefined;
    const finished = new Promise<void>((resolve) => (done = resolve));
    const handler = new RequestReplyHandler(
      new StatefulFunctions().bind("demo/greet", async (context) => {
        await new Promise<void>((resolve) => (go = resolve));
        context.packAndSend(next, Sample, { namespace: "", type: "", id: "x".repeat(50_000) });
      }),
      { maxBodyBytes: 100_000, logger: { error: () => undefined } },
    );
    const listener = nodeHttpListener(handler);
    const server = createServer((request, response) => {
      response.once("close", done!);
      listener(request, response);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const body = many(1);
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1").on("error", () => undefined);
    const began = go;
    client.write(
      `POST / HTTP/1.1\r\nhost: x\r\ncontent-type: ${CONTENT_TYPE}\r\ncontent-length: ${body.length}\r\n\r\n`,
    );
    client.write(body);
    await vi.waitFor(() => expect(go).not.toBe(began), { timeout: 60_000 });
    client.destroy();
    await finished;
    go();
    await turn();
    await turn();
    expect(handler.held.bytes).toBe(0);
    server.close();
  });
});

describe("calls that come together", () => {
  const batch = (...counts: number[]): Buffer => encodeCalls(counts.map((count, id) => ({ id, payload: many(count) })));
  const answers = async (handler: RequestReplyHandler, body: Buffer) => {
    const server = createServer(nodeHttpListener(handler));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/batch`, {
      method: "POST",
      headers: { "content-type": BATCH_CONTENT_TYPE },
      body: Buffer.from(body),
    });
    const frames = decodeReplies(new Uint8Array(await response.arrayBuffer()));
    server.close();
    return frames.map((frame) => (frame.kind === "error" ? frame.status : frame.kind));
  };

  it("have room for so many messages together", async () => {
    expect(
      await answers(
        handlerOf(() => undefined, 100),
        batch(60, 50, 40),
      ),
    ).toEqual(["result", 413, "result"]);
  });

  it("have room for answers of so many bytes together", async () => {
    const handler = new RequestReplyHandler(
      new StatefulFunctions().bind("demo/greet", (context) =>
        context.packAndSend(next, Sample, { namespace: "", type: "", id: "x".repeat(300) }),
      ),
      { maxBodyBytes: MAX_BYTES, maxReplyBytes: 1_000, logger: { error: () => undefined } },
    );
    expect(await answers(handler, batch(2, 1, 1))).toEqual(["result", 500, 500]);
  });

  it("do not begin any more once an answer had no room", async () => {
    let ran = 0;
    const handler = new RequestReplyHandler(
      new StatefulFunctions().bind("demo/greet", (context) => {
        ran++;
        context.packAndSend(next, Sample, { namespace: "", type: "", id: "x".repeat(300) });
      }),
      { maxBodyBytes: MAX_BYTES, maxReplyBytes: 1_000, logger: { error: () => undefined } },
    );
    expect(await answers(handler, batch(1, 4, 1, 1))).toEqual(["result", 500, 500, 500]);
    expect(ran).toBe(5);
    // The next request has all of the room.
    expect(await answers(handler, batch(1))).toEqual(["result"]);
  });

  it("begin one after the other when they take long: each holds memory until it is done", async () => {
    let nowMs = 0;
    vi.spyOn(performance, "now").mockImplementation(() => nowMs);
    const ran: string[] = [];
    const handler = new RequestReplyHandler(
      new StatefulFunctions().bind("demo/greet", ({ address }) => {
        nowMs += 2;
        if (ran.at(-1) !== address.id) ran.push(address.id);
      }),
      { maxBodyBytes: MAX_BYTES, logger: { error: () => undefined } },
    );
    const one = (id: string) =>
      requestOf(
        Array.from({ length: 40 }, () => empty),
        { ...target, id },
      );
    const body = encodeCalls(["ada", "bob", "eve"].map((id, at) => ({ id: at, payload: one(id) })));
    expect(await answers(handler, body)).toEqual(["result", "result", "result"]);
    expect(ran).toEqual(["ada", "bob", "eve"]);
  });
});
