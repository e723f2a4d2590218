import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type Decision, Outcome } from "../protos/gen/fraud/v1/decision.js";
import { Alert_Kind, RejectReason, StateEvent_Kind } from "../protos/gen/fraud/v1/evidence.js";
import { FraudLabel, Transaction, Verdict } from "../protos/gen/fraud/v1/transaction.js";
import { TestRuntime } from "../statefun/testing/test-runtime.js";
import { accountCounterOf } from "./addresses.js";
import { fraudFunctions } from "./fraud-functions.js";
import { groupBy, written, type WrittenRecords } from "./testing/outcome.js";
import { sampleDependencies, sampleLabel, sampleTransaction, START_MS } from "./testing/samples.js";

const MINUTE_MS = 60_000n;

const UNKNOWN = { latitudeE6: 0, longitudeE6: 0 };
/** Anywhere, nowhere, and what a device sends that does not know. */
const place = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      latitudeE6: fc.integer({ min: -90e6, max: 90e6 }),
      longitudeE6: fc.integer({ min: -180e6, max: 180e6 }),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom(undefined, UNKNOWN) },
);

/** What enters, in this order. Labels and repeats name an earlier transaction by its index among those sent. */
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("transaction" as const),
      account: fc.nat(2),
      merchant: fc.nat(2),
      minutes: fc.nat(4),
      place,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("repeat" as const), of: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("conflict" as const), of: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("label" as const),
      of: fc.nat(),
      revision: fc.integer({ min: 1, max: 3 }),
      fraud: fc.boolean(),
    }),
  },
);
const workload = fc.array(step, { minLength: 1, maxLength: 60 });
type Workload = (typeof workload extends fc.Arbitrary<infer T> ? T : never)[number][];

/** From everything waits to nothing may wait. */
const maxWaitingBytes = fc.constantFrom(0, 400, 16_384);

interface Played {
  readonly sent: readonly Transaction[];
  readonly conflicts: number;
  readonly labels: number;
  readonly records: WrittenRecords;
  readonly counts: ReadonlyMap<string, number>;
}

/** From none to one before every tenth call. */
const crashRate = fc.constantFrom(0, 0.02, 0.1);

async function play(steps: Workload, seed: number, waitingBytes: number, crashes = 0): Promise<Played> {
  const dependencies = sampleDependencies({
    account: { recentTransactions: 200, maxVerdicts: 256 },
    scorer: { maxWaitingBytes: waitingBytes },
    // Minutes, as the workload has them.
    learned: { events: 6, labelDelayMs: 3 * Number(MINUTE_MS) },
  });
  const runtime = new TestRuntime(fraudFunctions(dependencies), { seed, maxBatch: 1 + (seed % 7), crashRate: crashes });
  const sent: Transaction[] = [];
  let conflicts = 0;
  let labels = 0;
  let now = START_MS;
  for (const [n, item] of steps.entries()) {
    if (item.kind === "transaction") {
      now += BigInt(item.minutes) * MINUTE_MS;
      const transaction = sampleTransaction({
        transactionId: `t-${n}`,
        accountId: `a${item.account}`,
        merchantId: `m${item.merchant}`,
        eventTimeMs: now,
        location: item.place && { ...item.place, name: "" },
        contentHash: Buffer.alloc(16, n),
      });
      sent.push(transaction);
      runtime.ingress(accountCounterOf(transaction.accountId), Transaction, transaction);
      continue;
    }
    const earlier = sent[item.of % Math.max(1, sent.length)];
    if (earlier === undefined) continue;
    const to = accountCounterOf(earlier.accountId);
    if (item.kind === "repeat") runtime.ingress(to, Transaction, earlier);
    else if (item.kind === "conflict") {
      conflicts++;
      runtime.ingress(to, Transaction, { ...earlier, amountMinor: 1n, contentHash: Buffer.alloc(16, 255) });
    } else {
      const { accountId, transactionId, merchantId } = earlier;
      labels++;
      runtime.ingress(
        to,
        FraudLabel,
        sampleLabel({
          labelId: `l-${n}`,
          accountId,
          transactionId,
          merchantId,
          revision: item.revision,
          verdict: item.fraud ? Verdict.FRAUD : Verdict.LEGITIMATE,
          effectiveAtMs: now,
        }),
      );
    }
  }
  // Transactions that must not wait are sent again every 100 ms of virtual time; an episode is closed after twice its
  // 30 s at most.
  await runtime.advance(120_000);
  // A crash takes timers back, and the clock goes on: what they wait for comes that much later.
  for (let crash = 0; crash < runtime.crashes; crash++) await runtime.advance(60_000);
  return { sent, conflicts, labels, records: written(runtime), counts: dependencies.counts };
}

const evidenceOf = ({ evidence }: Decision) => evidence!;
const oneTo = (n: number) => Array.from({ length: n }, (_, index) => BigInt(index + 1));
const sorted = (numbers: bigint[]) => numbers.sort((a, b) => Number(a - b));

describe("the four functions, in any interleaving and with any crashes", () => {
  it("decide every transaction exactly once, in the order in which its account's transactions came", async () => {
    await fc.assert(
      fc.asyncProperty(workload, fc.nat(), maxWaitingBytes, crashRate, async (steps, seed, bytes, crashes) => {
        const { sent, conflicts, labels, records, counts } = await play(steps, seed, bytes, crashes);
        const decided = groupBy(records.decisions, (decision) => evidenceOf(decision).transaction!.accountId);
        const expected = groupBy(sent, ({ accountId }) => accountId);
        expect([...decided.keys()].sort()).toEqual([...expected.keys()].sort());
        for (const [account, transactions] of expected) {
          expect(decided.get(account)!.map((decision) => evidenceOf(decision).transaction!.transactionId)).toEqual(
            transactions.map(({ transactionId }) => transactionId),
          );
          expect(decided.get(account)!.map((decision) => evidenceOf(decision).account!.seq)).toEqual(
            oneTo(transactions.length),
          );
        }
        expect(records.rejected.filter(({ reason }) => reason === RejectReason.ID_CONFLICT)).toHaveLength(conflicts);
        // Each label is recorded or refused, and nothing else is.
        const recorded = records.events.filter(
          ({ function: name, kind }) => name === "fraud/account-counter" && kind === StateEvent_Kind.LABEL,
        );
        expect(records.rejected.filter(({ reason }) => reason === RejectReason.STALE_REVISION)).toHaveLength(
          labels - recorded.length,
        );
        expect(records.rejected).toHaveLength(conflicts + labels - recorded.length);
        expect(counts.get("stale_scoring_requests") ?? 0).toBe(0);
        expect(counts.get("function_errors") ?? 0).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it("number every change of each address's state without a gap", async () => {
    await fc.assert(
      fc.asyncProperty(workload, fc.nat(), maxWaitingBytes, crashRate, async (steps, seed, bytes, crashes) => {
        const { decisions, events } = (await play(steps, seed, bytes, crashes)).records;
        const numbers = [
          ...decisions.flatMap((decision) => {
            const { transaction, account, merchant } = evidenceOf(decision);
            return [
              { address: `counter ${transaction!.accountId}`, seq: account!.eventSeq },
              { address: `merchant ${transaction!.merchantId}`, seq: merchant!.eventSeq },
            ];
          }),
          ...events.map(({ function: name, addressId, eventSeq }) => ({
            address: `${name === "fraud/account-counter" ? "counter" : "merchant"} ${addressId}`,
            seq: eventSeq,
          })),
        ];
        for (const [address, group] of groupBy(numbers, ({ address }) => address))
          expect(sorted(group.map(({ seq }) => seq)), address).toEqual(oneTo(group.length));
        for (const [merchant, group] of groupBy(
          decisions,
          (decision) => evidenceOf(decision).transaction!.merchantId,
        )) {
          expect(sorted(group.map((decision) => evidenceOf(decision).merchant!.seq)), merchant).toEqual(
            oneTo(group.length),
          );
        }
      }),
      { numRuns: 200 },
    );
  });

  it("compute an account's features from its own inputs alone", async () => {
    let learned = 0;
    await fc.assert(
      fc.asyncProperty(
        workload,
        fc.nat(),
        fc.nat(),
        maxWaitingBytes,
        crashRate,
        async (steps, seed, otherSeed, bytes, crashes) => {
          const features = async (chosen: number, waiting: number, rate: number) =>
            new Map(
              (await play(steps, chosen, waiting, rate)).records.decisions.map((decision) => [
                evidenceOf(decision).transaction!.transactionId,
                evidenceOf(decision).account!.features,
              ]),
            );
          const found = await features(otherSeed, bytes, crashes);
          expect(found).toEqual(await features(seed, 16_384, 0));
          for (const one of found.values()) if (one!.genuineCount! > 0n || one!.knownFraudAgeS! < 86_400n) learned++;
        },
      ),
      { numRuns: 100, seed: 1 },
    );
    expect(learned).toBeGreaterThan(100);
  });

  it("make no journey to or from a place of exactly 0, 0: it is as good as none", async () => {
    let journeys = 0;
    await fc.assert(
      fc.asyncProperty(workload, fc.nat(), maxWaitingBytes, crashRate, async (steps, seed, bytes, crashes) => {
        const features = async (played: Workload, rate: number) =>
          new Map(
            (await play(played, seed, bytes, rate)).records.decisions.map((decision) => [
              evidenceOf(decision).transaction!.transactionId,
              evidenceOf(decision).account!.features!,
            ]),
          );
        const nowhere = steps.map((item) =>
          item.kind === "transaction" && item.place === UNKNOWN ? { ...item, place: undefined } : item,
        );
        const found = await features(steps, crashes);
        expect(found).toEqual(await features(nowhere, 0));
        for (const { travelDistanceM } of found.values()) if (travelDistanceM !== undefined) journeys++;
        for (const [n, item] of steps.entries())
          if (item.kind === "transaction" && (item.place === UNKNOWN || item.place === undefined))
            expect(found.get(`t-${n}`)!.travelDistanceM).toBeUndefined();
      }),
      { numRuns: 100, seed: 1 },
    );
    expect(journeys).toBeGreaterThan(50);
  });

  it("number suspicious decisions and alerts without a gap, one episode open at a time", async () => {
    // Five transactions within minutes are suspicious to the sample model.
    const burst = fc.array(
      fc.record({
        kind: fc.constant("transaction" as const),
        account: fc.nat(1),
        merchant: fc.nat(2),
        minutes: fc.constantFrom(0, 0, 0, 1, 40),
        place,
      }),
      { minLength: 10, maxLength: 60 },
    );
    let alerts = 0;
    await fc.assert(
      fc.asyncProperty(burst, fc.nat(), crashRate, async (steps, seed, crashes) => {
        const { records } = await play(steps, seed, 400, crashes);
        for (const [, decisions] of groupBy(
          records.decisions,
          (decision) => evidenceOf(decision).transaction!.accountId,
        )) {
          const suspicious = decisions.filter((decision) =>
            [Outcome.REVIEW, Outcome.DECLINE].includes(evidenceOf(decision).scoring!.outcome),
          );
          expect(suspicious.map((decision) => evidenceOf(decision).scoring!.suspiciousSeq)).toEqual(
            oneTo(suspicious.length),
          );
        }
        for (const [account, raised] of groupBy(records.alerts, ({ accountId }) => accountId)) {
          alerts += raised.length;
          expect(
            raised.map(({ alertSeq }) => alertSeq),
            account,
          ).toEqual(oneTo(raised.length));
          let open = 0n;
          for (const { kind, episode } of raised) {
            if (kind === Alert_Kind.OPENED) expect(open).toBe(0n);
            else expect(episode).toBe(open);
            open = kind === Alert_Kind.CLOSED ? 0n : episode;
          }
          // The quiet at the end has closed the last one.
          expect(open).toBe(0n);
        }
      }),
      { numRuns: 100, seed: 1 },
    );
    expect(alerts).toBeGreaterThan(100);
  });
});
