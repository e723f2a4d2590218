import { describe, expect, it } from "vitest";

import { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { intakeMetrics } from "../metrics.js";
import { decide, door, gauges, label, open, post, transaction, useDoor } from "./testing/test-door.js";

useDoor();

describe("POST /v1/transactions", () => {
  it("writes one transaction, keyed by its account, and says where its decision will be", async () => {
    const { response, body } = await post(transaction);
    expect([response.statusCode, response.headers["location"], body]).toEqual([
      202,
      "/v1/accounts/a/decisions/t",
      { accountId: "a", id: "t", status: "accepted" },
    ]);
    expect(door.written).toMatchObject([{ topic: "transactions.valid", key: "a" }]);
    expect(Transaction.decode(door.written[0]!.value!).origin).toBeUndefined();
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
      door.written.length = 0;
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
      expect(door.written).toHaveLength(1);
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
    expect(door.written).toHaveLength(0);
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
    expect(door.written).toHaveLength(0);
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
    const response = await door.app.inject({ method: "POST", url: "/v1/transactions" });
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
    Object.assign(door.kafka, state);
    const { response } = await post(transaction);
    expect([response.statusCode, Number(response.headers["retry-after"]) > 0]).toEqual([429, true]);
  });

  it("answers 429 while the pipeline is too far behind, without reading what is sent; labels are taken", async () => {
    await door.app.close();
    const { metrics, registry } = intakeMetrics({ ...gauges, backlogSeconds: () => 71.2 });
    door.app = open(undefined, metrics);
    door.overload = { backlogSeconds: 71.2, maxSeconds: 60, retryAfterSeconds: 24 };
    for (const sent of [transaction, "{"]) {
      const { response, body } = await post(sent);
      expect([response.statusCode, response.headers["retry-after"], body]).toEqual([
        429,
        "24",
        expect.objectContaining({
          title: "Too Many Requests",
          detail:
            "the pipeline is overloaded or stands still: a transaction would wait about 72 s, and beyond 60 s none is taken",
        }),
      ]);
    }
    expect((await post(label, { kind: "labels" })).response.statusCode).toBe(202);
    Object.assign(door.kafka, { stalledMs: 5_000 });
    expect((await post(label, { kind: "labels" })).response.statusCode).toBe(429);
    const text = await registry.metrics();
    for (const line of [
      'intake_turned_away_total{reason="kafka"} 1',
      'intake_turned_away_total{reason="backlog"} 2',
      "intake_backlog_seconds 71.2",
    ])
      expect(text).toContain(`\n${line}\n`);
    Object.assign(door.kafka, { stalledMs: 0 });
    door.overload = undefined;
    expect((await post(transaction)).response.statusCode).toBe(202);
  });

  it("answers 503 with the cause while Kafka has no room, to labels too", async () => {
    await door.app.close();
    const { metrics, registry } = intakeMetrics(gauges);
    door.app = open(undefined, metrics);
    door.shortage = { cause: "Kafka's disk is nearly full", retryAfterSeconds: 5 };
    for (const sending of [post(transaction), post("{"), post(label, { kind: "labels" })]) {
      const { response, body } = await sending;
      expect([response.statusCode, response.headers["retry-after"], body]).toEqual([
        503,
        "5",
        expect.objectContaining({ title: "Service Unavailable", detail: "Kafka's disk is nearly full" }),
      ]);
    }
    expect(door.written).toEqual([]);
    expect(await registry.metrics()).toContain('\nintake_turned_away_total{reason="room"} 3\n');
    door.shortage = undefined;
    expect((await post(transaction)).response.statusCode).toBe(202);
  });

  it.each([
    ["?wait=2s", false, "provisional"],
    ["?wait=2s&for=provisional", true, "committed"],
    ["?wait=30s&for=committed", true, "committed"],
  ])("%s waits for the decision (committed: %s)", async (query, committed, status) => {
    const sending = post(transaction, { query });
    await expect.poll(() => door.written.length).toBe(1);
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

describe("POST /v1/labels", () => {
  it("writes labels", async () => {
    const { response } = await post(label, { kind: "labels" });
    expect([response.statusCode, door.written[0]?.topic]).toEqual([202, "labels.valid"]);
    expect((await post([label, { ...label, verdict: "?" }], { kind: "labels" })).body).toMatchObject({
      accepted: 1,
      refused: 1,
    });
  });
});
