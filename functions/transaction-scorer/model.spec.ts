import { readdirSync, readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { Evidence, Outcome } from "../../protos/gen/fraud/v1/decision.js";
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
    expect(assess(parsed, evidence(4))).toEqual({ score: 0, reasons: [], outcome: Outcome.APPROVE });
    expect(assess(parsed, evidence(5))).toEqual({
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

describe("the models of this repository", () => {
  const folder = new URL("../../models/", import.meta.url);
  it.each(readdirSync(folder).filter((name) => name.endsWith(".json")))(
    "%s is valid, and named after its id",
    (name) => {
      expect(`${parseModel(readFileSync(new URL(name, folder))).id}.json`).toBe(name);
    },
  );
});

describe("docs/features.md", () => {
  it("names every feature that a model may use", () => {
    const page = readFileSync(new URL("../../docs/features.md", import.meta.url), "utf8");
    for (const name of FEATURE_NAMES) expect(page).toContain(`\`${name}\``);
  });
});
