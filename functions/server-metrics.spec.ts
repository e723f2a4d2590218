import { describe, expect, it } from "vitest";

import { Evidence, Outcome, type ScoringEvidence } from "../protos/gen/fraud/v1/decision.js";
import { serverMetrics } from "./server-metrics.js";
import type { Model } from "./transaction-scorer/model.js";

describe("the function server's metrics", () => {
  it("show each model's scores, and where a challenger would have decided otherwise", async () => {
    const { metrics, registry } = serverMetrics();
    const decided = (scoring: Partial<ScoringEvidence>): void =>
      metrics.decided(Evidence.fromPartial({ scoring }), undefined);
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

  it("count a model of trees' scores by the bands of its reference, from the start; one of points has none", async () => {
    const model = (id: string, kind: "points" | "trees") => ({ id, definition: { kind } }) as Model;
    const { metrics, registry } = serverMetrics([model("p", "points"), model("t", "trees")]);
    const bands = async (name: string) =>
      (await registry.getSingleMetric(name)!.get()).values.map(({ labels, value }) => [
        labels["model"],
        labels["band"],
        value,
      ]);
    expect(await bands("fraud_score_band_total")).toEqual([600, 400, 200, 0].map((band) => ["t", band, 0]));
    expect(await bands("fraud_score_band_reference")).toEqual([
      ["t", 600, 0.001],
      ["t", 400, 0.009],
      ["t", 200, 0.09],
      ["t", 0, 0.9],
    ]);
    for (const modelId of ["p", "t"])
      for (const score of [0, 199, 200, 399, 400, 599, 600, 1000, 1000])
        metrics.decided(Evidence.fromPartial({ scoring: { modelId, score, outcome: Outcome.APPROVE } }), undefined);
    metrics.decided(Evidence.fromPartial({ scoring: { modelId: "t", outcome: Outcome.ERROR } }), undefined);
    expect(await bands("fraud_score_band_total")).toEqual([
      ["t", 600, 3],
      ["t", 400, 2],
      ["t", 200, 2],
      ["t", 0, 2],
    ]);
  });

  it("count the main features of a model of trees by the bands of its reference; not what is not known", async () => {
    const reference = [
      { feature: "amount_minor", bounds: [100, 5000], ppm: [500_000, 400_000, 100_000] },
      { feature: "account.z_permille", bounds: [0], ppm: [250_000, 750_000] },
    ];
    const { metrics, registry } = serverMetrics([{ id: "t", definition: { kind: "trees", reference } } as Model]);
    const bands = async (name: string) =>
      (await registry.getSingleMetric(name)!.get()).values.map(({ labels, value }) => [
        labels["feature"],
        labels["band"],
        value,
      ]);
    expect(await bands("fraud_feature_band_reference")).toEqual([
      ["amount_minor", "-Inf", 0.5],
      ["amount_minor", "100", 0.4],
      ["amount_minor", "5000", 0.1],
      ["account.z_permille", "-Inf", 0.25],
      ["account.z_permille", "0", 0.75],
    ]);
    const decided = (amountMinor: bigint, zPermille: bigint | undefined, outcome = Outcome.APPROVE): void =>
      metrics.decided(
        Evidence.fromPartial({
          transaction: { amountMinor },
          account: { features: { zPermille } },
          scoring: { modelId: "t", outcome },
        }),
        undefined,
      );
    decided(99n, -1n);
    decided(100n, 0n);
    decided(4_999n, undefined);
    decided(5_000n, 7n);
    decided(5_000n, 7n, Outcome.ERROR);
    expect(await bands("fraud_feature_band_total")).toEqual([
      ["amount_minor", "-Inf", 1],
      ["amount_minor", "100", 2],
      ["amount_minor", "5000", 1],
      ["account.z_permille", "-Inf", 1],
      ["account.z_permille", "0", 2],
    ]);
    const saying = serverMetrics([{ id: "t", definition: { kind: "trees", reference, unknown: 0 } } as Model]);
    saying.metrics.decided(Evidence.fromPartial({ scoring: { modelId: "t", outcome: Outcome.APPROVE } }), undefined);
    expect(await saying.registry.metrics()).toContain(
      'fraud_feature_band_total{model="t",feature="account.z_permille",band="0"} 1',
    );
  });

  it("have the reference that the score of a model of trees is defined by", async () => {
    const { registry } = serverMetrics([{ id: "t", definition: { kind: "trees" } } as Model]);
    const { values } = await registry.getSingleMetric("fraud_score_band_reference")!.get();
    for (const { labels } of values) {
      const from = Number(labels["band"]);
      const atOrAbove = values.filter((other) => Number(other.labels["band"]) >= from);
      expect(atOrAbove.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(10 ** (-from / 200), 12);
    }
  });
});
