import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import express, { type Express } from "express";
import { afterEach, describe, expect, it } from "vitest";

import { FromFunction, ToFunction } from "./gen/io/statefun/reqreply.js";
import { Program } from "../protos/gen/statefun/testing/v1/program.js";
import { lambdaHandler } from "./aws-lambda.js";
import { expressMiddleware } from "./express.js";
import { nodeHttpListener } from "./http.js";
import { RequestReplyHandler, typeUrlOf } from "./index.js";
import { httpApiEvent, restApiEvent } from "./testing/api-gateway-events.js";
import { programFunctions } from "./testing/program.js";

const logged: string[] = [];
const handler = new RequestReplyHandler(programFunctions(["test/first"]), {
  maxBodyBytes: 10_000,
  logger: { error: (_, message) => logged.push(message) },
});

function call(
  type = "first",
  commands: Program["commands"] = [{ command: { $case: "increment", value: { name: "kept" } } }],
): Uint8Array {
  const argument = {
    typename: typeUrlOf(Program),
    hasValue: true,
    value: Buffer.from(Program.encode({ commands }).finish()),
  };
  const state = ["kept", "written", "called"].map((stateName) => ({
    stateName,
    stateValue: { typename: "", hasValue: false, value: Buffer.alloc(0) },
  }));
  return ToFunction.encode({
    request: {
      $case: "invocation",
      value: { target: { namespace: "test", type, id: "1" }, state, invocations: [{ caller: undefined, argument }] },
    },
  }).finish();
}
const mutations = (body: Uint8Array) => {
  const { response } = FromFunction.decode(body);
  return response?.$case === "invocationResult"
    ? response.value.stateMutations.map(({ stateName }) => stateName)
    : response;
};

describe.each([
  { name: "REST API, payload format 1.0", event: restApiEvent },
  { name: "HTTP API, payload format 2.0", event: httpApiEvent },
])("AWS Lambda: $name", ({ event }) => {
  const lambda = lambdaHandler(handler);

  it("answers in base64 with StateFun's content type", async () => {
    const result = await lambda(event(call()));
    expect(result).toMatchObject({
      statusCode: 200,
      headers: { "content-type": "application/octet-stream" },
      isBase64Encoded: true,
    });
    expect(mutations(Buffer.from(result.body, "base64"))).toEqual(["kept"]);
  });

  it.each([
    { what: "an unknown function", body: call("unknown"), status: 404 },
    { what: "an empty body", body: Buffer.alloc(0), status: 400 },
    { what: "noise", body: Buffer.from("noise"), status: 400 },
    { what: "a body that is too large", body: Buffer.alloc(10_001), status: 413 },
    { what: "a function that throws", body: call("first", [{ command: { $case: "fail", value: {} } }]), status: 500 },
  ])("answers $what with $status and a reason, which it logs", async ({ body, status }) => {
    logged.length = 0;
    const result = await lambda(event(body));
    expect(result).toMatchObject({ statusCode: status, isBase64Encoded: false });
    expect(logged).toEqual([result.body.trim()]);
  });

  it("says what to set when the gateway passes bytes on as text", async () => {
    const result = await lambda({ ...event(call()), body: "\u0000\ufffd", isBase64Encoded: false });
    expect(result.statusCode).toBe(415);
    expect(result.body).toContain("binary media types");
  });
});

describe("AWS Lambda", () => {
  it("takes POST only", async () => {
    const lambda = lambdaHandler(handler);
    expect((await lambda({ ...restApiEvent(call()), httpMethod: "GET" })).statusCode).toBe(405);
    expect((await lambda({})).statusCode).toBe(405);
  });
});

describe("Express", () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  async function listen(set: (app: Express) => void): Promise<string> {
    logged.length = 0;
    const app = express();
    set(app);
    server = createServer(app);
    await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const post = (url: string, body: Uint8Array, contentType = "application/octet-stream") =>
    fetch(`${url}/statefun`, { method: "POST", body, headers: { "content-type": contentType } });

  it("serves a path beside an application's others", async () => {
    const url = await listen((app) =>
      app.use("/statefun", expressMiddleware(handler)).get("/other", (_, response) => void response.send("fine")),
    );
    const response = await post(url, call());
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/octet-stream");
    expect(mutations(new Uint8Array(await response.arrayBuffer()))).toEqual(["kept"]);
    expect(await (await fetch(`${url}/other`)).text()).toBe("fine");
  });

  it("takes the Buffer that express.raw() has left", async () => {
    const url = await listen((app) => app.use(express.raw()).use("/statefun", expressMiddleware(handler)));
    expect((await post(url, call())).status).toBe(200);
    expect((await post(url, new Uint8Array(10_001))).status).toBe(413);
  });

  it("says so when a parser has eaten the body", async () => {
    const url = await listen((app) =>
      app.use(express.text({ type: "*/*" })).use("/statefun", expressMiddleware(handler)),
    );
    expect((await post(url, call())).status).toBe(500);
    expect(logged.join()).toContain("before express.json()");
  });

  it("refuses another content type, with or without parameters", async () => {
    const url = await listen((app) => app.use("/statefun", expressMiddleware(handler)));
    expect((await post(url, call(), "application/json")).status).toBe(415);
    expect((await post(url, call(), "Application/Octet-Stream; x=y")).status).toBe(200);
    // What a page in a browser may send to any server.
    expect((await fetch(`${url}/statefun`, { method: "POST", body: call() })).status).toBe(415);
    expect(logged).toHaveLength(2);
  });
});

describe("bad bodies, over and over", () => {
  const BODY_BYTES = 256 * 1024;
  const ROUNDS = 150;
  const MOST_GROWTH_BYTES = 40 * 1024 * 1024;
  const limited = new RequestReplyHandler(programFunctions(["test/first"]), {
    maxBodyBytes: 2 * BODY_BYTES,
    logger: { error: () => undefined },
  });

  const held = (): number => {
    setFlagsFromString("--expose-gc");
    (runInNewContext("gc") as () => void)();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };

  it("leave nothing in memory, and the server alive", async () => {
    const server = createServer(nodeHttpListener(limited));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    /** Resolves to the status; to `undefined` when the connection ended without one. */
    const send = (pieces: readonly Buffer[], headers: Record<string, string | number>, giveUp = false) =>
      new Promise<number | undefined>((resolve) => {
        const sent = request(
          {
            host: "127.0.0.1",
            port,
            path: "/statefun",
            method: "POST",
            headers: { "content-type": "application/octet-stream", ...headers },
          },
          (response) => {
            response.resume();
            response.on("end", () => resolve(response.statusCode));
          },
        );
        sent.on("error", () => resolve(undefined));
        for (const piece of pieces) sent.write(piece);
        if (giveUp) sent.flushHeaders();
        if (giveUp) setImmediate(() => sent.destroy());
        else sent.end();
      });
    const noise = Buffer.alloc(BODY_BYTES, 0xff);
    const whole = Buffer.from(call());
    const round = async () => [
      await send([noise], { "content-length": noise.length }),
      await send([whole.subarray(0, whole.length - 5)], {}),
      await send([], { "content-length": 0 }),
      await send([noise], { "content-type": "text/plain" }),
      // Too large, told at once or found out on the way: the server may close before all is sent.
      await send([noise, noise, noise], { "content-length": 3 * BODY_BYTES }),
      await send([noise, noise, noise], {}),
      await send([noise], { "content-length": 2 * BODY_BYTES }, true),
    ];
    await round();
    const before = held();
    for (let at = 0; at < ROUNDS; at++) {
      const [noiseStatus, truncated, empty, text, ...rest] = await round();
      expect([noiseStatus, truncated, empty, text]).toEqual([400, 400, 400, 415]);
      for (const status of rest) expect([413, undefined]).toContain(status);
    }
    expect(held() - before).toBeLessThan(MOST_GROWTH_BYTES);
    expect(await send([whole], {})).toBe(200);
    server.closeAllConnections();
    server.close();
  });
});
