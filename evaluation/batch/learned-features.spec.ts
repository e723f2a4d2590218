import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { HandbookDataSet } from "../../ingress-generator/handbook/data-set.js";
import { dataAndOne, everything, isAsDefined, knowsNoFuture, placesAndOne } from "../testing/small-data-sets.js";
import { LABEL_DELAY_DAYS } from "../weeks.js";
import { rowOf } from "./features.js";
import { LEARNED_FEATURES, learnedFeatures } from "./learned-features.js";

const DAY = 86_400;
const NEVER = 1_000 * DAY;

/** What docs/detection.md says, of one transaction, without a thought of speed. */
function byDefinition(data: HandbookDataSet, at: number): Record<(typeof LEARNED_FEATURES)[number], number> {
  const { seconds, amountsMinor } = data;
  const now = seconds[at]!;
  const labelled = (one: number): number => {
    if (data.labelledAt !== undefined) return data.labelledAt[one]!;
    return data.scenarios[one] === 0 ? Infinity : seconds[one]! + 7 * DAY;
  };
  const fraudAt = (one: number, place: number): boolean => labelled(one) <= seconds[place]!;
  const fraud = (one: number): boolean => fraudAt(one, at);
  const upTo = (ids: Uint16Array, place: number): number[] =>
    Array.from({ length: place + 1 }, (_, one) => one).filter((one) => ids[one] === ids[place]);
  const old = (ids: Uint16Array, place: number): number[] =>
    upTo(ids, place).filter((one) => seconds[one]! <= seconds[place]! - 7 * DAY);
  const genuineAt = (place: number): number[] => old(data.customers, place).filter((one) => !fraudAt(one, place));
  const sum = (all: readonly number[]): number => all.reduce((total, one) => total + amountsMinor[one]!, 0);
  const ratio = (one: number, place: number): number => {
    const genuine = genuineAt(place);
    const total = sum(genuine);
    return total === 0 ? 0 : Math.floor((1000 * amountsMinor[one]! * genuine.length) / total);
  };
  const since = (all: readonly number[], from: number): number[] => all.filter((one) => seconds[one]! > from);

  const own = upTo(data.customers, at);
  const week = since(own, now - 7 * DAY);
  const month = since(own, now - 30 * DAY);
  const ratios = week.map((one) => ratio(one, at)).sort((a, b) => b - a);
  const genuine = genuineAt(at);
  const spread =
    genuine.length * genuine.reduce((total, one) => total + amountsMinor[one]! ** 2, 0) - sum(genuine) ** 2;

  const there = old(data.terminals, at);
  const thereMonth = since(there, now - 37 * DAY);
  const lastGenuine = there.filter((one) => !fraud(one)).at(-1);
  const run = upTo(data.terminals, at).filter((one) => fraud(one) && one > (lastGenuine ?? -1));
  const runRatios = run.map((one) => ratio(one, one));
  const began = run[0] === undefined ? undefined : seconds[run[0]]!;
  return {
    amount_minor: amountsMinor[at]!,
    "account.count_30d": month.length,
    "account.mean_minor_7d": Math.floor(sum(week) / week.length),
    "account.mean_minor_30d": Math.floor(sum(month) / month.length),
    "account.genuine_count": genuine.length,
    "account.ratio_permille": ratio(at, at),
    "account.z_permille":
      spread <= 0 ? 0 : Math.floor((1000 * (amountsMinor[at]! * genuine.length - sum(genuine))) / Math.sqrt(spread)),
    "account.largest_ratio_7d_permille": ratios[0]!,
    "account.second_ratio_7d_permille": ratios[1] ?? 0,
    "account.unusual_7d_permille": Math.floor((1000 * ratios.filter((one) => one > 2_000).length) / week.length),
    "account.very_unusual_7d": ratios.filter((one) => one > 2_500).length,
    "merchant.count_7d": since(there, now - 14 * DAY).length,
    "merchant.risk_30d_permille":
      thereMonth.length === 0 ? 0 : Math.floor((1000 * thereMonth.filter(fraud).length) / thereMonth.length),
    "merchant.last_label": run.length > 0 ? 1 : lastGenuine === undefined ? -1 : 0,
    "merchant.run": run.length,
    "merchant.run_age_s": began === undefined ? NEVER : now - began,
    "merchant.run_gap_s": began === undefined || lastGenuine === undefined ? NEVER : began - seconds[lastGenuine]!,
    "merchant.run_unexplained": runRatios.filter((one) => one < 2_000).length,
    "merchant.run_least_ratio_permille": Math.min(NEVER, ...runRatios),
    "merchant.genuine_age_s": lastGenuine === undefined ? NEVER : now - seconds[lastGenuine]!,
  };
}

describe("the features that trees learn from", () => {
  it.each([
    ["", dataAndOne],
    [", whenever labels come", placesAndOne],
  ])("are what their definition says%s", (_, some) => {
    fc.assert(isAsDefined(learnedFeatures, LEARNED_FEATURES, byDefinition, some), { numRuns: 1_000 });
  });

  it("are the same in whatever stretch they are computed", () => {
    fc.assert(
      fc.property(dataAndOne, ([data, at]) => {
        const whole = learnedFeatures(data, everything(data));
        expect(rowOf(learnedFeatures(data, { from: at, to: data.seconds.length }), at)).toEqual(rowOf(whole, at));
      }),
    );
  });

  it("know nothing of the future, and no label before its delay", () => {
    for (const some of [dataAndOne, placesAndOne])
      fc.assert(knowsNoFuture((data) => learnedFeatures(data, everything(data)), some));
  });

  it("would be found out with a label a day early", () => {
    const early = knowsNoFuture((data) => learnedFeatures(data, everything(data), LABEL_DELAY_DAYS - 1));
    expect(fc.check(early, { numRuns: 1_000 }).failed).toBe(true);
  });

  it("are whole numbers", () => {
    fc.assert(
      fc.property(dataAndOne, ([data]) => {
        expect(learnedFeatures(data, everything(data)).values.every(Number.isSafeInteger)).toBe(true);
      }),
    );
  });

  it("tell nothing of an amount's cents, in which the simulator leaves traces", () => {
    const AMOUNTS: readonly string[] = ["amount_minor", "account.mean_minor_7d", "account.mean_minor_30d"];
    fc.assert(
      fc.property(dataAndOne, ([data, at]) => {
        // Five times as much: now every amount ends in 0 or 5 cents, and nothing else is different.
        const fivefold = { ...data, amountsMinor: data.amountsMinor.map((amount) => 5 * amount) };
        const before = rowOf(learnedFeatures(data, everything(data)), at);
        const after = rowOf(learnedFeatures(fivefold, everything(data)), at);
        for (const [n, name] of LEARNED_FEATURES.entries()) {
          if (AMOUNTS.includes(name)) expect(Math.floor(after[n]! / 5), name).toBe(before[n]);
          // A root rounds.
          else if (name === "account.z_permille") expect(Math.abs(after[n]! - before[n]!), name).toBeLessThanOrEqual(1);
          else expect(after[n], name).toBe(before[n]);
        }
      }),
    );
  });
});
