import { describe, expect, it } from "vitest";

import { skimDecision } from "../skim.js";
import { sampleDecisionRecord } from "../testing/samples.js";
import { DecisionHistory } from "./decision-history.js";

const place = (fields: { suspicious?: boolean } = {}) => ({
  partition: 0,
  offset: 1n,
  seenAtMs: 1,
  suspicious: false,
  ...fields,
});
const decision = (accountId: string, n: number, merchantId = "m") =>
  skimDecision(sampleDecisionRecord({ accountId, transactionId: `t${n}`, merchantId }));

describe("DecisionHistory", () => {
  it("keeps the newest of each account and merchant", () => {
    const history = new DecisionHistory({ perAccount: 3, perMerchant: 4 });
    for (let n = 1; n <= 10; n++) history.add(decision("a", n), place());
    expect(history.ofAccount("a").map(({ transactionId }) => transactionId)).toEqual(["t8", "t9", "t10"]);
    expect(history.ofMerchant("m")).toHaveLength(4);
    expect([history.find("a", "t7"), history.find("a", "t8")?.transactionId]).toEqual([undefined, "t8"]);
  });

  it("lets the accounts go that were quiet longest, whatever there are", () => {
    const history = new DecisionHistory({ perAccount: 5, total: 20, merchants: 3 });
    for (let n = 0; n < 500; n++) {
      history.add(decision("busy", n), place());
      history.add(decision(`a${n}`, n, `m${n}`), place());
      expect(history.size).toBeLessThanOrEqual(20);
    }
    expect(history.ofAccount("busy")).toHaveLength(5);
    expect([history.ofAccount("a0"), history.ofMerchant("m0")]).toEqual([[], []]);
  });

  it("keeps suspicious ones longer, and copies what it keeps", () => {
    const history = new DecisionHistory({ perAccount: 2, suspicious: 2 });
    const record = sampleDecisionRecord({ accountId: "a", transactionId: "s1" });
    history.add(skimDecision(record), place({ suspicious: true }));
    const before = Buffer.from(history.find("a", "s1")!.payload);
    record.fill(0);
    for (let n = 1; n <= 5; n++) history.add(decision("a", n), place());
    expect(history.find("a", "s1")!.payload).toEqual(before);
    for (let n = 6; n <= 7; n++) history.add(decision("a", n), place({ suspicious: true }));
    expect(history.find("a", "s1")).toBeUndefined();
  });
});
