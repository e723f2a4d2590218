import { createServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";

import { Any } from "./gen/google/protobuf/any.js";
import { KafkaProducerRecord } from "./gen/io/statefun/egress.js";
import {
  Address as Sample,
  FromFunction,
  FromFunction_ExpirationSpec_ExpireMode as ExpireMode,
  ToFunction,
  type ToFunction_Invocation,
} from "./gen/io/statefun/reqreply.js";
import { encode, pack, typeUrlOf } from "./any.js";
import { nodeHttpListener } from "./http.js";
import { RequestReplyHandler } from "./request-reply-handler.js";
import { type StatefulFunction, StatefulFunctions } from "./stateful-functions.js";
import { type ValueSpec, valueSpec } from "./value-spec.js";

// Any message type serves as a sample; Address has three strings.
const sample = (id: string): Sample => ({ namespace: "", type: "", id });
const seen = valueSpec("seen", Sample);
const logged: { message: string; details: object }[] = [];
const logger = { error: (details: object, message: string) => void logged.push({ message, details }) };

const handlerOf = (run: StatefulFunction, states: readonly ValueSpec[] = [seen]) =>
  new RequestReplyHandler(new StatefulFunctions().bind("demo/greet", run, { states }), {
    maxBodyBytes: 100_000,
    logger,
  });
const message = (id: string, caller?: string): ToFunction_Invocation => ({
  caller: caller === undefined ? undefined : { namespace: "demo", type: "caller", id: caller },
  argument: { typename: typeUrlOf(Sample), hasValue: true, value: encode(Sample, sample(id)) },
});
const request = (
  invocations: ToFunction_Invocation[],
  state: string | undefined = undefined,
  type = "greet",
  named = true,
) =>
  ToFunction.encode({
    request: {
      $case: "invocation",
      value: {
        target: { namespace: "demo", type, id: "ada" },
        invocations,
        state: named
          ? [
              {
                stateName: "seen",
                stateValue: {
                  typename: typeUrlOf(Sample),
                  hasValue: state !== undefined,
                  value: state === undefined ? Buffer.alloc(0) : encode(Sample, sample(state)),
                },
              },
            ]
          : [],
      },
    },
  }).finish();
const result = (bytes: Uint8Array | Promise<Uint8Array>) => {
  if (bytes instanceof Promise) throw new Error("expected a synchronous reply");
  const { response } = FromFunction.decode(bytes);
  if (response?.$case !== "invocationResult") throw new Error("expected an invocation result");
  return response.value;
};

describe("a batch", () => {
  it("shows each message the state that the one before left, and sends one mutation", () => {
    const handler = handlerOf((context, message) => {
      const before = context.state("seen").unpack(Sample)?.id ?? "";
      context.state("seen").pack(Sample, sample(before + message.unpack(Sample).id));
    });
    const { stateMutations } = result(handler.handle(request([message("a"), message("b"), message("c")], ">")));
    expect(stateMutations).toHaveLength(1);
    expect(Sample.decode(stateMutations[0]!.stateValue!.value).id).toBe(">abc");
  });

  it("decodes a state once and encodes it once", () => {
    let decoded = 0;
    let encoded = 0;
    const counting = {
      $type: Sample.$type,
      encode: (...args: Parameters<typeof Sample.encode>) => (encoded++, Sample.encode(...args)),
      decode: (...args: Parameters<typeof Sample.decode>) => (decoded++, Sample.decode(...args)),
    };
    const handler = handlerOf(
      (context) => context.state("seen").pack(counting, context.state("seen").unpack(counting)!),
      [valueSpec("seen", counting)],
    );
    void handler.handle(request([message("a"), message("b"), message("c")], "x"));
    expect([decoded, encoded]).toEqual([1, 1]);
  });

  it("changes nothing that it only reads, and removes only what is there", () => {
    expect(
      result(handlerOf((context) => void context.state("seen").unpack(Sample)).handle(request([message("a")], "x")))
        .stateMutations,
    ).toEqual([]);
    const clear = handlerOf((context) => {
      context.state("seen").pack(Sample, sample("y"));
      context.state("seen").clear();
    });
    expect(result(clear.handle(request([message("a")]))).stateMutations).toEqual([]);
    expect(result(clear.handle(request([message("a")], "x"))).stateMutations).toMatchObject([
      { stateName: "seen", mutationType: 0, stateValue: undefined },
    ]);
  });

  it("keeps the order of what it sends, and replies to each message's own caller", () => {
    const handler = handlerOf((context, message) => {
      context.packAndReply(Sample, message.unpack(Sample));
      context.packAndSend({ typename: "demo/next", id: "x" }, Sample, message.unpack(Sample));
    });
    const { outgoingMessages } = result(handler.handle(request([message("1", "ada"), message("2", "bob")])));
    expect(
      outgoingMessages.map(({ target, argument }) => [target!.type, target!.id, Sample.decode(argument!.value).id]),
    ).toEqual([
      ["caller", "ada", "1"],
      ["next", "x", "1"],
      ["caller", "bob", "2"],
      ["next", "x", "2"],
    ]);
  });

  it("sends later, and takes back", () => {
    const handler = handlerOf((context) => {
      context.packAndSendAfter(1500, context.address, Sample, sample("later"), { cancellationToken: "t" });
      context.cancelDelayed("t");
    });
    expect(result(handler.handle(request([message("a")]))).delayedInvocations).toMatchObject([
      {
        delayInMs: 1500n,
        target: { namespace: "demo", type: "greet", id: "ada" },
        cancellationToken: "t",
        isCancellationRequest: false,
      },
      { isCancellationRequest: true, cancellationToken: "t" },
    ]);
  });

  it("writes Kafka records whose value is an Any", () => {
    const handler = handlerOf((context) =>
      context.packAndSendToKafka("demo/out", { topic: "greetings", key: "k" }, Sample, sample("hi")),
    );
    const [egress] = result(handler.handle(request([message("a")]))).outgoingEgresses;
    expect(egress).toMatchObject({
      egressNamespace: "demo",
      egressType: "out",
      argument: { typename: "type.googleapis.com/io.statefun.sdk.egress.KafkaProducerRecord" },
    });
    const record = KafkaProducerRecord.decode(egress!.argument!.value);
    expect(record).toMatchObject({ topic: "greetings", key: "k" });
    expect(Any.decode(record.valueBytes)).toMatchObject(pack(Sample, sample("hi")));
  });

  it("becomes asynchronous when its functions do, and keeps the order", async () => {
    const order: string[] = [];
    const handler = handlerOf(async (_, message) => {
      await new Promise((resolve) => setImmediate(resolve));
      order.push(message.unpack(Sample).id);
    });
    await handler.handle(request([message("a"), message("b")]));
    expect(order).toEqual(["a", "b"]);
  });

  it("asks for exactly the state that is missing, and runs nothing", () => {
    let ran = false;
    const handler = handlerOf(() => void (ran = true), [seen, valueSpec("other", Sample, { expireAfterWriteMs: 5 })]);
    const { response } = FromFunction.decode(handler.handle(request([message("a")], "x")) as Uint8Array);
    expect(response).toMatchObject({
      $case: "incompleteInvocationContext",
      value: {
        missingValues: [
          {
            stateName: "other",
            typeTypename: typeUrlOf(Sample),
            expirationSpec: { mode: ExpireMode.AFTER_WRITE, expireAfterMillis: 5n },
          },
        ],
      },
    });
    expect(ran).toBe(false);
  });
});

describe("mistakes have clear errors", () => {
  const failing = (run: StatefulFunction) => () => handlerOf(run).handle(request([message("a")], "x"));
  it.each<[string, StatefulFunction, RegExp]>([
    [
      "another message type",
      (_, message) => void message.unpack(Any),
      /is a type.googleapis.com\/io.statefun.sdk.reqreply.Address, not a google.protobuf.Any/,
    ],
    [
      "another state type",
      (context) => void context.state("seen").unpack(Any),
      /state "seen" is a google.protobuf.Any|state "seen" is a io.statefun.sdk.reqreply.Address, not a google.protobuf.Any/,
    ],
    [
      "an undeclared state",
      (context) => void context.state("sen"),
      /demo\/greet declares no state "sen" \(declared: seen\)/,
    ],
    ["a reply to an ingress", (context) => context.packAndReply(Sample, sample("")), /came from an ingress/],
    [
      "a fraction of a millisecond",
      (context) => context.packAndSendAfter(0.5, context.address, Sample, sample("")),
      /whole number of milliseconds/,
    ],
    [
      "a type name without a slash",
      (context) => context.packAndSend({ typename: "greet", id: "" }, Sample, sample("")),
      /"namespace\/type"/,
    ],
  ])("%s", (_, run, message) => {
    expect(failing(run)).toThrow(message);
  });

  it("at binding", () => {
    const functions = new StatefulFunctions().bind("demo/greet", () => undefined);
    expect(() => functions.bind("demo/greet", () => undefined)).toThrow(/bound already/);
    expect(() => functions.bind("greet", () => undefined)).toThrow(/namespace\/type/);
    expect(() => functions.bind("demo/two", () => undefined, { states: [seen, seen] })).toThrow(/twice/);
    expect(() => valueSpec("a b", Sample)).toThrow(/not a state name/);
  });
});

describe("over HTTP", () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  async function listen(run: StatefulFunction): Promise<string> {
    logged.length = 0;
    server = createServer(nodeHttpListener(handlerOf(run)));
    await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/statefun`;
  }
  const SINGLE = { "content-type": "application/octet-stream" };
  const post = (url: string, body: Uint8Array) => fetch(url, { method: "POST", headers: SINGLE, body });

  it("answers with exactly the content type that StateFun takes", async () => {
    const url = await listen((context, message) => context.state("seen").pack(Sample, message.unpack(Sample)));
    const response = await post(url, request([message("a")]));
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/octet-stream");
    expect(result(new Uint8Array(await response.arrayBuffer())).stateMutations).toHaveLength(1);
  });

  it("refuses what it cannot serve, says why in the log, and goes on serving", async () => {
    const url = await listen((_, message) => {
      if (message.unpack(Sample).id === "boom") throw new Error("out of luck");
    });
    expect((await fetch(url)).status).toBe(405);
    expect((await post(url, new Uint8Array())).status).toBe(400);
    expect((await post(url, Buffer.from("noise"))).status).toBe(400);
    expect((await post(url, request([]))).status).toBe(400);
    expect((await post(url, request([message("a")], undefined, "unknown"))).status).toBe(404);
    expect((await post(url, request([message("boom")]))).status).toBe(500);
    expect((await post(url, new Uint8Array(100_001))).status).toBe(413);
    expect(logged.map(({ message }) => message)).toContain("demo/greet/ada failed: out of luck");
    expect(logged.filter(({ message }) => message.includes("more than"))).toHaveLength(1);
    expect((await post(url, request([message("a")]))).status).toBe(200);
  });

  it("refuses a body that grows too large without having announced its length", async () => {
    const url = new URL(await listen(() => undefined));
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const upload = httpRequest(url, { method: "POST", headers: SINGLE }, (response) =>
        resolve(response.resume().statusCode),
      );
      upload.on("error", reject);
      upload.write(Buffer.alloc(60_000));
      upload.write(Buffer.alloc(60_000));
    });
    expect(status).toBe(413);
  });

  it("takes any bytes without harm", async () => {
    const url = await listen(() => undefined);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        expect([400, 404]).toContain((await post(url, bytes)).status);
      }),
      { numRuns: 200 },
    );
  });
});
