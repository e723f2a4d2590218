import { describe, expect, it } from "vitest";

import { Outcome, ScoringEvidence } from "../protos/gen/fraud/v1/decision.js";
import { serverMetrics } from "./server-metrics.js";

describe("the function server's metrics", () => {
  it("show each model's scores, and where a challenger would have decided otherwise", async () => {
    const { metrics, registry } = serverMetrics();
    const decided = (fields: Partial<ScoringEvidence>): void =>
      metrics.decided(ScoringEvidence.fromPartial(fields), undefined);
    const challenger = (outcome: Outcome) => ({ modelId: "new", outcome }) as ScoringEvidence["challenger"];
    decided({ modelId: "old", score: 120, outcome: Outcome.APPROVE, challenger: challenger(Outcome.REVIEW) });
    decided({ modelId: "old", score: 440, outcome: Outcome.DECLINE, challenger: challenger(Outcome.DECLINE) });
    decided({ modelId: "old", score: 0, outcome: Outcome.ERROR });
    const lines = (await registry.metrics()).split("\n");
    expect(lines.filter((line) => /^fraud_(challenger_outcomes_total|score_count|score_sum)/.test(line))).toEqual([
      'fraud_score_sum{model="old"} 560',
      'fraud_score_count{model="old"} 2',
      'fraud_challenger_outcomes_total{challenger="new",champion_outcome="APPROVE",challenger_outcome="REVIEW"} 1',
      'fraud_challenger_outcomes_total{challenger="new",champion_outcome="DECLINE",challenger_outcome="DECLINE"} 1',
    ]);
    expect(lines).toContain('fraud_score_bucket{le="400",model="old"} 1');
    expect(lines).toContain('fraud_decisions_total{outcome="ERROR"} 1');
  });
});
