import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { DAY_SECONDS, type HandbookDataSet } from "../../ingress-generator/handbook/data-set.js";
import { dataAndOne, everything, knowsNoFuture, placesAndOne } from "../testing/small-data-sets.js";
import { LABEL_DELAY_DAYS } from "../weeks.js";
import { calendarOf, type FeatureMatrix, HANDBOOK_FEATURES, handbookFeatures, rowOf } from "./features.js";

type Features = (data: HandbookDataSet) => FeatureMatrix;

/** The same by what the definition says, without a thought of speed. */
function byDefinition(data: HandbookDataSet, at: number): number[] {
  const now = data.seconds[at]!;
  const window = (ids: Uint16Array, from: number, to: number): number[] =>
    Array.from({ length: at + 1 }, (_, other) => other).filter(
      (other) =>
        ids[other] === ids[at] &&
        data.seconds[other]! > now - from * DAY_SECONDS &&
        data.seconds[other]! <= now - to * DAY_SECONDS,
    );
  const time = new Date(Date.UTC(2018, 3, 1) + now * 1000);
  return [
    data.amountsMinor[at]! / 100,
    [0, 6].includes(time.getUTCDay()) ? 1 : 0,
    time.getUTCHours() <= 6 ? 1 : 0,
    ...[1, 7, 30].flatMap((days) => {
      const found = window(data.customers, days, 0);
      return [found.length, found.reduce((sum, other) => sum + data.amountsMinor[other]!, 0) / found.length / 100];
    }),
    ...[1, 7, 30].flatMap((days) => {
      const found = window(data.terminals, days + 7, 7);
      const frauds = found.filter((other) => data.scenarios[other] !== 0).length;
      return [found.length, found.length === 0 ? 0 : frauds / found.length];
    }),
  ];
}

describe("the Handbook's features", () => {
  it("are what their definition says", () => {
    fc.assert(
      fc.property(dataAndOne, ([data, at]) => {
        const found = rowOf(handbookFeatures(data, { from: at, to: at + 1 }), at);
        expect(found.length).toBe(HANDBOOK_FEATURES.length);
        for (const [n, value] of byDefinition(data, at).entries())
          expect(found[n], HANDBOOK_FEATURES[n]).toBeCloseTo(value, 9);
      }),
    );
  });

  // The simulation begins on a Sunday.
  it.each([
    ["Sunday, the first second", 0, { weekend: 1, night: 1 }],
    ["Sunday, 06:59:59", 7 * 3_600 - 1, { weekend: 1, night: 1 }],
    ["Sunday, 07:00:00", 7 * 3_600, { weekend: 1, night: 0 }],
    ["Sunday, the last second", 86_399, { weekend: 1, night: 0 }],
    ["Monday, the first second", 86_400, { weekend: 0, night: 1 }],
    ["Saturday, the first second", 6 * 86_400, { weekend: 1, night: 1 }],
  ])("tell the night and the weekend: %s", (_, second, told) => {
    const scenarios = Uint8Array.of(0);
    const one = Uint16Array.of(0);
    const data = { seconds: Uint32Array.of(second), customers: one, terminals: one, scenarios };
    expect(calendarOf({ ...data, amountsMinor: Uint32Array.of(1), newFrauds: [0, 0, 0] }, 0)).toEqual(told);
  });

  it("are the same in whatever stretch they are computed", () => {
    fc.assert(
      fc.property(dataAndOne, ([data, at]) => {
        const whole = handbookFeatures(data, everything(data));
        expect(rowOf(handbookFeatures(data, { from: at, to: data.seconds.length }), at)).toEqual(rowOf(whole, at));
      }),
    );
  });

  it("know nothing of the future, and no label before its delay", () => {
    for (const some of [dataAndOne, placesAndOne])
      fc.assert(knowsNoFuture((data) => handbookFeatures(data, everything(data)), some));
  });

  it.each<[string, Features]>([
    ["a label a day early", (data) => handbookFeatures(data, everything(data), LABEL_DELAY_DAYS - 1)],
    [
      "the mean of all amounts",
      (data) => {
        const { values, ...rest } = handbookFeatures(data, everything(data));
        const mean = data.amountsMinor.reduce((sum, amount) => sum + amount, 0) / data.amountsMinor.length;
        return { ...rest, values: values.map((value) => value / mean) };
      },
    ],
  ])("would be found out with %s", (_, features) => {
    expect(fc.check(knowsNoFuture(features), { numRuns: 1_000 }).failed).toBe(true);
  });
});
