import { describe, expect, it } from "vitest";

import { onSuspicious } from "../../functions/alerter/episodes.js";
import { parseSettings } from "../../functions/settings.js";
import { sampleTransaction, START_MS } from "../../functions/testing/samples.js";
import { Decision, Outcome } from "../../protos/gen/fraud/v1/decision.js";
import { Alert } from "../../protos/gen/fraud/v1/evidence.js";
import { AlerterState, SuspiciousDecision } from "../../protos/gen/fraud/v1/internal.js";
import { EpisodeReference } from "./episodes.js";
import { completeSettings } from "./settings.js";

const MAX_INT64 = 2n ** 63n - 1n;

describe("an episode's sum", () => {
  it.each([0n, 10n ** 15n])("of amounts of %s is the alerter's, and stays within its field", (amountMinor) => {
    const reference = new EpisodeReference("a");
    const state = AlerterState.fromPartial({});
    const { alerter } = parseSettings({});
    const counts = Array.from({ length: 9_300 }, (_, n) => n + 1);
    const settings = completeSettings({ alerter: { ...alerter, escalateAt: counts } });
    let sum = 0n;
    for (const n of counts) {
      const transaction = sampleTransaction({ transactionId: `t-${n}`, amountMinor, eventTimeMs: START_MS });
      const expected = reference.decision(
        Decision.fromPartial({
          evidence: { transaction, scoring: { score: 400, outcome: Outcome.REVIEW, suspiciousSeq: BigInt(n) } },
        }),
        settings,
      );
      const raised = onSuspicious(
        state,
        SuspiciousDecision.fromPartial({ suspiciousSeq: BigInt(n), score: 400, outcome: Outcome.REVIEW, transaction }),
        { ...alerter, escalateAt: counts },
      );
      expect(raised.map(({ suspiciousAmountMinor }) => suspiciousAmountMinor)).toEqual(
        expected.map(({ suspiciousAmountMinor }) => suspiciousAmountMinor),
      );
      sum = Alert.decode(Alert.encode(expected[0]!).finish()).suspiciousAmountMinor;
    }
    expect(sum).toBe(amountMinor === 0n ? 0n : MAX_INT64);
  });
});
