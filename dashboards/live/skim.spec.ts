import { describe, expect, it } from "vitest";

import { Decision, Outcome } from "../../protos/gen/fraud/v1/decision.js";
import { skimDecision, skimIdentity } from "./skim.js";
import { sampleDecision, sampleDecisionRecord } from "./testing/samples.js";

describe("skimming", () => {
  it("reads the same as decoding", () => {
    const record = sampleDecisionRecord({
      accountId: "ädä",
      transactionId: "t-9",
      merchantId: "m-3",
      accountSeq: 2n ** 53n + 1n,
      outcome: Outcome.DECLINE,
    });
    const skimmed = skimDecision(record);
    expect(skimmed).toMatchObject({
      accountId: "ädä",
      transactionId: "t-9",
      merchantId: "m-3",
      accountSeq: 2n ** 53n + 1n,
      outcome: Outcome.DECLINE,
      amountMinor: 1999,
      currency: "EUR",
      score: 450,
      modelId: "points-v1",
      modelHash: Buffer.from(sampleDecision().evidence!.scoring!.modelHash).toString("hex"),
    });
    expect(Decision.decode(skimmed.payload).evidence).toEqual(
      sampleDecision({
        accountId: "ädä",
        transactionId: "t-9",
        merchantId: "m-3",
        accountSeq: 2n ** 53n + 1n,
        outcome: Outcome.DECLINE,
      }).evidence,
    );
    expect(skimIdentity(record)).toMatchObject({ accountId: "ädä", transactionId: "t-9" });
  });

  it.each([Buffer.alloc(0), Buffer.from([0x0a, 0x01, 0x61]), Buffer.from([0xff, 0xff])])(
    "refuses what is not a decision",
    (bytes) => {
      expect(() => skimDecision(bytes)).toThrow();
      expect(() => skimIdentity(bytes)).toThrow();
    },
  );
});
