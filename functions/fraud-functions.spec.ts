import { describe, expect, it } from "vitest";

import { Outcome } from "../protos/gen/fraud/v1/decision.js";
import { RejectReason, StateEvent_Kind } from "../protos/gen/fraud/v1/evidence.js";
import { AccountState, ExpireFrauds } from "../protos/gen/fraud/v1/internal.js";
import { FraudLabel, Transaction } from "../protos/gen/fraud/v1/transaction.js";
import { TestRuntime } from "../statefun/testing/test-runtime.js";
import * as addresses from "./addresses.js";
import { fraudFunctions } from "./fraud-functions.js";
import { written } from "./testing/outcome.js";
import { sampleDependencies, sampleLabel, sampleTransaction, START_MS } from "./testing/samples.js";

const HOUR_MS = 3_600_000n;
const { accountCounterOf } = addresses;
const A = accountCounterOf("a");

function pipeline(settings: unknown = {}) {
  const dependencies = sampleDependencies(settings);
  const runtime = new TestRuntime(fraudFunctions(dependencies), { seed: 3 });
  return { runtime, counts: dependencies.counts };
}

describe("the four functions", () => {
  it("are bound, each that has an address", () => {
    const addressed = Object.values(addresses).flatMap((exported) =>
      typeof exported === "function" ? [exported("x").typename] : [],
    );
    expect(fraudFunctions(sampleDependencies({})).typenames.toSorted()).toEqual(addressed.toSorted());
  });

  it("put all that a decision rests on into it", async () => {
    const { runtime } = pipeline();
    runtime.ingress(
      A,
      Transaction,
      sampleTransaction({ location: { latitudeE6: 38_720_000, longitudeE6: -9_140_000, name: "Lisbon" } }),
    );
    runtime.ingress(
      A,
      Transaction,
      sampleTransaction({
        transactionId: "t-2",
        eventTimeMs: START_MS + HOUR_MS,
        amountMinor: 3000n,
        location: { latitudeE6: 40_420_000, longitudeE6: -3_700_000, name: "Madrid" },
      }),
    );
    await runtime.run();
    const { decisions } = written(runtime);
    expect(decisions).toHaveLength(2);
    const { account, merchant, scoring } = decisions[1]!.evidence!;
    expect(account).toMatchObject({
      seq: 2n,
      eventSeq: 2n,
      error: "",
      features: {
        velocityCount: 1,
        dayCount: 2,
        dayAmountMinor: 4000n,
        historyCount: 1,
        historyAmountMinor: 1000n,
        amountRatioPermille: undefined,
      },
    });
    // Lisbon to Madrid: about 500 km, in an hour.
    expect(Number(account!.features!.travelDistanceM)).toBeGreaterThan(490_000);
    expect(Number(account!.features!.travelDistanceM)).toBeLessThan(520_000);
    expect(account!.features!.travelSpeedKmh).toBe(account!.features!.travelDistanceM! / 1000n);
    expect(merchant).toMatchObject({ seq: 2n, features: { recentCount: 1, historyCount: 1, confirmedFraudCount: 0 } });
    expect(scoring).toMatchObject({
      modelId: "sample",
      score: 0,
      outcome: Outcome.APPROVE,
      suspiciousSeq: undefined,
      error: "",
    });
    expect(scoring!.modelHash).toHaveLength(32);
  });

  it("drop a repeat and refuse other content under a known id, without numbering either", async () => {
    const { runtime, counts } = pipeline();
    const first = sampleTransaction();
    runtime.ingress(A, Transaction, first);
    runtime.ingress(A, Transaction, first);
    runtime.ingress(A, Transaction, sampleTransaction({ amountMinor: 1n }));
    runtime.ingress(A, Transaction, sampleTransaction({ transactionId: "t-2" }));
    await runtime.run();
    const { decisions, rejected } = written(runtime);
    expect(decisions.map(({ evidence }) => [evidence!.transaction!.transactionId, evidence!.account!.seq])).toEqual([
      ["t-1", 1n],
      ["t-2", 2n],
    ]);
    expect(rejected.map(({ reason }) => reason)).toEqual([RejectReason.ID_CONFLICT]);
    expect(counts.get("repeats")).toBe(1);
  });

  it("decide a topic's records that was made again, and know those of the same log again", async () => {
    const { runtime, counts } = pipeline();
    const topicId = (log: number) => Buffer.alloc(16, log);
    const from = (log: number, offset: bigint, leaderEpoch = 0) => ({
      topic: "transactions",
      partition: 0,
      offset,
      topicId: topicId(log),
      leaderEpoch,
    });
    const sent = Array.from({ length: 10 }, (_, n) =>
      sampleTransaction({ transactionId: n < 5 ? `place-${n}@1` : `client-${n}`, origin: from(1, BigInt(n)) }),
    );
    for (const one of sent) runtime.ingress(A, Transaction, one);
    // A reset of the consumer group: the same log, the same positions.
    for (const one of sent) runtime.ingress(A, Transaction, one);
    await runtime.run();
    expect(written(runtime).decisions).toHaveLength(10);
    expect(counts.get("repeats")).toBe(10);

    // In another log: five new ones without an id, which the intake names by their positions, five of clients with new
    // ids, and five sent again.
    for (let n = 0; n < 5; n++)
      runtime.ingress(A, Transaction, sampleTransaction({ transactionId: `place-${n}@2`, origin: from(2, BigInt(n)) }));
    for (let n = 5; n < 10; n++)
      runtime.ingress(A, Transaction, sampleTransaction({ transactionId: `new-${n}`, origin: from(2, BigInt(n)) }));
    for (let n = 5; n < 10; n++) runtime.ingress(A, Transaction, { ...sent[n]!, origin: from(2, BigInt(n + 5)) });
    await runtime.run();
    const { decisions, rejected } = written(runtime);
    expect(decisions.slice(10).map(({ evidence }) => evidence!.transaction!.transactionId)).toEqual(
      [0, 1, 2, 3, 4].map((n) => `place-${n}@2`).concat([5, 6, 7, 8, 9].map((n) => `new-${n}`)),
    );
    expect(rejected).toEqual([]);
    expect(counts.get("repeats")).toBe(15);

    // A log that lost its end: the same offset again, in a later epoch.
    runtime.ingress(A, Transaction, sampleTransaction({ transactionId: "after-the-cut", origin: from(2, 3n, 1) }));
    await runtime.run();
    expect(written(runtime).decisions).toHaveLength(21);
  });

  it("decide a transaction again that the account has forgotten, and mark it; and none that it has not", async () => {
    const { runtime, counts } = pipeline();
    const sent = Array.from({ length: 340 }, (_, n) =>
      sampleTransaction({ transactionId: `t-${n}`, eventTimeMs: START_MS + BigInt(n) * 1000n }),
    );
    for (const one of sent) runtime.ingress(A, Transaction, one);
    // The next day the same file again, of which 300 at least are known.
    for (const one of sent.slice(40)) runtime.ingress(A, Transaction, one);
    await runtime.run();
    expect(written(runtime).decisions.map(({ evidence }) => evidence!.account!.possibleRepeat)).toEqual(
      sent.map(() => false),
    );
    expect(counts.get("repeats")).toBe(300);
    runtime.ingress(A, Transaction, sent[0]!);
    runtime.ingress(A, Transaction, sampleTransaction({ transactionId: "new", eventTimeMs: START_MS + 340_000n }));
    await runtime.run();
    const { decisions } = written(runtime);
    expect(
      decisions
        .slice(340)
        .map(({ evidence }) => [evidence!.transaction!.transactionId, evidence!.account!.possibleRepeat]),
    ).toEqual([
      ["t-0", true],
      ["new", false],
    ]);
    expect(decisions.at(-1)!.evidence!.account!.forgottenSeq).toBeGreaterThan(0n);
  });

  it("take a label of a topic that was made again for a new one", async () => {
    const { runtime } = pipeline();
    const label = (log: number, fields: Partial<FraudLabel>) =>
      sampleLabel({ origin: { topic: "labels", partition: 0, offset: 3n, topicId: Buffer.alloc(16, log) }, ...fields });
    runtime.ingress(A, FraudLabel, label(1, {}));
    runtime.ingress(A, FraudLabel, label(1, { labelId: "l-2", transactionId: "t-2" }));
    runtime.ingress(A, FraudLabel, label(2, { labelId: "l-3", transactionId: "t-3" }));
    await runtime.run();
    expect(
      written(runtime)
        .events.filter(({ function: name }) => name === "fraud/account-counter")
        .map(({ sourceId }) => sourceId),
    ).toEqual(["l-1", "l-3"]);
  });

  it.each([
    {
      what: "bytes that are not a transaction",
      reason: RejectReason.UNREADABLE,
      typeUrl: "type.googleapis.com/fraud.v1.Transaction",
      value: Buffer.from([0xff, 0xff]),
    },
    {
      what: "a message of another type",
      reason: RejectReason.UNEXPECTED_TYPE,
      typeUrl: "type.googleapis.com/fraud.v1.Decision",
      value: Buffer.alloc(0),
    },
    { what: "another account's transaction", reason: RejectReason.MISROUTED, transaction: { accountId: "b" } },
    { what: "a negative amount", reason: RejectReason.INVALID_FIELD, transaction: { amountMinor: -1n } },
    {
      what: "a place off the Earth",
      reason: RejectReason.INVALID_FIELD,
      transaction: { location: { latitudeE6: 90_000_001, longitudeE6: 0, name: "" } },
    },
    { what: "no merchant", reason: RejectReason.INVALID_FIELD, transaction: { merchantId: "" } },
  ])("refuse $what, byte for byte, and go on", async ({ reason, typeUrl, value, transaction }) => {
    const { runtime } = pipeline();
    const bytes = value ?? Buffer.from(Transaction.encode(sampleTransaction(transaction)).finish());
    runtime.ingressBytes(A, typeUrl ?? "type.googleapis.com/fraud.v1.Transaction", bytes);
    runtime.ingress(A, Transaction, sampleTransaction({ transactionId: "t-2" }));
    await runtime.run();
    const { decisions, rejected } = written(runtime);
    expect(rejected).toHaveLength(1);
    expect(rejected[0]).toMatchObject({ function: "fraud/account-counter", addressId: "a", reason });
    expect(rejected[0]!.original!.value).toEqual(bytes);
    expect(decisions.map(({ evidence }) => evidence!.account!.seq)).toEqual([1n]);
  });

  it("count a confirmed fraud at account and merchant, take it back, and forget it when its window has passed", async () => {
    const { runtime } = pipeline({ account: { fraudWindowMs: Number(2n * HOUR_MS), expiryDelayMs: 1000 } });
    const at = (hours: bigint, id: string) =>
      runtime.ingress(
        A,
        Transaction,
        sampleTransaction({ transactionId: id, eventTimeMs: START_MS + hours * HOUR_MS }),
      );
    at(0n, "t-1");
    runtime.ingress(A, FraudLabel, sampleLabel({ effectiveAtMs: START_MS + HOUR_MS }));
    await runtime.run();
    at(1n, "t-2");
    await runtime.run();
    runtime.ingress(
      A,
      FraudLabel,
      sampleLabel({ labelId: "l-2", transactionId: "t-2", effectiveAtMs: START_MS + 2n * HOUR_MS }),
    );
    runtime.ingress(
      A,
      FraudLabel,
      sampleLabel({
        labelId: "l-3",
        transactionId: "t-2",
        effectiveAtMs: START_MS + 2n * HOUR_MS,
        revision: 2,
        verdict: 2,
      }),
    );
    await runtime.run();
    at(2n, "t-3");
    await runtime.run();
    at(4n, "t-4");
    await runtime.advance(1500);
    const { decisions, events } = written(runtime);
    expect(decisions.map(({ evidence }) => evidence!.account!.features!.confirmedFraudCount)).toEqual([0, 1, 1, 0]);
    expect(decisions.map(({ evidence }) => evidence!.merchant!.features!.confirmedFraudCount)).toEqual([0, 1, 1, 1]);
    expect(
      events
        .filter(({ function: name }) => name === "fraud/account-counter")
        .map(({ kind, fraudDelta }) => [kind, fraudDelta]),
    ).toEqual([
      [StateEvent_Kind.LABEL, 1],
      [StateEvent_Kind.LABEL, 1],
      [StateEvent_Kind.LABEL, -1],
      [StateEvent_Kind.EXPIRY, 0],
    ]);
    expect(
      events.filter(({ function: name }) => name === "fraud/merchant-model").map(({ fraudDelta }) => fraudDelta),
    ).toEqual([1, 1, -1]);
  });

  it("count a verdict that comes late from now on, at account and merchant", async () => {
    const DAY_MS = 24n * HOUR_MS;
    const { runtime } = pipeline();
    runtime.ingress(A, Transaction, sampleTransaction({ eventTimeMs: START_MS - 45n * DAY_MS }));
    runtime.ingress(A, Transaction, sampleTransaction({ transactionId: "t-2" }));
    runtime.ingress(
      A,
      FraudLabel,
      sampleLabel({ eventTimeMs: START_MS - 45n * DAY_MS, effectiveAtMs: undefined, revision: undefined }),
    );
    // Before its transaction, and of one that is younger than all others.
    runtime.ingress(
      accountCounterOf("b"),
      FraudLabel,
      sampleLabel({
        labelId: "l-b",
        accountId: "b",
        eventTimeMs: START_MS + HOUR_MS,
        effectiveAtMs: undefined,
        revision: undefined,
      }),
    );
    await runtime.run();
    runtime.ingress(A, Transaction, sampleTransaction({ transactionId: "t-3", eventTimeMs: START_MS + HOUR_MS }));
    await runtime.run();
    const { decisions, events } = written(runtime);
    expect(
      events
        .filter(({ function: name }) => name === "fraud/account-counter")
        .map(({ sourceId, revision, fraudDelta, effectiveAtMs }) => [sourceId, revision, fraudDelta, effectiveAtMs])
        .sort(),
    ).toEqual([
      ["l-1", 1, 1, START_MS],
      ["l-b", 1, 1, START_MS + HOUR_MS],
    ]);
    const { account, merchant } = decisions.at(-1)!.evidence!;
    expect([account!.features!.confirmedFraudCount, merchant!.features!.confirmedFraudCount]).toEqual([1, 2]);
  });

  it("take a verdict without a revision for the next one, a label that comes again for the same, and refuse a jump and a stale one", async () => {
    const { runtime, counts } = pipeline();
    const send = async (fields: Partial<FraudLabel>): Promise<void> => {
      runtime.ingress(A, FraudLabel, sampleLabel({ revision: undefined, effectiveAtMs: undefined, ...fields }));
      await runtime.run();
    };
    await send({ labelId: "fraud" });
    await send({ labelId: "legitimate", verdict: 2 });
    await send({ labelId: "fraud" });
    await send({ labelId: "ahead", revision: 19 });
    await send({ labelId: "jump", revision: 18, verdict: 1 });
    await send({ labelId: "stale", revision: 18, verdict: 2 });
    await send({ labelId: "next", verdict: 2 });
    await send({ labelId: "far", transactionId: "t-2", revision: 17 });
    const { events, rejected } = written(runtime);
    expect(
      events
        .filter(({ function: name }) => name === "fraud/account-counter")
        .map(({ sourceId, revision, fraudDelta }) => [sourceId, revision, fraudDelta]),
    ).toEqual([
      ["fraud", 1, 1],
      ["legitimate", 2, -1],
      ["jump", 18, 1],
      ["next", 19, -1],
    ]);
    expect(rejected.map(({ reason, original }) => [reason, FraudLabel.decode(original!.value).labelId])).toEqual([
      [RejectReason.REVISION_AHEAD, "ahead"],
      [RejectReason.STALE_REVISION, "stale"],
      [RejectReason.REVISION_AHEAD, "far"],
    ]);
    expect(rejected[0]!.message).toBe(
      "revision 19 is more than 16 beyond 2, the one that holds; without a revision a label gets the next one",
    );
    expect(counts.get("stale_labels")).toBe(2);
  });

  it("keep no timer of verdicts for an account at rest, and set one with its next transaction", async () => {
    const { runtime } = pipeline({
      account: { fraudWindowMs: Number(2n * HOUR_MS), expiryDelayMs: 1000, restMs: 0 },
      merchant: { restMs: 0 },
    });
    runtime.ingress(A, Transaction, sampleTransaction());
    await runtime.run();
    expect(runtime.delayedCount).toBe(0);
    runtime.ingress(A, FraudLabel, sampleLabel({ effectiveAtMs: START_MS }));
    await runtime.run();
    expect(runtime.delayedCount).toBe(1);
    await runtime.advance(1500);
    expect(runtime.state(A, "account", AccountState)!.verdicts).toHaveLength(1);
    expect(runtime.delayedCount).toBe(0);
    const later = { transactionId: "t-2", eventTimeMs: START_MS + 3n * HOUR_MS };
    runtime.ingress(A, Transaction, sampleTransaction(later));
    await runtime.run();
    expect(runtime.delayedCount).toBe(1);
    await runtime.advance(1500);
    expect(runtime.state(A, "account", AccountState)!.verdicts).toEqual([]);
    expect(runtime.delayedCount).toBe(0);
  });

  it("take a confirmed fraud's timer only as a hint: one that comes early changes nothing", async () => {
    const { runtime } = pipeline();
    runtime.ingress(A, Transaction, sampleTransaction());
    runtime.ingress(A, FraudLabel, sampleLabel());
    runtime.ingress(A, ExpireFrauds, {});
    await runtime.run();
    expect(runtime.state(A, "account", AccountState)!.verdicts).toHaveLength(1);
    expect(written(runtime).events.filter(({ kind }) => kind === StateEvent_Kind.EXPIRY)).toEqual([]);
  });
});

describe("an account or merchant to which nothing comes", () => {
  const REST = { account: { restMs: 10_000, knownMerchants: 4 }, merchant: { restMs: 10_000 } };
  const send = (runtime: ReturnType<typeof pipeline>["runtime"], id: string, hours = 0n) =>
    runtime.ingress(A, Transaction, {
      ...sampleTransaction({ transactionId: id, eventTimeMs: START_MS + hours * HOUR_MS }),
      contentHash: Buffer.alloc(16),
    });
  const rests = (runtime: ReturnType<typeof pipeline>["runtime"]) =>
    written(runtime).events.filter(({ kind }) => kind === StateEvent_Kind.REST);

  it("loses its state by a numbered event, keeps its numbers and what recognises repeats, and has no timer", async () => {
    const { runtime, counts } = pipeline(REST);
    send(runtime, "t-1");
    runtime.ingress(A, FraudLabel, sampleLabel());
    await runtime.run();
    // One of each, and the expiry of verdicts.
    expect(runtime.delayedCount).toBe(3);
    // The merchant's is set again: the label came after it was set.
    await runtime.advance(25_000);
    expect(rests(runtime).map(({ function: name, eventSeq }) => [name, eventSeq])).toEqual([
      ["fraud/account-counter", 3n],
      ["fraud/merchant-model", 3n],
    ]);
    const state = runtime.state(A, "account", AccountState)!;
    expect(state).toMatchObject({ seq: 1n, eventSeq: 3n, velocity: undefined, lastSeen: undefined, verdicts: [] });
    expect([state.remembered.length > 0, state.recentLabels.length, state.recentMerchants.length]).toEqual([
      true,
      8,
      0,
    ]);
    await runtime.advance(3_600_000);
    expect(runtime.delayedCount).toBe(0);
    send(runtime, "t-1");
    send(runtime, "t-2");
    await runtime.run();
    expect(counts.get("repeats")).toBe(1);
    const { account, merchant } = written(runtime).decisions.at(-1)!.evidence!;
    expect([account!.seq, account!.eventSeq, merchant!.eventSeq]).toEqual([2n, 4n, 4n]);
    expect(account!.features).toMatchObject({
      historyCount: 0,
      confirmedFraudCount: 0,
      travelElapsedMs: undefined,
      merchantVisits: 0,
    });
    expect(merchant!.features).toMatchObject({ historyCount: 0, confirmedFraudCount: 0 });
  });

  it("keeps all as long as something comes, with a single timer", async () => {
    const { runtime } = pipeline(REST);
    for (let n = 0; n < 20; n++) {
      send(runtime, `t-${n}`, BigInt(n));
      await runtime.run();
      expect(runtime.delayedCount).toBe(2);
      await runtime.advance(9_000);
    }
    expect(rests(runtime)).toEqual([]);
    await runtime.advance(20_000);
    expect(rests(runtime)).toHaveLength(2);
    expect(runtime.delayedCount).toBe(0);
  });

  it("keeps all for ever where that is asked for", async () => {
    const { runtime } = pipeline({ account: { restMs: 0 }, merchant: { restMs: 0 } });
    send(runtime, "t-1");
    await runtime.run();
    expect(runtime.delayedCount).toBe(0);
  });
});
