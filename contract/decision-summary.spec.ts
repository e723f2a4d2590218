import { describe, expect, it } from "vitest";

import { Outcome } from "../protos/gen/fraud/v1/decision.js";
import { outcomeName, summaryOf } from "./decision-summary.js";

describe("a decision's summary", () => {
  it("calls each outcome what the proto file does; one that is not known is an error", () => {
    const known = [Outcome.APPROVE, Outcome.REVIEW, Outcome.DECLINE, Outcome.ERROR];
    expect(known.map(outcomeName)).toEqual(known.map((outcome) => Outcome[outcome]));
    expect([0, 5].map(outcomeName)).toEqual(["ERROR", "ERROR"]);
  });

  it("is an error's where nothing was scored", () => {
    expect(summaryOf({})).toEqual({ outcome: "ERROR", score: 0, reasons: [], accountSeq: "0", possibleRepeat: false });
  });
});
