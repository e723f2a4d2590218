import { request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";

import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import type { FastifyInstance, LightMyRequestResponse } from "fastify";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { ConsumerHealth } from "../../kafka/consumer-health.js";
import type { OutgoingRecord } from "../../kafka/record-writer.js";
import { Decision, Outcome } from "../../protos/gen/fraud/v1/decision.js";
import { StateEvent, StateEvent_Kind } from "../../protos/gen/fraud/v1/evidence.js";
import { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { Any } from "../../protos/gen/google/protobuf/any.js";
import { pack } from "../../statefun/index.js";
import type { Overload } from "../backlog/backlog-gate.js";
import { DecisionIndex } from "../decision-index.js";
import { LabelIndex } from "../label-index.js";
import { intakeMetrics } from "../metrics.js";
import type { Tokens } from "./authorisation.js";
import { httpDoor } from "./http-door.js";
import { openApi } from "./openapi.js";
import { hostileBodies } from "./testing/hostile-bodies.js";

type Sent = Readonly<Record<string, unknown>>;
const transaction: Sent = {
  transactionId: "t",
  accountId: "a",
  merchantId: "m",
  amountMinor: 1999,
  currency: "EUR",
  eventTimeMs: 1_700_000_000_000,
};
const label: Sent = {
  labelId: "l",
  accountId: "a",
  transactionId: "t",
  merchantId: "m",
  verdict: "FRAUD",
  eventTimeMs: 1_700_000_000_000,
};

const written: OutgoingRecord[] = [];
const kafka = { queuedBytes: 0, stalledMs: 0, fails: false };
const gauges = {
  queuedBytes: () => 0,
  lag: () => Promise.resolve([]),
  backlogSeconds: () => undefined,
  consumers: () => consumers,
};
let overload: Overload | undefined;
let index: DecisionIndex;
let labels: LabelIndex;
let app: FastifyInstance;
let missing: string[];
let consumers: ConsumerHealth[] = [];

function open(
  tokens: Partial<Tokens> = {},
  metrics = intakeMetrics(gauges).metrics,
  maxConnections = 10,
): FastifyInstance {
  return httpDoor({
    maxConnections,
    writer: {
      write: (records) => {
        if (kafka.fails) return Promise.reject(new Error("no broker"));
        written.push(...records);
        return Promise.resolve();
      },
      get queuedBytes() {
        return kafka.queuedBytes;
      },
      get stalledMs() {
        return kafka.stalledMs;
      },
    },
    overload: () => overload,
    index,
    labels,
    metrics,
    maxAheadMs: 300_000,
    logger: pino({ level: "silent" }),
    tokens: { transactions: undefined, labels: undefined, ...tokens },
    names: { hosts: ["fraud.example"], variable: "INTAKE_HOSTS" },
    health: () => consumers,
    notReady: () => missing,
    scrape: () => Promise.resolve({ contentType: "text/plain", text: "" }),
  });
}

beforeEach(() => {
  written.length = 0;
  Object.assign(kafka, { queuedBytes: 0, stalledMs: 0, fails: false });
  overload = undefined;
  index = new DecisionIndex(100);
  labels = new LabelIndex(100);
  missing = [];
  consumers = [];
  app = open();
});
afterEach(() => app.close());

/** The newest transaction that was written, decided. */
function decide(committed: boolean, change: Partial<Transaction> = {}): void {
  const decision = Decision.fromPartial({
    evidence: {
      transaction: { ...Transaction.decode(written.at(-1)!.value!), ...change },
      account: { seq: 1n },
      scoring: { score: 450, outcome: Outcome.REVIEW, modelId: "points", reasons: [{ code: "WHY", points: 450 }] },
    },
  });
  index[committed ? "onCommitted" : "onWritten"]({
    partition: 0,
    offset: 1n,
    value: Buffer.from(Any.encode(pack(Decision, decision)).finish()),
  });
}

const document = openApi({ withToken: true }) as {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly responses: Readonly<
              Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
            >;
          }
        >
      >
    >
  >;
  readonly components: { readonly schemas: object };
};
const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);

/** The answer must be one that the OpenAPI document describes. */
function conforms(path: string, method: string, response: LightMyRequestResponse): unknown {
  const described = document.paths[path]?.[method]?.responses[String(response.statusCode)];
  const type = String(response.headers["content-type"]).split(";", 1)[0]!;
  const schema = described?.content?.[type]?.schema;
  expect(schema, `${method} ${path} ${response.statusCode} ${type} is not in the OpenAPI document`).toBeDefined();
  const body: unknown = response.json();
  const validate = ajv.compile({ ...schema, components: document.components });
  expect(validate(body), JSON.stringify(validate.errors)).toBe(true);
  return body;
}

const post = async (
  payload: unknown,
  { kind = "transactions", query = "", type = "application/json", coding = undefined as string | undefined } = {},
) => {
  const response = await app.inject({
    method: "POST",
    url: `/v1/${kind}${query}`,
    headers: { "content-type": type, ...(coding !== undefined && { "content-encoding": coding }) },
    payload: typeof payload === "string" || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload),
  });
  return { response, body: conforms(`/v1/${kind}`, "post", response) };
};

describe("a label's outcome", () => {
  const outcome = async (query = "") => {
    const response = await app.inject(`/v1/labels/l-1${query}`);
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
    labels.onRecord({ value: Buffer.from(Any.encode(pack(StateEvent, event)).finish()) });
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
    expect((await app.inject("/openapi.json")).json()).toMatchObject({ openapi: "3.1.0" });
  });
});

describe("POST /v1/transactions", () => {
  it("writes one transaction, keyed by its account, and says where its decision will be", async () => {
    const { response, body } = await post(transaction);
    expect([response.statusCode, response.headers["location"], body]).toEqual([
      202,
      "/v1/accounts/a/decisions/t",
      { accountId: "a", id: "t", status: "accepted" },
    ]);
    expect(written).toMatchObject([{ topic: "transactions.valid", key: "a" }]);
    expect(Transaction.decode(written[0]!.value!).origin).toBeUndefined();
  });

  it("makes an id for one without", async () => {
    const { body } = await post({ ...transaction, transactionId: undefined });
    expect(body).toMatchObject({ id: expect.stringMatching(/^http-/) as string });
  });

  it("answers many one by one", async () => {
    for (const [payload, type] of [
      [JSON.stringify([transaction, { ...transaction, amountMinor: -1 }]), "application/json"],
      [
        `${JSON.stringify(transaction)}\n\n${JSON.stringify({ ...transaction, amountMinor: -1 })}\r\n`,
        "application/x-ndjson",
      ],
    ] as const) {
      written.length = 0;
      const { response, body } = await post(payload, { type });
      expect(response.statusCode).toBe(202);
      expect(body).toMatchObject({
        accepted: 1,
        refused: 1,
        results: [
          { index: 0, status: "accepted" },
          { index: 1, status: "refused", problem: { reason: "INVALID_VALUE", field: "amountMinor" } },
        ],
      });
      expect(written).toHaveLength(1);
    }
  });

  it("does not let one line spoil the others", async () => {
    const { body } = await post(
      Buffer.concat([Buffer.from([0xff, 10]), Buffer.from(`{"broken\n${JSON.stringify(transaction)}`)]),
      { type: "application/jsonl" },
    );
    expect(body).toMatchObject({
      accepted: 1,
      results: [{ problem: { reason: "ENCODING" } }, { problem: { reason: "UNREADABLE" } }, { status: "accepted" }],
    });
  });

  it.each([
    [400, "MISSING_FIELD", "accountId", { ...transaction, accountId: undefined }, "application/json"],
    [400, "UNREADABLE", undefined, "{", "application/json"],
    [400, "UNREADABLE", undefined, "17", "application/json"],
    [400, "EMPTY", undefined, "[]", "application/json"],
    [400, "EMPTY", undefined, "\n\n", "application/x-ndjson"],
    [413, undefined, undefined, Array.from({ length: 1_001 }, () => transaction), "application/json"],
    [413, undefined, undefined, " ".repeat(1024 * 1024 + 1), "application/json"],
    [415, undefined, undefined, "a=b", "application/x-www-form-urlencoded"],
  ])("refuses with %i %s %s", async (status, reason, field, payload, type) => {
    const { response, body } = await post(payload, { type });
    expect(response.headers["content-type"]).toContain("application/problem+json");
    expect(body).toMatchObject({ status, ...(reason && { reason }), ...(field && { field }) });
    expect(written).toHaveLength(0);
  });

  it.each([
    "application/x+json",
    "Application/Vnd.Bank.V1+JSON",
    "application/json; charset=utf-8",
    'APPLICATION/JSON;charset="UTF-8"',
    "text/x.shop+json ; v=2",
  ])("reads %s as JSON", async (type) => {
    expect((await post(transaction, { type })).response.statusCode).toBe(202);
    expect((await post(label, { type, kind: "labels" })).response.statusCode).toBe(202);
  });

  it("reads lines whatever case and parameters their type has", async () => {
    expect(
      (await post(JSON.stringify(transaction), { type: "Application/X-NDJSON; charset=utf-8" })).body,
    ).toMatchObject({ accepted: 1 });
  });

  it.each([
    "application/jsonx",
    "application/json+xml",
    "+json",
    "application",
    "application/x-protobuf",
    "multipart/form-data; boundary=x",
  ])("refuses %s with what is read", async (type) => {
    expect((await post(transaction, { type })).body).toMatchObject({
      status: 415,
      detail: expect.stringContaining("application/json, or any that ends in +json; application/x-ndjson") as string,
    });
  });

  it.each([
    ["a key that stands twice", '"amountMinor":1999', '"amountMinor":1999,"amountMinor":1', "amountMinor"],
    ["one that is escaped", '"amountMinor":1999', '"amountMinor":1999,"\\u0061mountMinor":1', "amountMinor"],
    [
      "a nested one",
      '"currency"',
      '"location":{"latitudeE6":1,"longitudeE6":1,"longitudeE6":2},"currency"',
      "location.longitudeE6",
    ],
    ["both names of one field", '"accountId"', '"account_id":"b","accountId"', "accountId"],
  ])("refuses %s, alone, in an array and in lines, and nothing beside it", async (_, text, twice, field) => {
    const good = JSON.stringify(transaction);
    const bad = good.replace(text, twice);
    const refused = { reason: "DUPLICATE_FIELD", field };
    expect((await post(bad)).body).toMatchObject({ status: 400, ...refused });
    expect(written).toHaveLength(0);
    for (const [payload, type] of [
      [`[${good},${bad},${good}]`, "application/json"],
      [[good, bad, good].join("\n"), "application/x-ndjson"],
    ] as const) {
      expect((await post(payload, { type })).body).toMatchObject({
        accepted: 2,
        refused: 1,
        results: [{ status: "accepted" }, { status: "refused", problem: refused }, { status: "accepted" }],
      });
    }
  });

  it("refuses a request without a content type", async () => {
    const response = await app.inject({ method: "POST", url: "/v1/transactions" });
    expect([415, response.headers["content-type"]]).toEqual([
      response.statusCode,
      expect.stringContaining("problem+json"),
    ]);
  });

  it.each([
    ["Kafka is away", { stalledMs: 5_000 }],
    ["too much waits for Kafka", { queuedBytes: 1e9 }],
    ["Kafka refuses", { fails: true }],
  ])("answers 429 and when to try again when %s", async (_, state) => {
    Object.assign(kafka, state);
    const { response } = await post(transaction);
    expect([response.statusCode, Number(response.headers["retry-after"]) > 0]).toEqual([429, true]);
  });

  it("answers 429 while the pipeline is too far behind, without reading what is sent; labels are taken", async () => {
    await app.close();
    const { metrics, registry } = intakeMetrics({ ...gauges, backlogSeconds: () => 71.2 });
    app = open(undefined, metrics);
    overload = { backlogSeconds: 71.2, maxSeconds: 60, retryAfterSeconds: 24 };
    for (const sent of [transaction, "{"]) {
      const { response, body } = await post(sent);
      expect([response.statusCode, response.headers["retry-after"], body]).toEqual([
        429,
        "24",
        expect.objectContaining({
          title: "Not now",
          detail:
            "the pipeline is overloaded or stands still: a transaction would wait about 72 s, and beyond 60 s none is taken",
        }),
      ]);
    }
    expect((await post(label, { kind: "labels" })).response.statusCode).toBe(202);
    Object.assign(kafka, { stalledMs: 5_000 });
    expect((await post(label, { kind: "labels" })).response.statusCode).toBe(429);
    const text = await registry.metrics();
    for (const line of [
      'intake_turned_away_total{reason="kafka"} 1',
      'intake_turned_away_total{reason="backlog"} 2',
      "intake_backlog_seconds 71.2",
    ])
      expect(text).toContain(`\n${line}\n`);
    Object.assign(kafka, { stalledMs: 0 });
    overload = undefined;
    expect((await post(transaction)).response.statusCode).toBe(202);
  });

  it.each([
    ["?wait=2s", false, "provisional"],
    ["?wait=2s&for=provisional", true, "committed"],
    ["?wait=30s&for=committed", true, "committed"],
  ])("%s waits for the decision (committed: %s)", async (query, committed, status) => {
    const sending = post(transaction, { query });
    await expect.poll(() => written.length).toBe(1);
    decide(committed);
    const { response, body } = await sending;
    expect(response.statusCode).toBe(200);
    expect(body).toMatchObject({
      status: "decided",
      decision: { status, outcome: "REVIEW", score: 450, accountSeq: "1" },
    });
  });

  it("answers 202 when no decision comes in time", async () => {
    expect((await post(transaction, { query: "?wait=1ms" })).response.statusCode).toBe(202);
  });

  it("answers a repetition with the decision, and other content under its id with 409", async () => {
    await post(transaction);
    decide(true);
    expect((await post(transaction, { query: "?wait=2s" })).response.statusCode).toBe(200);
    const { response, body } = await post({ ...transaction, amountMinor: 5 }, { query: "?wait=2s" });
    expect([response.statusCode, body]).toEqual([409, expect.objectContaining({ reason: "ID_CONFLICT" })]);
    expect((await post([transaction, { ...transaction, amountMinor: 5 }], { query: "?wait=2s" })).body).toMatchObject({
      results: [{ status: "decided" }, { status: "conflict" }],
    });
  });

  it.each(["?wait=2", "?wait=31s", "?wait=0s", "?wait=2s&for=ever"])("refuses %s", async (query) => {
    expect((await post(transaction, { query })).response.statusCode).toBe(400);
  });
});

describe("a coded body", () => {
  const text = JSON.stringify(transaction);
  const gzip = gzipSync(text);

  it.each([
    ["gzip", gzip],
    ["GZip", gzip],
    [" x-gzip ", gzip],
    ["gzip", Buffer.concat([gzipSync(text.slice(0, 20)), gzipSync(text.slice(20))])],
    ["deflate", deflateSync(text)],
    ["deflate", deflateRawSync(text)],
    ["br", brotliCompressSync(text)],
    ["identity", Buffer.from(text)],
    ["Identity, ", Buffer.from(text)],
    ["", Buffer.from(text)],
    ["deflate, gzip", gzipSync(deflateSync(text))],
    ["br,identity", brotliCompressSync(text)],
  ])("is read: %s", async (coding, payload) => {
    expect((await post(payload, { coding })).response.statusCode).toBe(202);
    expect(Transaction.decode(written[0]!.value!).transactionId).toBe("t");
  });

  it("may hold many, and labels", async () => {
    expect((await post(gzipSync(JSON.stringify([transaction, transaction])), { coding: "gzip" })).body).toMatchObject({
      accepted: 2,
    });
    expect(
      (await post(gzipSync(`${text}\n${text}`), { coding: "gzip", type: "application/x-ndjson" })).body,
    ).toMatchObject({ accepted: 2 });
    expect((await post(gzipSync(JSON.stringify(label)), { coding: "gzip", kind: "labels" })).response.statusCode).toBe(
      202,
    );
  });

  it.each(["zstd", "compress", "gzip, aes128gcm", "gzip;q=1", "constructor", "*", "gzip,gzip,gzip,gzip"])(
    "is refused when it is %s, before it is read, with what is supported here",
    async (coding) => {
      const { response, body } = await post("?".repeat(2_000_000), { coding });
      expect([response.statusCode, response.headers["accept-encoding"], body]).toEqual([
        415,
        "gzip, deflate, br, identity",
        expect.objectContaining({ detail: expect.stringContaining("content-encoding") as string }),
      ]);
    },
  );

  it.each([
    ["gzip", Buffer.from(text)],
    ["gzip", gzip.subarray(0, -4)],
    ["gzip", Buffer.concat([gzip, Buffer.from("more")])],
    ["gzip", Buffer.from(gzip.map((byte, at) => (at === 30 ? byte ^ 0xff : byte)))],
    ["gzip", Buffer.alloc(0)],
    ["deflate", Buffer.concat([deflateSync(text), Buffer.from("more")])],
    ["br", Buffer.concat([brotliCompressSync(text), Buffer.from("more")])],
    ["br", gzip],
    ["gzip, gzip", gzip],
  ])("is refused when it is not a whole %s", async (coding, payload) => {
    expect((await post(payload, { coding })).body).toMatchObject({
      status: 400,
      reason: "UNREADABLE",
      detail: expect.stringContaining("content-encoding says") as string,
    });
  });

  const LIMIT = 1024 * 1024;
  const padded = (bytes: number): string => text.padEnd(bytes, " ");
  it.each([
    ["gzip", gzipSync(padded(LIMIT)), 202],
    ["gzip", gzipSync(padded(LIMIT + 1)), 413],
    ["br", brotliCompressSync(Buffer.alloc(20 * LIMIT, " ")), 413],
    ["deflate", deflateSync(Buffer.alloc(20 * LIMIT, " ")), 413],
    ["gzip, gzip", gzipSync(gzipSync(Buffer.alloc(50 * LIMIT, " "))), 413],
  ])("has the same bounds as a plain one: %s", async (coding, payload, status) => {
    expect((await post(payload, { coding })).response.statusCode).toBe(status);
  });

  it("that is a bomb takes no memory", async () => {
    const bomb = gzipSync(Buffer.alloc(100 * LIMIT));
    const before = process.memoryUsage.rss();
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(bomb, { coding: "gzip" })));
    expect(new Set(answers.map(({ response }) => response.statusCode))).toEqual(new Set([413]));
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * LIMIT);
  });
});

describe("POST /v1/labels", () => {
  it("writes labels", async () => {
    const { response } = await post(label, { kind: "labels" });
    expect([response.statusCode, written[0]?.topic]).toEqual([202, "labels.valid"]);
    expect((await post([label, { ...label, verdict: "?" }], { kind: "labels" })).body).toMatchObject({
      accepted: 1,
      refused: 1,
    });
  });
});

describe("GET a decision", () => {
  const PATH = "/v1/accounts/{account}/decisions/{transaction}";
  const get = async (url: string) => {
    const response = await app.inject(url);
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
    expect(conforms("/healthz", "get", await app.inject("/healthz"))).toEqual({ status: "ok" });
    consumers = [
      { consumer: "Kafka doors", failing: "it broke", restarts: 3, unreadable: 0 },
      { consumer: "another", failing: undefined, restarts: 0, unreadable: 0 },
    ];
    const failing = await app.inject("/healthz");
    expect([failing.statusCode, conforms("/healthz", "get", failing)]).toEqual([
      503,
      { status: "failing", failing: [{ consumer: "Kafka doors", cause: "it broke", restarts: 3 }] },
    ]);
    expect((await app.inject("/readyz")).statusCode).toBe(200);
    missing = ["Kafka"];
    const response = await app.inject("/readyz");
    expect([response.statusCode, conforms("/readyz", "get", response)]).toEqual([
      503,
      { status: "not ready", missing: ["Kafka"] },
    ]);
  });

  it("knows no other path, and says so as a problem", async () => {
    const response = await app.inject("/v2");
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
      const response = await app.inject({ method, url: path });
      expect([response.statusCode, response.headers["content-type"], response.json()]).toEqual([
        400,
        expect.stringContaining("application/problem+json"),
        {
          type: "about:blank",
          title: "The request is not valid",
          status: 400,
          detail: expect.stringContaining("%25") as string,
        },
      ]);
    }
  });

  it("takes a % in a query literally", async () => {
    expect((await app.inject("/healthz?%")).statusCode).toBe(200);
    expect((await app.inject("/v1/accounts/a/decisions/t?wait=%zz")).json()).toMatchObject({
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
    const response = await app.inject({ method, url });
    expect([response.statusCode, response.headers["content-type"], response.json<{ status: number }>().status]).toEqual(
      [status, expect.stringContaining("application/problem+json"), status],
    );
  });

  it.each([
    ["no HTTP", "hello\r\n\r\n", 400],
    ["headers without end", `GET / HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(100_000)}\r\n\r\n`, 431],
  ])("answers %s with a problem", async (_, sent, status) => {
    await app.listen({ host: "127.0.0.1", port: 0 });
    const text = await new Promise<string>((resolve) => {
      let received = "";
      const socket = connect((app.server.address() as AddressInfo).port, "127.0.0.1", () => socket.write(sent));
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
      app.addHook("preClose", () => {
        resolve();
        return held;
      });
    });
    await app.listen({ host: "127.0.0.1", port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const closed = app.close();
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
    expect(JSON.parse(answer.body)).toMatchObject({ status: 503, title: "The intake is stopping" });
    expect(written).toHaveLength(0);
  });

  it("lets a connection wait for so much at once, and turns away the rest", async () => {
    await app.listen({ host: "127.0.0.1", port: 0 });
    const socket = connect((app.server.address() as AddressInfo).port, "127.0.0.1");
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    const path = "/v1/accounts/a/decisions/none?wait=300ms";
    socket.write(`GET ${path} HTTP/1.1\r\nHost: fraud.example\r\n\r\n`.repeat(20));
    await expect.poll(() => text.split("HTTP/1.1 ").length - 1, { timeout: 60_000 }).toBe(20);
    expect(text.split("HTTP/1.1 404").length - 1).toBe(16);
    expect(text.toLowerCase().split("retry-after: 1").length - 1).toBe(4);
    expect(text).toContain("too many requests are already waiting");
    socket.destroy();
  });

  it("does not wait on behalf of a client that has gone away", async () => {
    await app.listen({ host: "127.0.0.1", port: 0 });
    const signals: (AbortSignal | undefined)[] = [];
    const wait = index.wait.bind(index);
    index.wait = (account, id, what) => {
      signals.push(what.gone);
      return wait(account, id, what);
    };
    const socket = connect((app.server.address() as AddressInfo).port, "127.0.0.1");
    socket.write("GET /v1/accounts/a/decisions/none?wait=30s HTTP/1.1\r\nHost: fraud.example\r\n\r\n");
    await expect.poll(() => signals.length, { timeout: 60_000 }).toBe(1);
    socket.destroy();
    await expect.poll(() => signals[0]?.aborted, { timeout: 60_000 }).toBe(true);
  });

  it("still accepts when too many wait, and says so at once", async () => {
    const items = JSON.stringify(Array.from({ length: 1_000 }, (_, n) => ({ ...transaction, transactionId: `t${n}` })));
    const waiting = Array.from({ length: 20 }, () => post(items, { query: "?wait=30s" }));
    await expect.poll(() => written.length, { timeout: 60_000 }).toBe(20_000);
    const { response, body } = await post({ ...transaction, transactionId: "one-more" }, { query: "?wait=30s" });
    expect([response.statusCode, body]).toEqual([202, { accountId: "a", id: "one-more", status: "accepted" }]);
    const asked = await app.inject("/v1/accounts/a/decisions/none?wait=30s");
    conforms("/v1/accounts/{account}/decisions/{transaction}", "get", asked);
    expect([asked.statusCode, asked.headers["retry-after"]]).toEqual([429, "1"]);
    index.stop();
    for (const one of await Promise.all(waiting)) expect(one.response.statusCode).toBe(202);
  });

  it.each(hostileBodies().map((body) => [body.name, body] as const))(
    "answers %s within bounds, plain and compressed, and logs nothing",
    async (_, body) => {
      const type = body.lines ? "application/x-ndjson" : "application/json";
      for (const [payload, coding] of [
        [body.bytes, undefined],
        [gzipSync(body.bytes, { level: 1 }), "gzip"],
      ] as const) {
        const { response } = await post(payload, { type, coding });
        expect(response.statusCode).toBe(body.status);
        expect(response.rawPayload.length).toBeLessThan(2 * body.bytes.length);
      }
    },
  );

  it("counts connections that are too many", async () => {
    await app.close();
    const { metrics, registry } = intakeMetrics(gauges);
    app = open(undefined, metrics, 1);
    await app.listen({ host: "127.0.0.1", port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const sockets = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
    await expect.poll(() => registry.getSingleMetricAsString("intake_dropped_connections_total")).toMatch(/_total 1$/);
    for (const socket of sockets) socket.destroy();
  });

  it("requires the token where one is set", async () => {
    await app.close();
    app = open({ transactions: "a-long-enough-token" });
    const send = (authorization?: string) =>
      app.inject({
        method: "POST",
        url: "/v1/transactions",
        headers: { "content-type": "application/json", ...(authorization && { authorization }) },
        payload: JSON.stringify(transaction),
      });
    const refused = await send();
    conforms("/v1/transactions", "post", refused);
    expect([refused.statusCode, refused.headers["www-authenticate"]]).toEqual([401, "Bearer"]);
    expect((await send("Bearer another-long-token")).statusCode).toBe(401);
    expect((await send("Bearer a-long-enough-token")).statusCode).toBe(202);
    expect((await app.inject("/healthz")).statusCode).toBe(200);
    expect((await app.inject("/nothing")).statusCode).toBe(401);
  });

  describe.each([
    { set: "both tokens", transactions: "for-transactions", labels: "the-one-for-labels", own: 202, wrong: 403 },
    // It is not valid for labels: these need their own token, and there is none.
    { set: "the token for transactions", transactions: "for-transactions", labels: undefined, own: 403, wrong: 403 },
  ])("with $set", ({ transactions, labels: labelToken, own, wrong }) => {
    const send = (kind: string, body: Sent, token: string) =>
      app.inject({
        method: "POST",
        url: `/v1/${kind}`,
        headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
        payload: JSON.stringify(body),
      });

    beforeEach(async () => {
      await app.close();
      app = open({ transactions, labels: labelToken });
    });

    it("takes no labels with the token for transactions, nor the reverse", async () => {
      const bySender = await send("labels", label, "for-transactions");
      conforms("/v1/labels", "post", bySender);
      expect([bySender.statusCode, bySender.json<{ detail: string }>().detail]).toEqual([
        wrong,
        expect.stringContaining("INTAKE_LABEL_TOKEN"),
      ]);
      expect((await send("labels", label, "the-one-for-labels")).statusCode).toBe(own);
      expect((await send("transactions", transaction, "for-transactions")).statusCode).toBe(202);
      expect((await send("transactions", transaction, "the-one-for-labels")).statusCode).toBe(
        labelToken === undefined ? 401 : 403,
      );
      expect(written).toHaveLength(own === 202 ? 2 : 1);
    });
  });

  it("answers only to its own names, and to no page of another origin, whatever is asked", async () => {
    for (const [headers, status] of [
      [{ host: "evil.example" }, 421],
      [{ origin: "http://evil.example" }, 403],
      [{ "sec-fetch-site": "same-site" }, 403],
    ] as const)
      for (const url of ["/healthz", "/readyz", "/metrics", "/openapi.json", "/v1/labels/l", "/nothing", "/%"]) {
        const response = await app.inject({ url, headers });
        expect([response.statusCode, response.headers["content-type"]], `${url} ${JSON.stringify(headers)}`).toEqual([
          status,
          expect.stringContaining("application/problem+json"),
        ]);
      }
    const unknown = await app.inject({ url: "/healthz", headers: { host: "evil.example:8080" } });
    expect(conforms("/healthz", "get", unknown)).toMatchObject({
      detail: expect.stringContaining("INTAKE_HOSTS=fraud.example,evil.example:8080,") as string,
    });
    expect((await app.inject({ url: "/healthz", headers: { host: "fraud.example" } })).statusCode).toBe(200);
  });
});
