import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { HANDBOOK_START_MS, type HandbookDataSet } from "../../ingress-generator/handbook/data-set.js";
import { dataAndOne, everything, isAsDefined, knowsNoFuture, placesAndOne } from "../testing/small-data-sets.js";
import { LABEL_DELAY_DAYS } from "../weeks.js";
import { HANDBOOK_FEATURES, handbookFeatures, rowOf } from "./features.js";
import { OTHER_FEATURES, otherFeatures } from "./other-features.js";

const DAY = 86_400;

/** What docs/features.md says, of one transaction, without a thought of speed. */
function byDefinition(data: HandbookDataSet, at: number): Record<(typeof OTHER_FEATURES)[number], number> {
  const { seconds, amountsMinor } = data;
  const now = seconds[at]!;
  const labelled = (one: number): number => {
    if (data.labelledAt !== undefined) return data.labelledAt[one]!;
    return data.scenarios[one] === 0 ? Infinity : seconds[one]! + 7 * DAY;
  };
  const isFraud = (one: number): boolean => labelled(one) <= now;
  const window = (ids: Uint16Array, from: number, to: number): number[] =>
    Array.from({ length: at + 1 }, (_, one) => one).filter(
      (one) => ids[one] === ids[at] && seconds[one]! > now - from * DAY && seconds[one]! <= now - to * DAY,
    );
  const risk = (days: number): number => {
    const all = window(data.terminals, days + 7, 7);
    return all.length === 0 ? 0 : Math.floor((1000 * all.filter(isFraud).length) / all.length);
  };
  const day = window(data.customers, 1, 0);
  const frauds = window(data.customers, 1_000, 0).filter((one) => one !== at && isFraud(one));
  const time = new Date(HANDBOOK_START_MS + now * 1000);
  return {
    weekend: [0, 6].includes(time.getUTCDay()) ? 1 : 0,
    night: time.getUTCHours() < 7 ? 1 : 0,
    "account.count_1d": day.length,
    "account.count_7d": window(data.customers, 7, 0).length,
    "account.mean_minor_1d": Math.floor(day.reduce((sum, one) => sum + amountsMinor[one]!, 0) / day.length),
    "account.known_fraud_age_s":
      frauds.length === 0 ? 1_000 * DAY : now - Math.max(...frauds.map((one) => seconds[one]!)),
    "merchant.count_1d": window(data.terminals, 8, 7).length,
    "merchant.count_30d": window(data.terminals, 37, 7).length,
    "merchant.risk_1d_permille": risk(1),
    "merchant.risk_7d_permille": risk(7),
  };
}

describe("the other learned features", () => {
  it.each([
    ["", dataAndOne],
    [", whenever labels come", placesAndOne],
  ])("are what their definition says%s", (_, some) => {
    fc.assert(isAsDefined(otherFeatures, OTHER_FEATURES, byDefinition, some), { numRuns: 1_000 });
  });

  it("are the Handbook's, where it has them", () => {
    fc.assert(
      fc.property(dataAndOne, ([data, at]) => {
        const theirs = rowOf(handbookFeatures(data, everything(data)), at);
        const ours = rowOf(otherFeatures(data, everything(data)), at);
        for (const [name, handbook, scale] of [
          ["weekend", "weekend", 1],
          ["night", "night", 1],
          ["account.count_1d", "customer_count_1d", 1],
          ["account.count_7d", "customer_count_7d", 1],
          ["account.mean_minor_1d", "customer_mean_amount_1d", 100],
          ["merchant.count_1d", "terminal_count_1d", 1],
          ["merchant.count_30d", "terminal_count_30d", 1],
          ["merchant.risk_1d_permille", "terminal_risk_1d", 1000],
          ["merchant.risk_7d_permille", "terminal_risk_7d", 1000],
        ] as const) {
          const expected = Math.floor(theirs[HANDBOOK_FEATURES.indexOf(handbook)]! * scale + 1e-6);
          expect(ours[OTHER_FEATURES.indexOf(name)], name).toBe(expected);
        }
      }),
    );
  });

  it("know nothing of the future, and no label before its delay", () => {
    for (const some of [dataAndOne, placesAndOne])
      fc.assert(knowsNoFuture((data) => otherFeatures(data, everything(data)), some));
  });

  it("would be found out with a label a day early", () => {
    const early = knowsNoFuture((data) => otherFeatures(data, everything(data), LABEL_DELAY_DAYS - 1));
    expect(fc.check(early, { numRuns: 1_000 }).failed).toBe(true);
  });
});
