import { describe, expect, it } from "vitest";

import { Decision, Outcome } from "../../protos/gen/fraud/v1/decision.js";
import { detailOf } from "./explain.js";
import { Models } from "./models.js";

describe("a decision by a model of trees", () => {
  const decision = Decision.fromPartial({
    evidence: {
      transaction: { accountId: "a", transactionId: "t", currency: "EUR", amountMinor: 900n },
      account: { features: { velocityCount: 7 } },
      scoring: {
        modelId: "trees",
        score: 450,
        outcome: Outcome.REVIEW,
        reasons: [{ code: "ACCOUNT_VELOCITY_COUNT", points: 251 }],
        contributions: [
          { feature: "amount_minor", marginE6: -120_000n },
          { feature: "account.velocity_count", marginE6: 2_515_000n },
        ],
      },
    },
  });
  const kept = {
    accountId: "a",
    merchantId: "m",
    transactionId: "t",
    partition: 0,
    offset: 1n,
    seenAtMs: 0,
    payload: Buffer.from(Decision.encode(decision).finish()),
  };

  it("shows beside each feature what it contributed, whether its file is known or not", () => {
    const { rules, features } = detailOf(kept, new Models([]), "decisions", () => null);
    expect(rules).toEqual([]);
    expect(features.filter(({ points }) => points !== 0)).toMatchObject([
      { name: "amount_minor", points: -12 },
      { name: "account.velocity_count", points: 251, value: "7" },
    ]);
  });

  it("has words for its reasons", () => {
    expect(new Models([]).reasons).toMatchObject({ ACCOUNT_VELOCITY_COUNT: "Transactions in the last 10 minutes" });
  });
});
