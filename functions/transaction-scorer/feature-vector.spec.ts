import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Evidence } from "../../protos/gen/fraud/v1/decision.js";
import { FEATURE_NAMES, featureValue } from "./feature-vector.js";

const at = (eventTimeMs: number) => Evidence.fromPartial({ transaction: { eventTimeMs: BigInt(eventTimeMs) } });

describe("what a transaction's own time says", () => {
  it.each([
    ["2018-08-10T23:59:59.999Z", 0n, 0n],
    ["2018-08-11T00:00:00Z", 1n, 1n],
    ["2018-08-11T06:59:59.999Z", 1n, 1n],
    ["2018-08-11T07:00:00Z", 1n, 0n],
    ["2018-08-12T23:59:59.999Z", 1n, 0n],
    ["2018-08-13T00:00:00Z", 0n, 1n],
  ])("at %s is: weekend %d, night %d", (time, weekend, night) => {
    const evidence = at(Date.parse(time));
    expect([featureValue(evidence, "weekend"), featureValue(evidence, "night")]).toEqual([weekend, night]);
  });

  it("is what a calendar says, at any time", () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date("2300-01-01"), noInvalidDate: true }), (time) => {
        const evidence = at(time.getTime());
        expect(featureValue(evidence, "weekend")).toBe([0, 6].includes(time.getUTCDay()) ? 1n : 0n);
        expect(featureValue(evidence, "night")).toBe(time.getUTCHours() < 7 ? 1n : 0n);
      }),
    );
  });
});

it("nothing is known of no evidence", () => {
  for (const name of FEATURE_NAMES) expect(featureValue(Evidence.fromPartial({}), name), name).toBeUndefined();
});
