import { describe, expect, it } from "vitest";

import { Decision, Outcome } from "../../protos/gen/fraud/v1/decision.js";
import { detailOf } from "./explain.js";
import { Models, repositoryModels } from "./models.js";
import { sampleDecision, sampleTreesDecision } from "./testing/samples.js";

const NONE = new Models([]);
const detail = (decision: Decision, models: Models) =>
  detailOf(
    {
      accountId: "a",
      merchantId: "m1",
      transactionId: "t1",
      partition: 0,
      offset: 1n,
      seenAtMs: 0,
      payload: Buffer.from(Decision.encode(decision).finish()),
    },
    models,
    "decisions",
    () => null,
  );

describe("a decision by a model of trees", () => {
  it("shows what each feature contributed, signed, the largest first, and what is ordinary", () => {
    const { rules, contributions, probabilityPpm } = detail(sampleTreesDecision(), repositoryModels());
    expect(rules).toEqual([]);
    expect(probabilityPpm).toBe(124_200);
    expect(contributions).toEqual([
      {
        name: "account.count_30d",
        label: "Transactions within 30 days",
        value: "3",
        ordinary: "82",
        points: 251,
      },
      {
        name: "merchant.run",
        label: "Known frauds since the last known genuine transaction",
        value: "",
        ordinary: "0",
        points: 30,
      },
      { name: "amount_minor", label: "Amount", value: "19.99", ordinary: "44.27", points: -12 },
      {
        name: "account.z_permille",
        label: "Deviation from the genuine ones, in standard deviations",
        value: "-0.03 SD",
        ordinary: "-0.03 SD",
        points: 0,
      },
    ]);
  });

  it("has the thresholds of the model that decided, which lies in a subfolder", () => {
    const models = repositoryModels();
    expect(detail(sampleTreesDecision(), models)).toMatchObject({
      modelKnown: true,
      modelStamped: true,
      thresholds: { reviewAt: 395, declineAt: 443 },
    });
    expect(detail(sampleDecision(), models)).toMatchObject({
      modelKnown: true,
      modelStamped: false,
      thresholds: { reviewAt: 400, declineAt: 700 },
    });
  });

  it("shows what the evidence says when the model's file is not here, of features that are new too", () => {
    const decision = sampleTreesDecision();
    decision.evidence!.scoring!.contributions.push({ feature: "account.of_tomorrow", marginE6: 9_000_000n });
    const { contributions, modelKnown, thresholds, features } = detail(decision, NONE);
    expect({ modelKnown, thresholds }).toEqual({ modelKnown: false, thresholds: null });
    expect(contributions.slice(0, 2)).toMatchObject([
      { label: "account.of_tomorrow", value: "", ordinary: "", points: 900 },
      { label: "Transactions within 30 days", value: "3", ordinary: "", points: 251 },
    ]);
    expect(features.filter(({ points }) => points !== 0).map(({ name, points }) => [name, points])).toEqual([
      ["amount_minor", -12],
      ["account.count_30d", 251],
      ["merchant.run", 30],
    ]);
  });

  it("has words for its reasons", () => {
    expect(NONE.reasons).toMatchObject({ ACCOUNT_VELOCITY_COUNT: "Transactions in the last 10 minutes" });
  });
});

describe("a decision with a challenger", () => {
  it("shows what it said, and whether it agrees", () => {
    const decision = sampleTreesDecision();
    expect(detail(decision, NONE).challenger).toMatchObject({
      modelId: "points-v1",
      score: 750,
      probabilityPpm: null,
      outcome: "DECLINE",
      agrees: false,
    });
    decision.evidence!.scoring!.challenger!.outcome = Outcome.REVIEW;
    expect(detail(decision, NONE).challenger).toMatchObject({ outcome: "REVIEW", agrees: true });
    Object.assign(decision.evidence!.scoring!.challenger!, { outcome: Outcome.ERROR, error: "it is not here" });
    expect(detail(decision, NONE).challenger).toMatchObject({ agrees: false, error: "it is not here" });
  });
});

describe("a decision by a model of points", () => {
  it("has rules, and no probability, contributions or challenger", () => {
    const { rules, ...rest } = detail(sampleDecision(), repositoryModels());
    expect(rules.filter(({ fired }) => fired)).toMatchObject([{ code: "TRAVEL_IMPOSSIBLE", points: 450 }]);
    expect(rest).toMatchObject({ probabilityPpm: null, contributions: [], challenger: null });
  });

  it("says what would have been approved, of what was not, and only where the model's file is here", () => {
    expect(detail(sampleDecision(), repositoryModels()).counterfactuals).toEqual([
      {
        name: "account.travel_distance_m",
        label: "Distance from the last place",
        was: "900 km",
        wanted: "below 300 km",
      },
      {
        name: "account.travel_speed_kmh",
        label: "Speed needed from the last place",
        was: "1,200 km/h",
        wanted: "below 900 km/h",
      },
    ]);
    expect(detail(sampleDecision(), NONE).counterfactuals).toBeNull();
    // A model that lacks a feature says nothing.
    expect(detail(sampleTreesDecision(), repositoryModels()).counterfactuals).toBeNull();
  });
});
