import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { HandbookDataSet, Place } from "../../ingress-generator/handbook/data-set.js";
import { everything, knowsNoFuture, placesAndOne } from "../testing/small-data-sets.js";
import { rowOf } from "./features.js";
import { LEARNED_FEATURES, learnedFeatures } from "./learned-features.js";
import { PLACES_FEATURES, placesFeatures } from "./place-features.js";

const DAY = 86_400;

/** Great-circle distance on a sphere, by the haversine formula. */
function kilometres(a: Place, b: Place): number {
  const radians = (e6: number): number => (e6 / 1e6) * (Math.PI / 180);
  const north = Math.sin(radians(b.latitudeE6 - a.latitudeE6) / 2);
  const east = Math.sin(radians(b.longitudeE6 - a.longitudeE6) / 2);
  const flat = Math.cos(radians(a.latitudeE6)) * Math.cos(radians(b.latitudeE6));
  return 2 * 6371 * Math.asin(Math.sqrt(north * north + flat * east * east));
}

/** What docs/detection.md says of one transaction, without a thought of speed. */
function byDefinition({ seconds, customers, terminals, places, labelledAt }: HandbookDataSet, at: number) {
  const upTo = (one: number): number[] =>
    Array.from({ length: one + 1 }, (_, n) => n).filter((n) => customers[n] === customers[at]);
  const before = (one: number): number[] => upTo(one).slice(0, -1);
  const placeOf = (one: number): Place | undefined => places![terminals[one]!];
  const visits = (one: number): number => before(one).filter((other) => terminals[other] === terminals[one]).length;
  const usual = (one: number): number => {
    const here = placeOf(one);
    const genuine = before(one)
      .filter((other) => seconds[other]! <= seconds[one]! - 7 * DAY && labelledAt![other]! > seconds[one]!)
      .map(placeOf)
      .filter((place) => place !== undefined);
    if (here === undefined || genuine.length === 0) return -1;
    const mean = (value: (place: Place) => number): number =>
      genuine.reduce((sum, place) => sum + value(place), 0) / genuine.length;
    return kilometres(here, { latitudeE6: mean((one) => one.latitudeE6), longitudeE6: mean((one) => one.longitudeE6) });
  };
  const travel = (one: number): readonly [number, number] => {
    const last = before(one).findLast((other) => placeOf(other) !== undefined);
    const here = placeOf(one);
    if (here === undefined || last === undefined || seconds[last] === seconds[one]) return [-1, -1];
    const distance = kilometres(placeOf(last)!, here);
    return [distance, (distance * 3600) / (seconds[one]! - seconds[last]!)];
  };
  const week = upTo(at).filter((one) => seconds[one]! > seconds[at]! - 7 * DAY);
  const isNew = (one: number): boolean => visits(one) === 0;
  const onWeb = (one: number): boolean => placeOf(one) === undefined;
  const [distance, speed] = travel(at);
  return {
    "account.on_web": onWeb(at) ? 1 : 0,
    "account.merchant_visits": visits(at),
    "account.travel_distance_m": distance < 0 ? -1 : distance * 1000,
    "account.travel_speed_kmh": speed,
    "account.usual_distance_m": usual(at) < 0 ? -1 : usual(at) * 1000,
    "account.count_1d": week.filter((one) => seconds[one]! > seconds[at]! - DAY).length,
    "account.new_merchants_7d": week.filter(isNew).length,
    "account.new_web_7d": week.filter((one) => isNew(one) && onWeb(one)).length,
    "account.far_7d": week.filter((one) => usual(one) > 100).length,
    "account.fastest_7d_kmh": Math.max(...week.map((one) => travel(one)[1])),
  };
}

describe("the features of places", () => {
  it("are what their definition says, beside the learned ones as they are", () => {
    fc.assert(
      fc.property(placesAndOne, ([data, at]) => {
        const row = rowOf(placesFeatures(data, { from: at, to: at + 1 }), at);
        const learned = rowOf(learnedFeatures(data, { from: at, to: at + 1 }), at);
        expect(row.subarray(0, LEARNED_FEATURES.length)).toEqual(learned);
        const found = Object.fromEntries(PLACES_FEATURES.map((name, n) => [name, row[n]!]));
        for (const [name, value] of Object.entries(byDefinition(data, at))) {
          // The Earth is no sphere: distances and speeds differ by up to half a percent.
          if (/_m$|_kmh$/.test(name)) expect(Math.abs(found[name]! - value), name).toBeLessThanOrEqual(1 + value / 200);
          else expect(found[name], name).toBe(value);
        }
      }),
    );
  });

  it("are the same in whatever stretch they are computed, and whole numbers", () => {
    fc.assert(
      fc.property(placesAndOne, ([data, at]) => {
        const whole = placesFeatures(data, everything(data));
        expect(rowOf(placesFeatures(data, { from: at, to: data.seconds.length }), at)).toEqual(rowOf(whole, at));
        expect(whole.values.every(Number.isSafeInteger)).toBe(true);
      }),
    );
  });

  it("know nothing of the future, and no label before it comes", () => {
    fc.assert(knowsNoFuture((data) => placesFeatures(data, everything(data)), placesAndOne));
  });

  it("are made of no amount, so of no cents either", () => {
    fc.assert(
      fc.property(placesAndOne, ([data, at]) => {
        const ofPlaces = (of: HandbookDataSet) =>
          rowOf(placesFeatures(of, everything(of)), at).subarray(LEARNED_FEATURES.length);
        const other = { ...data, amountsMinor: data.amountsMinor.map((amount) => 5 * amount + 3) };
        expect(ofPlaces(other)).toEqual(ofPlaces(data));
      }),
    );
  });

  it("would be found out when they took what never got a label for fraud", () => {
    const knowing = (data: HandbookDataSet) =>
      placesFeatures(
        { ...data, labelledAt: data.seconds.map((second, n) => (data.scenarios[n] === 0 ? 2 ** 32 - 1 : second)) },
        everything(data),
      );
    expect(fc.check(knowsNoFuture(knowing, placesAndOne), { numRuns: 1_000 }).failed).toBe(true);
  });
});
