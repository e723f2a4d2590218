import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { qualityOf } from "./quality.js";
import type { Scored } from "./scored.js";

interface One {
  readonly day: number;
  readonly customer: number;
  readonly amount: number;
  readonly fraud: number;
  readonly score: number;
}

const scoredOf = (all: readonly One[]): Scored => ({
  days: Uint16Array.from(all, ({ day }) => day),
  customers: Uint16Array.from(all, ({ customer }) => customer),
  amountsMinor: Uint32Array.from(all, ({ amount }) => amount),
  frauds: Uint8Array.from(all, ({ fraud }) => fraud),
  scores: Float64Array.from(all, ({ score }) => score),
});

const one = fc.record({
  day: fc.integer({ min: 10, max: 16 }),
  customer: fc.nat(30),
  amount: fc.nat(10_000),
  fraud: fc.nat(1),
  score: fc.nat(12),
});
const some = fc
  .array(one, { minLength: 2, maxLength: 80 })
  .filter((all) => new Set(all.map(({ fraud }) => fraud)).size === 2);

describe("the quality of scores", () => {
  it("is what scikit-learn says, scores that are equal included", () => {
    const all = Array.from({ length: 200 }, (_, n) => ({
      day: 0,
      customer: n,
      amount: 1,
      fraud: ((n * 53) % 97) + ((n * 37) % 101) / 2 > 90 ? 1 : 0,
      score: (n * 29) % 23,
    }));
    const { auc, averagePrecision } = qualityOf(scoredOf(all))();
    // roc_auc_score and average_precision_score of scikit-learn 1.9.1.
    expect(auc).toBeCloseTo(0.5258370988297996, 12);
    expect(averagePrecision).toBeCloseTo(0.3485228188306182, 12);
  });

  it("has as AUC the share of pairs of a fraud and a genuine transaction that stand right", () => {
    fc.assert(
      fc.property(some, (all) => {
        const frauds = all.filter(({ fraud }) => fraud === 1);
        const genuine = all.filter(({ fraud }) => fraud === 0);
        let right = 0;
        for (const a of frauds) for (const b of genuine) right += a.score > b.score ? 1 : a.score === b.score ? 0.5 : 0;
        expect(qualityOf(scoredOf(all))().auc).toBeCloseTo(right / (frauds.length * genuine.length), 10);
      }),
    );
  });

  it("is 1 where the frauds stand above everything else, as far as alerts and cards go", () => {
    const all = Array.from({ length: 2_000 }, (_, n) => ({
      day: n % 7,
      customer: n,
      amount: 100,
      fraud: n < 20 ? 1 : 0,
      score: -n,
    }));
    expect(qualityOf(scoredOf(all))()).toEqual({
      auc: 1,
      averagePrecision: 1,
      // Twenty cards in seven days of a hundred.
      cardPrecision100: expect.closeTo(20 / 700, 12) as number,
      // Half a percent are ten.
      recallAt05: 0.5,
      valueAt05: 0.5,
    });
  });

  it("counts the value that is found, not the transactions", () => {
    const all = Array.from({ length: 400 }, (_, n) => ({
      day: 0,
      customer: n,
      amount: n === 0 ? 900 : 100,
      fraud: n < 2 || n === 399 ? 1 : 0,
      score: -n,
    }));
    const { recallAt05, valueAt05 } = qualityOf(scoredOf(all))();
    expect([recallAt05, valueAt05]).toEqual([2 / 3, 1000 / 1100]);
  });

  it("looks at a card once a day, by its highest score, and not again once its fraud was found", () => {
    const genuine = Array.from({ length: 300 }, (_, n) => ({
      day: n % 3,
      customer: 1_000 + n,
      amount: 1,
      fraud: 0,
      score: 0,
    }));
    const fraud = { customer: 7, amount: 1, fraud: 1 };
    const cards = (all: readonly One[]): number => qualityOf(scoredOf([...genuine, ...all]))().cardPrecision100 * 300;
    expect(cards([{ ...fraud, day: 0, score: 5 }])).toBeCloseTo(1, 9);
    // The genuine one brings the card up; the fraud is found with it.
    expect(
      cards([
        { ...fraud, day: 0, score: -1 },
        { ...fraud, fraud: 0, day: 0, score: 5 },
      ]),
    ).toBeCloseTo(1, 9);
    // On the second day it is not there any more.
    expect(
      cards([
        { ...fraud, day: 0, score: 5 },
        { ...fraud, day: 1, score: 5 },
      ]),
    ).toBeCloseTo(1, 9);
    // One that was looked at in vain is looked at again.
    expect(
      cards([
        { ...fraud, fraud: 0, day: 0, score: 5 },
        { ...fraud, day: 1, score: 5 },
      ]),
    ).toBeCloseTo(1, 9);
    // Below a hundred others it is not found.
    expect(cards([{ ...fraud, day: 0, score: -1 }])).toBe(0);
  });

  it("counts a customer of a draw as often as that many customers of the same kind", () => {
    fc.assert(
      fc.property(some, fc.array(fc.nat(3), { minLength: 31, maxLength: 31 }), (all, counts) => {
        const copies = all.flatMap((each) =>
          Array.from({ length: counts[each.customer]! }, (_, copy) => ({
            ...each,
            // The copies stand where their original stands among customers of the same score.
            customer: each.customer * 4 + copy,
          })),
        );
        fc.pre(new Set(copies.map(({ fraud }) => fraud)).size === 2 && copies.some((c) => c.fraud && c.amount));
        fc.pre(new Set(copies.map(({ day }) => day)).size === new Set(all.map(({ day }) => day)).size);
        const weighted = qualityOf(scoredOf(all))((customer) => counts[customer]!);
        const copied = qualityOf(scoredOf(copies))();
        for (const name of ["auc", "averagePrecision", "cardPrecision100", "recallAt05", "valueAt05"] as const)
          expect(weighted[name], name).toBeCloseTo(copied[name], 10);
      }),
    );
  });
});
