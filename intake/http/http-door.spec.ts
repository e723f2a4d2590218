import { request } from "node:http";
import { type AddressInfo, connect } from "node:net";

import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";

import { StateEvent, StateEvent_Kind } from "../../protos/gen/fraud/v1/evidence.js";
import { ModelsInForce } from "../../protos/gen/fraud/v1/models.js";
import { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { Any } from "../../protos/gen/google/protobuf/any.js";
import { pack } from "../../statefun/index.js";
import { ModelsInForceIndex } from "../models-in-force.js";
import { openApi } from "./openapi.js";
import { conforms, decide, door, label, post, transaction, useDoor } from "./testing/test-door.js";

useDoor();

describe("a label's outcome", () => {
  const outcome = async (query = "") => {
    const response = await door.app.inject(`/v1/labels/l-1${query}`);
    return { status: response.statusCode, body: conforms("/v1/labels/{label}", "get", response) };
  };

  it("can be fetched from where the answer to the label says, at once or when it comes", async () => {
    const { response } = await post(
      {
        labelId: "l-1",
        accountId: "ada",
        transactionId: "t",
        merchantId: "m",
        verdict: "FRAUD",
        eventTimeMs: Date.now() - 1000,
      },
      { kind: "labels" },
    );
    expect([response.statusCode, response.headers["location"]]).toEqual([202, "/v1/labels/l-1"]);
    expect(await outcome()).toMatchObject({ status: 404 });
    const waiting = outcome("?wait=10s");
    const event = StateEvent.fromPartial({
      function: "fraud/account-counter",
      addressId: "ada",
      kind: StateEvent_Kind.LABEL,
      sourceId: "l-1",
      transactionId: "t",
      revision: 1,
      fraudDelta: 1,
      effectiveAtMs: 5n,
      eventSeq: 2n,
    });
    door.labels.onRecord({ value: Buffer.from(Any.encode(pack(StateEvent, event)).finish()) });
    expect(await waiting).toEqual({
      status: 200,
      body: {
        labelId: "l-1",
        accountId: "ada",
        transactionId: "t",
        status: "recorded",
        revision: 1,
        fraudDelta: 1,
        effectiveAtMs: "5",
        eventSeq: "2",
      },
    });
    expect(await outcome()).toMatchObject({ status: 200 });
    expect(await outcome("?wait=soon")).toMatchObject({ status: 400 });
  });
});

describe("the OpenAPI document", () => {
  it.each([true, false])("is OpenAPI 3.1 (with a token: %s)", async (withToken) => {
    const result = await new Validator().validate(
      JSON.parse(JSON.stringify(openApi({ withToken }))) as Record<string, unknown>,
    );
    expect(result).toMatchObject({ valid: true });
  });

  it("is served", async () => {
    expect((await door.app.inject("/openapi.json")).json()).toMatchObject({ openapi: "3.1.0" });
  });
});

describe("GET a decision", () => {
  const PATH = "/v1/accounts/{account}/decisions/{transaction}";
  const get = async (url: string) => {
    const response = await door.app.inject(url);
    return { response, body: conforms(PATH, "get", response) };
  };

  it("finds it, whatever characters its ids have", async () => {
    await post({ ...transaction, accountId: "a/b ü", transactionId: "t?1" });
    decide(false);
    const { body } = await get(`/v1/accounts/${encodeURIComponent("a/b ü")}/decisions/${encodeURIComponent("t?1")}`);
    expect(body).toMatchObject({ accountId: "a/b ü", transactionId: "t?1", status: "provisional" });
  });

  it("says 404 when there is none", async () => {
    expect((await get("/v1/accounts/a/decisions/none")).response.statusCode).toBe(404);
    expect((await get("/v1/accounts/a/decisions/none?wait=1ms")).response.statusCode).toBe(404);
  });
});

describe("everything else", () => {
  it("reports health, readiness and what is missing", async () => {
    expect(conforms("/healthz", "get", await door.app.inject("/healthz"))).toEqual({ status: "ok" });
    door.consumers = [
      { consumer: "Kafka doors", failing: "it broke", restarts: 3, unreadable: 0 },
      { consumer: "another", failing: undefined, restarts: 0, unreadable: 0 },
    ];
    const failing = await door.app.inject("/healthz");
    expect([failing.statusCode, conforms("/healthz", "get", failing)]).toEqual([
      503,
      { status: "failing", failing: [{ consumer: "Kafka doors", cause: "it broke", restarts: 3 }] },
    ]);
    expect((await door.app.inject("/readyz")).statusCode).toBe(200);
    door.missing = ["Kafka"];
    const none = { id: "", hash: "" };
    const response = await door.app.inject("/readyz");
    expect([response.statusCode, conforms("/readyz", "get", response)]).toEqual([
      503,
      { status: "not ready", missing: ["Kafka"], models: { model: none, challenger: none } },
    ]);
  });

  it("takes no transactions, but labels, before it knows what scores them; then stamps them, and says with what", async () => {
    door.models = new ModelsInForceIndex();
    const early = await post(transaction);
    expect(early.response.statusCode).toBe(429);
    expect(early.body).toMatchObject({ detail: "this intake has not read yet which models are in force" });
    expect((await post(label, { kind: "labels" })).response.statusCode).toBe(202);
    expect(conforms("/readyz", "get", await door.app.inject("/readyz"))).toMatchObject({ models: null });
    const inForce = { modelHash: Buffer.alloc(32, 1), modelId: "one", challengerHash: Buffer.alloc(32, 2) };
    door.models.onRecord({
      value: Buffer.from(Any.encode(pack(ModelsInForce, ModelsInForce.fromPartial(inForce))).finish()),
    });
    door.models.caughtUp();
    expect((await post(transaction)).response.statusCode).toBe(202);
    expect(Transaction.decode(door.written.at(-1)!.value!)).toMatchObject({
      modelHash: inForce.modelHash,
      challengerHash: inForce.challengerHash,
    });
    expect(conforms("/readyz", "get", await door.app.inject("/readyz"))).toMatchObject({
      models: { model: { id: "one", hash: "01".repeat(32) }, challenger: { id: "", hash: "02".repeat(32) } },
    });
  });

  it("knows no other path, and says so as a problem", async () => {
    const response = await door.app.inject("/v2");
    expect([response.statusCode, response.headers["content-type"]]).toEqual([
      404,
      expect.stringContaining("application/problem+json"),
    ]);
  });

  it.each([
    "/v1/accounts/%/decisions/t",
    "/v1/accounts/a/decisions/%zz",
    "/v1/accounts/a/decisions/%ff",
    "/v1/accounts/100%/decisions/t?wait=1s",
    "/v1/transactions%",
    "/%",
    "/healthz%2",
  ])("says what is wrong with the path %s", async (path) => {
    for (const method of ["GET", "POST"] as const) {
      const response = await door.app.inject({ method, url: path });
      expect([response.statusCode, response.headers["content-type"], response.json()]).toEqual([
        400,
        expect.stringContaining("application/problem+json"),
        {
          type: "about:blank",
          title: "Bad Request",
          status: 400,
          detail: expect.stringContaining("%25") as string,
        },
      ]);
    }
  });

  it("takes a % in a query literally", async () => {
    expect((await door.app.inject("/healthz?%")).statusCode).toBe(200);
    expect((await door.app.inject("/v1/accounts/a/decisions/t?wait=%zz")).json()).toMatchObject({
      status: 400,
      reason: "INVALID_VALUE",
    });
  });

  it.each([
    ["GET", `/v1/accounts/${"a".repeat(600)}/decisions/t`, 414],
    ["PUT", "/v1/transactions", 404],
    ["GET", "/nothing", 404],
    ["OPTIONS", "/v1/labels", 404],
  ] as const)("answers %s %s with a problem", async (method, url, status) => {
    const response = await door.app.inject({ method, url });
    expect([response.statusCode, response.headers["content-type"], response.json<{ status: number }>().status]).toEqual(
      [status, expect.stringContaining("application/problem+json"), status],
    );
  });

  it.each([
    ["no HTTP", "hello\r\n\r\n", 400],
    ["headers without end", `GET / HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(100_000)}\r\n\r\n`, 431],
  ])("answers %s with a problem", async (_, sent, status) => {
    await door.app.listen({ host: "127.0.0.1", port: 0 });
    const text = await new Promise<string>((resolve) => {
      let received = "";
      const socket = connect((door.app.server.address() as AddressInfo).port, "127.0.0.1", () => socket.write(sent));
      socket
        .on("data", (chunk) => (received += chunk.toString()))
        .on("error", () => undefined)
        .on("close", () => resolve(received));
    });
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(text).toContain("\r\nContent-Type: application/problem+json\r\n");
    expect(JSON.parse(text.split("\r\n\r\n")[1]!)).toMatchObject({ status, title: expect.any(String) as string });
  });

  it("answers with a problem while it stops", async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const began = new Promise<void>((resolve) => {
      door.app.addHook("preClose", () => {
        resolve();
        return held;
      });
    });
    await door.app.listen({ host: "127.0.0.1", port: 0 });
    const { port } = door.app.server.address() as AddressInfo;
    const closed = door.app.close();
    await began;
    const answer = await new Promise<{ status: number | undefined; type: string | undefined; body: string }>(
      (resolve, reject) => {
        request(
          {
            port,
            host: "127.0.0.1",
            path: "/v1/transactions",
            method: "POST",
            headers: { "content-type": "application/json" },
          },
          (response) => {
            let body = "";
            response
              .on("data", (chunk: Buffer) => (body += chunk.toString()))
              .on("end", () => resolve({ status: response.statusCode, type: response.headers["content-type"], body }));
          },
        )
          .on("error", reject)
          .end(JSON.stringify(transaction));
      },
    );
    release();
    await closed;
    expect(answer).toMatchObject({ status: 503, type: expect.stringContaining("application/problem+json") as string });
    expect(JSON.parse(answer.body)).toMatchObject({ status: 503, title: "Service Unavailable" });
    expect(door.written).toHaveLength(0);
  });

  it("answers only to its own names, and to no page of another origin, whatever is asked", async () => {
    for (const [headers, status] of [
      [{ host: "evil.example" }, 421],
      [{ origin: "http://evil.example" }, 403],
      [{ "sec-fetch-site": "same-site" }, 403],
    ] as const)
      for (const url of ["/healthz", "/readyz", "/metrics", "/openapi.json", "/v1/labels/l", "/nothing", "/%"]) {
        const response = await door.app.inject({ url, headers });
        expect([response.statusCode, response.headers["content-type"]], `${url} ${JSON.stringify(headers)}`).toEqual([
          status,
          expect.stringContaining("application/problem+json"),
        ]);
      }
    const unknown = await door.app.inject({ url: "/healthz", headers: { host: "evil.example:8080" } });
    expect(conforms("/healthz", "get", unknown)).toMatchObject({
      detail: expect.stringContaining("INTAKE_HOSTS=fraud.example,evil.example:8080,") as string,
    });
    expect((await door.app.inject({ url: "/healthz", headers: { host: "fraud.example" } })).statusCode).toBe(200);
  });
});
