import { readdirSync, readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { Evidence, Outcome } from "../../protos/gen/fraud/v1/decision.js";
import { counterfactualsOf } from "./counterfactuals.js";
import { FEATURE_NAMES } from "./feature-vector.js";
import { assess, parseModel } from "./model.js";

const bytes = (model: unknown) => Buffer.from(JSON.stringify(model));
const rule = (code: string, points: number, when: unknown[]) => ({ code, description: "", points, when });
const model = (...rules: unknown[]) => ({
  id: "m",
  kind: "points",
  description: "",
  reviewAt: 400,
  declineAt: 700,
  rules,
});
const evidence = (velocityCount: number, amountRatioPermille?: bigint) =>
  Evidence.fromPartial({ account: { features: { velocityCount, amountRatioPermille } } });

describe("a points model", () => {
  const parsed = parseModel(
    bytes(
      model(
        rule("FAST", 400, [{ feature: "account.velocity_count", atLeast: 5 }]),
        rule("BIG", 300, [{ feature: "account.amount_ratio_permille", atLeast: 4000 }]),
        rule("SMALL", 900, [
          { feature: "account.amount_ratio_permille", below: 10 },
          { feature: "account.velocity_count", atLeast: 5 },
        ]),
      ),
    ),
  );

  it("adds the points of the rules that fire and names them in order", () => {
    expect(assess(parsed, evidence(4))).toEqual({
      score: 0,
      reasons: [],
      outcome: Outcome.APPROVE,
      error: "",
      marginE6: undefined,
      probabilityPpm: undefined,
      contributions: [],
    });
    expect(assess(parsed, evidence(5))).toMatchObject({
      score: 400,
      reasons: [{ code: "FAST", points: 400 }],
      outcome: Outcome.REVIEW,
    });
    expect(assess(parsed, evidence(5, 4000n))).toMatchObject({ score: 700, outcome: Outcome.DECLINE });
  });

  it("never passes 1000", () => {
    expect(assess(parsed, evidence(5, 9n))).toMatchObject({
      score: 1000,
      reasons: [{ code: "FAST" }, { code: "SMALL" }],
    });
  });

  it("lets no condition hold on a feature that is not known", () => {
    expect(assess(parsed, evidence(1)).reasons).toEqual([]);
  });

  it.each([
    ["an unknown feature", model(rule("X", 1, [{ feature: "account.shoe_size", atLeast: 1 }])), /feature/],
    ["a condition without a bound", model(rule("X", 1, [{ feature: "amount_minor" }])), /either atLeast or below/],
    [
      "a code twice",
      model(
        rule("X", 1, [{ feature: "amount_minor", atLeast: 1 }]),
        rule("X", 1, [{ feature: "amount_minor", atLeast: 1 }]),
      ),
      /code of its own/,
    ],
    ["no rules", model(), /rules/],
  ])("refuses %s", (_, definition, message) => {
    expect(() => parseModel(bytes(definition))).toThrow(message);
  });
});

describe("a model of trees", () => {
  const definition = {
    id: "t",
    kind: "trees",
    description: "",
    features: ["amount_minor", "account.velocity_count", "merchant.fraud_rate_permille"],
    trainedOn: { firstDay: 0, lastDay: 1 },
    training: {},
    reviewAt: 400,
    declineAt: 700,
    thresholds: {},
    ordinary: [1000, 1, 0],
    probability: { margins: [-10_000_000, 10_000_000], values: [0, 1_000_000] },
    score: { margins: [-10_000_000, 10_000_000], values: [0, 1000] },
    trees: [
      // amount ≤ 5000 ? −2 : 1.5
      { feature: [0], threshold: [5000], left: [-1], right: [-2], leaf: [-2_000_000, 1_500_000] },
      // velocity ≤ 4 ? −1 : (rate ≤ 10 ? 0.02 : 3)
      { feature: [1, 2], threshold: [4, 10], left: [-1, -2], right: [1, -3], leaf: [-1_000_000, 20_000, 3_000_000] },
    ],
  };
  const parsed = parseModel(bytes(definition));
  const seen = (amountMinor: bigint, velocityCount: number, fraudRatePermille: number) =>
    Evidence.fromPartial({
      transaction: { amountMinor },
      account: { features: { velocityCount } },
      merchant: { features: { fraudRatePermille } },
    });

  it("says by how much each feature moves the odds, and tells the largest of what is suspicious as reasons", () => {
    expect(assess(parsed, seen(9000n, 5, 11))).toEqual({
      score: 725,
      outcome: Outcome.DECLINE,
      error: "",
      marginE6: 4_500_000n,
      probabilityPpm: 725_000,
      reasons: [
        { code: "AMOUNT_MINOR", points: 350 },
        { code: "ACCOUNT_VELOCITY_COUNT", points: 251 },
        { code: "MERCHANT_FRAUD_RATE_PERMILLE", points: 149 },
      ],
      contributions: [
        { feature: "amount_minor", marginE6: 3_500_000n },
        { feature: "account.velocity_count", marginE6: 2_510_000n },
        { feature: "merchant.fraud_rate_permille", marginE6: 1_490_000n },
      ],
    });
  });

  it("says what moves them down too, but not as a reason", () => {
    expect(assess(parsed, seen(500n, 5, 11))).toMatchObject({
      score: 550,
      outcome: Outcome.REVIEW,
      reasons: [{ code: "ACCOUNT_VELOCITY_COUNT" }, { code: "MERCHANT_FRAUD_RATE_PERMILLE" }],
    });
    const ordinaryDeclined = parseModel(bytes({ ...definition, ordinary: [9000, 5, 11] }));
    expect(assess(ordinaryDeclined, seen(500n, 5, 11))).toMatchObject({
      reasons: [],
      contributions: [{ feature: "amount_minor", marginE6: -3_500_000n }],
    });
  });

  it("gives no reasons for what it approves, nor where nobody asks for them", () => {
    expect(assess(parsed, seen(500n, 1, 0))).toMatchObject({
      score: 350,
      outcome: Outcome.APPROVE,
      probabilityPpm: 350_000,
      contributions: [],
      reasons: [],
    });
    expect(assess(parsed, seen(9000n, 5, 11), false)).toMatchObject({
      score: 725,
      outcome: Outcome.DECLINE,
      contributions: [],
      reasons: [],
    });
  });

  it("decides nothing without one of its features, and names it", () => {
    expect(assess(parsed, Evidence.fromPartial({ transaction: {}, account: { features: {} } }))).toMatchObject({
      score: 0,
      outcome: Outcome.ERROR,
      error: "the model t needs merchant.fraud_rate_permille, which is not known",
      marginE6: undefined,
      probabilityPpm: undefined,
    });
  });
});

describe("a model of trees that says what stands for an unknown feature", () => {
  const byTravel = parseModel(
    Buffer.from(
      JSON.stringify({
        id: "travel",
        kind: "trees",
        description: "",
        features: ["account.velocity_count", "account.travel_distance_m"],
        unknown: -1,
        trainedOn: { firstDay: 0, lastDay: 1 },
        training: {},
        reviewAt: 400,
        declineAt: 700,
        thresholds: {},
        ordinary: [1, 20_000],
        probability: { margins: [-5_000_000, 5_000_000], values: [0, 1_000_000] },
        score: { margins: [0, 1_000_000], values: [0, 1000] },
        // Suspicious without a journey, or with one beyond 100 km.
        trees: [
          { feature: [1, 1], threshold: [-1, 100_000], left: [-1, -2], right: [1, -3], leaf: [500_000, 0, 900_000] },
        ],
      }),
    ),
  );
  const travelled = (travelDistanceM: bigint | undefined) =>
    Evidence.fromPartial({ transaction: {}, account: { features: { velocityCount: 1, travelDistanceM } } });

  it("scores by that, and tells its part in it", () => {
    expect(assess(byTravel, travelled(undefined))).toMatchObject({
      score: 500,
      outcome: Outcome.REVIEW,
      error: "",
      marginE6: 500_000n,
      contributions: [{ feature: "account.travel_distance_m", marginE6: 500_000n }],
    });
    expect(assess(byTravel, travelled(0n))).toMatchObject({ score: 0, outcome: Outcome.APPROVE });
  });

  it("names no counterfactual for it, nor one that would be none: a known value that is not possible", () => {
    expect(counterfactualsOf(byTravel, travelled(undefined))).toEqual([]);
    expect(counterfactualsOf(byTravel, travelled(100_001n))).toEqual([
      { feature: "account.travel_distance_m", value: 100_000n, bound: "at most" },
    ]);
    const onlyWithout = {
      ...byTravel,
      definition: {
        ...byTravel.definition,
        trees: [{ feature: [1], threshold: [-1], left: [-1], right: [-2], leaf: [0, 900_000] }],
      } as typeof byTravel.definition,
    };
    expect(counterfactualsOf(onlyWithout, travelled(5n))).toEqual([]);
  });
});

describe("the models of this repository", () => {
  const folder = new URL("../../models/", import.meta.url);
  it.each(readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json")))(
    "%s is valid, and named after its id",
    (name) => {
      expect(`${parseModel(readFileSync(new URL(name, folder))).id}.json`).toBe(name.replace("/", "-"));
    },
  );
});

describe("docs/features.md", () => {
  it("names every feature that a model may use", () => {
    const page = readFileSync(new URL("../../docs/features.md", import.meta.url), "utf8");
    for (const name of FEATURE_NAMES) expect(page).toContain(`\`${name}\``);
  });
});
