import fc from "fast-check";
import { expect } from "vitest";

import { DAY_SECONDS, type HandbookDataSet, NEVER_LABELLED } from "../../ingress-generator/handbook/data-set.js";
import { type FeatureMatrix, rowOf } from "../batch/features.js";
import { otherFuture } from "../other-future.js";
import type { Range } from "../weeks.js";

const DAYS = 60;
/** The Handbook's, whatever the code has. */
const DELAY_DAYS = 7;

/** Few customers and terminals, many transactions at the same second; and one of the transactions. */
export const dataAndOne: fc.Arbitrary<[HandbookDataSet, number]> = fc
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
    newFrauds: [0, 0, 0] as const,
  }))
  .chain((data) => fc.tuple(fc.constant(data), fc.nat(data.seconds.length - 1)));

/** The same with labels that come at a midnight: at once, much later than a week, or never; and with places. */
export const placesAndOne: fc.Arbitrary<[HandbookDataSet, number]> = fc
  .tuple(dataAndOne, fc.array(fc.constantFrom(0, 1, 3, 6, 7, 8, 13, undefined), { minLength: 1, maxLength: 7 }))
  .map(([[data, at], days]) => [
    {
      ...data,
      places: [
        { latitudeE6: 47_000_000, longitudeE6: 8_000_000 },
        undefined,
        { latitudeE6: 47_000_000, longitudeE6: 10_000_000 },
      ],
      labelledAt: data.seconds.map((second, n) => {
        const later = days[n % days.length];
        if (data.scenarios[n] === 0 || later === undefined) return NEVER_LABELLED;
        return (Math.floor(second / DAY_SECONDS) + 1 + later) * DAY_SECONDS;
      }),
    },
    at,
  ]);

/** All of its transactions. */
export const everything = (data: HandbookDataSet): Range => ({ from: 0, to: data.seconds.length });

/** A transaction's features, computed alone, are what a definition says, each by its name. */
export const isAsDefined = <N extends string>(
  features: (data: HandbookDataSet, range: Range) => FeatureMatrix,
  names: readonly N[],
  definition: (data: HandbookDataSet, at: number) => Record<N, number>,
  some: typeof dataAndOne,
) =>
  fc.property(some, ([data, at]) => {
    const row = rowOf(features(data, { from: at, to: at + 1 }), at);
    expect(Object.fromEntries(names.map((name, n) => [name, row[n]]))).toEqual(definition(data, at));
  });

/** A transaction's features stay as they are, whatever is not known at it. */
export const knowsNoFuture = (features: (data: HandbookDataSet) => FeatureMatrix, some = dataAndOne) =>
  fc.property(some, ([data, at]) => {
    const changed = otherFuture(data, at, DELAY_DAYS);
    expect(rowOf(features(changed), at)).toEqual(rowOf(features(data), at));
  });
