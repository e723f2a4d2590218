import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { DAY_SECONDS, type HandbookDataSet } from "../../ingress-generator/handbook/data-set.js";
import { otherFuture } from "../other-future.js";
import { LABEL_DELAY_DAYS } from "../weeks.js";
import { type FeatureMatrix, HANDBOOK_FEATURES, handbookFeatures, rowOf } from "./features.js";

const DAYS = 60;

/** Few customers and terminals, many transactions at the same second. */
const dataSets: fc.Arbitrary<HandbookDataSet> = fc
  .array(
    fc.record({
      second: fc.tuple(fc.nat(DAYS - 1), fc.nat(3)).map(([day, part]) => day * DAY_SECONDS + part * 28_800),
      customer: fc.nat(3),
      terminal: fc.nat(2),
      amount: fc.nat(30_000),
      scenario: fc.constantFrom(0, 0, 1, 2, 3),
    }),
    { minLength: 1, maxLength: 120 },
  )
  .map((all) => all.sort((a, b) => a.second - b.second))
  .map((all) => ({
    seconds: Uint32Array.from(all, ({ second }) => second),
    customers: Uint16Array.from(all, ({ customer }) => customer),
    terminals: Uint16Array.from(all, ({ terminal }) => terminal),
    amountsMinor: Uint32Array.from(all, ({ amount }) => amount),
    scenarios: Uint8Array.from(all, ({ scenario }) => scenario),
    newFrauds: [0, 0, 0],
  }));
const dataAndPlace = dataSets.chain((data) => fc.tuple(fc.constant(data), fc.nat(data.seconds.length - 1)));

const everything = (data: HandbookDataSet) => ({ from: 0, to: data.seconds.length });

type Features = (data: HandbookDataSet) => FeatureMatrix;

/** Whether a transaction's features stay as they are, whatever is not known at it. */
const knowsNoFuture = (features: Features) =>
  fc.property(dataAndPlace, ([data, at]) => {
    const changed = otherFuture(data, at, LABEL_DELAY_DAYS);
    expect(rowOf(features(changed), at)).toEqual(rowOf(features(data), at));
  });

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
      fc.property(dataAndPlace, ([data, at]) => {
        const found = rowOf(handbookFeatures(data, { from: at, to: at + 1 }), at);
        expect(found.length).toBe(HANDBOOK_FEATURES.length);
        for (const [n, value] of byDefinition(data, at).entries())
          expect(found[n], HANDBOOK_FEATURES[n]).toBeCloseTo(value, 9);
      }),
    );
  });

  it("are the same in whatever stretch they are computed", () => {
    fc.assert(
      fc.property(dataAndPlace, ([data, at]) => {
        const whole = handbookFeatures(data, everything(data));
        expect(rowOf(handbookFeatures(data, { from: at, to: data.seconds.length }), at)).toEqual(rowOf(whole, at));
      }),
    );
  });

  it("know nothing of the future, and no label before its delay", () => {
    fc.assert(knowsNoFuture((data) => handbookFeatures(data, everything(data))));
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
