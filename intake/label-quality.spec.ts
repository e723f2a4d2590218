import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { transactionKey } from "../contract/transaction-key.js";
import { Outcome } from "../protos/gen/fraud/v1/decision.js";
import type { LabelOutcome } from "./label-index.js";
import { LabelQuality } from "./label-quality.js";
import { intakeMetrics } from "./metrics.js";

const recorded = (transactionId: string, fraudDelta: number, revision = 1): LabelOutcome => ({
  labelId: `l-${transactionId}-${revision}`,
  accountId: "a",
  transactionId,
  status: "recorded",
  revision,
  fraudDelta,
  effectiveAtMs: "0",
  eventSeq: "1",
});
const key = (transactionId: string): string => transactionKey("a", transactionId);
/** What is not 0. */
const counted = ({ counts }: LabelQuality): Record<string, number> =>
  Object.fromEntries(
    counts.filter(({ count }) => count > 0).map(({ verdict, outcome, count }) => [`${verdict} ${outcome}`, count]),
  );

describe("LabelQuality", () => {
  it("counts labelled transactions by verdict and by what was decided, and who waits for a verdict", () => {
    const quality = new LabelQuality(10);
    quality.onDecided(key("found"), Outcome.DECLINE);
    quality.onDecided(key("missed"), Outcome.APPROVE);
    quality.onDecided(key("good"), Outcome.REVIEW);
    quality.onDecided(key("waits"), Outcome.REVIEW);
    expect([quality.unlabelledSuspicious, counted(quality)]).toEqual([3, {}]);
    quality.onLabel(recorded("found", 1));
    quality.onLabel(recorded("missed", 1));
    quality.onLabel(recorded("good", 0));
    quality.onLabel(recorded("long ago", 1));
    expect(counted(quality)).toEqual({
      "FRAUD DECLINE": 1,
      "FRAUD APPROVE": 1,
      "LEGITIMATE REVIEW": 1,
      "FRAUD UNKNOWN": 1,
    });
    expect(quality.unlabelledSuspicious).toBe(1);
  });

  it("has the last verdict, and each transaction once", () => {
    const quality = new LabelQuality(10);
    quality.onDecided(key("t"), Outcome.REVIEW);
    quality.onLabel(recorded("t", 1));
    quality.onLabel(recorded("t", 0, 2));
    expect(counted(quality)).toEqual({ "FRAUD REVIEW": 1 });
    quality.onLabel(recorded("t", -1, 3));
    quality.onLabel(recorded("t", 0, 4));
    expect(counted(quality)).toEqual({ "LEGITIMATE REVIEW": 1 });
    // Read again after a restart, or decided again.
    quality.onLabel(recorded("t", 0, 4));
    quality.onDecided(key("t"), Outcome.APPROVE);
    expect(counted(quality)).toEqual({ "LEGITIMATE APPROVE": 1 });
  });

  it("takes no label that was refused, nor one that repeats a verdict that it does not know", () => {
    const quality = new LabelQuality(10);
    const { labelId, accountId, transactionId } = recorded("t", 0);
    quality.onLabel({ labelId, accountId, transactionId, status: "refused", reason: "STALE_REVISION", detail: "" });
    quality.onLabel(recorded("t", 0, 2));
    expect(counted(quality)).toEqual({});
  });

  it("forgets the oldest; a labelled transaction keeps its outcome", () => {
    const quality = new LabelQuality(2);
    for (const id of ["1", "2", "3"]) quality.onDecided(key(id), Outcome.REVIEW);
    expect(quality.unlabelledSuspicious).toBe(2);
    quality.onLabel(recorded("1", 1));
    quality.onLabel(recorded("2", 1));
    expect(counted(quality)).toEqual({ "FRAUD UNKNOWN": 1, "FRAUD REVIEW": 1 });
    quality.onDecided(key("4"), Outcome.APPROVE);
    quality.onLabel(recorded("2", -1, 2));
    quality.onLabel(recorded("3", 1));
    expect(counted(quality)).toEqual({ "LEGITIMATE REVIEW": 1, "FRAUD REVIEW": 1 });
  });

  it("comes to the same whichever of decisions and labels is read first", () => {
    const transactions = fc.uniqueArray(
      fc.record({
        id: fc.integer({ min: 0, max: 20 }).map(String),
        outcome: fc.constantFrom(Outcome.APPROVE, Outcome.REVIEW, Outcome.DECLINE, Outcome.ERROR),
        fraud: fc.option(fc.boolean(), { nil: undefined }),
      }),
      { selector: ({ id }) => id },
    );
    fc.assert(
      fc.property(transactions, (all) => {
        const [one, other] = [new LabelQuality(100), new LabelQuality(100)];
        const decide = (to: LabelQuality) => {
          for (const { id, outcome } of all) to.onDecided(key(id), outcome);
        };
        const label = (to: LabelQuality) => {
          for (const { id, fraud } of all) if (fraud !== undefined) to.onLabel(recorded(id, fraud ? 1 : 0));
        };
        decide(one);
        label(one);
        label(other);
        decide(other);
        expect([other.counts, other.unlabelledSuspicious]).toEqual([one.counts, one.unlabelledSuspicious]);
        expect(one.counts.reduce((sum, { count }) => sum + count, 0)).toBe(
          all.filter(({ fraud }) => fraud !== undefined).length,
        );
      }),
    );
  });

  it("is among the metrics, with every verdict and outcome from the start", async () => {
    const quality = new LabelQuality(10);
    const { registry } = intakeMetrics({
      queuedBytes: () => 0,
      lag: () => Promise.resolve([]),
      backlogSeconds: () => undefined,
      room: () => undefined,
      consumers: () => [],
      quality,
    });
    expect((await registry.getSingleMetric("intake_labelled_transactions")!.get()).values).toHaveLength(10);
    quality.onDecided(key("t"), Outcome.REVIEW);
    expect(await registry.getSingleMetricAsString("intake_unlabelled_suspicious")).toMatch(/ 1$/);
    quality.onLabel(recorded("t", 1));
    expect(await registry.getSingleMetricAsString("intake_labelled_transactions")).toContain(
      'intake_labelled_transactions{verdict="FRAUD",outcome="REVIEW"} 1\n',
    );
    expect(await registry.getSingleMetricAsString("intake_unlabelled_suspicious")).toMatch(/ 0$/);
  });
});
