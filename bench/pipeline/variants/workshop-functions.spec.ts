import { describe, expect, it } from "vitest";

import { sampleDependencies, sampleLabel, sampleTransaction, START_MS } from "../../../functions/testing/samples.js";
import { Decision, Outcome } from "../../../protos/gen/fraud/v1/decision.js";
import { FraudLabel, Transaction } from "../../../protos/gen/fraud/v1/transaction.js";
import { Any } from "../../../protos/gen/google/protobuf/any.js";
import { OfficialRuntime } from "../testing/run-official.js";
import { workshopFunctions } from "./workshop-functions.js";

const MANAGER = "workshop/transaction-manager";

describe("the workshop's topology", () => {
  it("decides each transaction once, with both functions' features, and then keeps nothing of it", async () => {
    const runtime = new OfficialRuntime(workshopFunctions(sampleDependencies()));
    runtime.ingress("workshop/counter", "a", FraudLabel, sampleLabel({ merchantId: "m" }));
    for (let n = 0; n < 8; n++)
      runtime.ingress(
        MANAGER,
        `t-${n}`,
        Transaction,
        sampleTransaction({ transactionId: `t-${n}`, eventTimeMs: START_MS + BigInt(n + 2) * 1_000n }),
      );
    await runtime.run();

    const decisions = runtime.written
      .filter(({ topic }) => topic === "decisions")
      .map(({ key, value }) => ({ key, ...Decision.decode(Any.decode(value).value) }));
    expect(decisions.map(({ evidence }) => evidence?.transaction?.transactionId)).toEqual(
      Array.from({ length: 8 }, (_, n) => `t-${n}`),
    );
    expect(decisions[4]).toMatchObject({
      key: "a",
      evidence: {
        account: { seq: 5n, features: { velocityCount: 5, historyCount: 4, confirmedFraudCount: 1 } },
        merchant: { seq: 5n, features: { recentCount: 5, historyCount: 4 } },
        scoring: { score: 400, outcome: Outcome.REVIEW },
      },
    });
    expect(runtime.written.filter(({ topic }) => topic === "alerts")).toHaveLength(4);
    expect(runtime.kept(MANAGER)).toBe(0);
    expect(runtime.kept("workshop/counter")).toBe(1);
  });
});
