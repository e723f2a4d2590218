import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ScoringRequest } from "../../protos/gen/fraud/v1/decision.js";
import { ScorerState, WaitingRequest } from "../../protos/gen/fraud/v1/internal.js";
import { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { TestRuntime } from "../../statefun/testing/test-runtime.js";
import { accountCounterOf, transactionScorerOf, waitingRoomOf } from "../addresses.js";
import { fraudFunctions } from "../fraud-functions.js";
import { written } from "../testing/outcome.js";
import { sampleDependencies, sampleTransaction, START_MS } from "../testing/samples.js";

/** Counter, merchant and scorer, and the alerter for those that are suspicious. */
const MESSAGES_EACH = 4;
/** There, the scorer's asking, and back. */
const MESSAGES_EACH_PARKED = 3;

const transaction = (n: number, merchants: number, filling = 0): Transaction =>
  sampleTransaction({
    transactionId: `t-${n}${"x".repeat(filling)}`,
    merchantId: `m${(n * 7) % merchants}`,
    eventTimeMs: START_MS + BigInt(n) * 1_000n,
    contentHash: Buffer.from(String(n).padStart(16)),
  });

const decidedNumbers = (runtime: TestRuntime): bigint[] =>
  written(runtime).decisions.map(({ evidence }) => evidence!.account!.seq);
const oneTo = (n: number) => Array.from({ length: n }, (_, index) => BigInt(index + 1));

/** All that waits, or went to wait. */
const leftOver = (runtime: TestRuntime, n: number): unknown[] => [
  ...runtime.state(transactionScorerOf("a"), "scorer", ScorerState)!.waiting,
  ...oneTo(n).filter((seq) => runtime.state(waitingRoomOf(`a/${seq}`), "waiting", WaitingRequest) !== undefined),
];

describe("many transactions of one account at once", () => {
  it("cost a bounded number of messages each, whatever their order, and whatever may wait in the scorer's state", async () => {
    let parkedInAll = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 40 }),
        fc.nat(),
        fc.constantFrom(0, 400, 3_000, 16_384),
        async (n, merchants, seed, maxWaitingBytes) => {
          const dependencies = sampleDependencies({ scorer: { maxWaitingBytes } });
          const runtime = new TestRuntime(fraudFunctions(dependencies), { seed, maxBatch: 1 + (seed % 40) });
          for (let index = 0; index < n; index++)
            runtime.ingress(accountCounterOf("a"), Transaction, transaction(index, merchants));
          // Nothing waits for a timer.
          await runtime.run();
          expect(decidedNumbers(runtime)).toEqual(oneTo(n));
          expect(leftOver(runtime, n)).toEqual([]);
          const parked = dependencies.counts.get("parked") ?? 0;
          expect(parked).toBeLessThanOrEqual(n);
          expect(runtime.delivered).toBeLessThanOrEqual(MESSAGES_EACH * n + MESSAGES_EACH_PARKED * parked + 16);
          parkedInAll += parked;
        },
      ),
      { numRuns: 60, seed: 1 },
    );
    expect(parkedInAll).toBeGreaterThan(1_000);
  });

  it("cost a bounded number also where they come the wrong way round, and some are much larger than others", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(0, 0, 0, 2_000, 20_000), { minLength: 2, maxLength: 200 }),
        fc.nat(),
        async (fillings, seed) => {
          const dependencies = sampleDependencies();
          const runtime = new TestRuntime(fraudFunctions(dependencies), { seed, maxBatch: 1 + (seed % 40) });
          for (const [index, filling] of [...fillings.entries()].reverse())
            runtime.ingress(transactionScorerOf("a"), ScoringRequest, requestOf(index + 1, filling));
          await runtime.run();
          const n = fillings.length;
          expect(decidedNumbers(runtime)).toEqual(oneTo(n));
          expect(leftOver(runtime, n)).toEqual([]);
          expect(dependencies.counts.get("parked") ?? 0).toBeLessThanOrEqual(2 * n);
          expect(runtime.delivered).toBeLessThanOrEqual((2 + 2 * MESSAGES_EACH_PARKED) * n);
        },
      ),
      { numRuns: 60, seed: 1 },
    );
  });
});

describe("the waiting room", () => {
  it("has nothing to send back twice", async () => {
    const runtime = new TestRuntime(fraudFunctions(sampleDependencies({ scorer: { maxWaitingBytes: 0 } })));
    runtime.ingress(transactionScorerOf("a"), ScoringRequest, requestOf(2, 0));
    await runtime.run();
    expect(leftOver(runtime, 2)).toEqual([2n]);
    expect(runtime.state(transactionScorerOf("a"), "scorer", ScorerState)).toMatchObject({
      parkedFrom: 2n,
      parkedTo: 2n,
    });
    runtime.ingress(transactionScorerOf("a"), ScoringRequest, requestOf(1, 0));
    await runtime.run();
    expect(decidedNumbers(runtime)).toEqual([1n, 2n]);
    expect(leftOver(runtime, 2)).toEqual([]);
    expect(runtime.state(transactionScorerOf("a"), "scorer", ScorerState)).toMatchObject({
      decidedSeq: 2n,
      parkedFrom: 0n,
      parkedTo: 0n,
      largestWaiting: 0,
    });
  });
});

function requestOf(seq: number, filling: number): ScoringRequest {
  return ScoringRequest.fromPartial({
    evidence: {
      transaction: transaction(seq, 3, filling),
      account: { seq: BigInt(seq), eventSeq: BigInt(seq), error: "not computed here" },
      merchant: { seq: BigInt(seq), eventSeq: BigInt(seq) },
    },
  });
}
