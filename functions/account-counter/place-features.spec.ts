import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { AccountState } from "../../protos/gen/fraud/v1/internal.js";
import { distanceMetres, type Point } from "../distance.js";
import { type FunctionSettings, parseSettings } from "../settings.js";
import { sampleTransaction, START_MS } from "../testing/samples.js";
import { countTransaction } from "./features.js";
import { learnAccount, learnAccountVerdict } from "./learned-features.js";

const DAY = 86_400_000;
const UNKNOWN = { latitudeE6: 0, longitudeE6: 0 };
const settingsOf = (events: number, places = true): FunctionSettings =>
  parseSettings({ account: { knownMerchants: 4 }, learned: { events, places } });
const stored = (state: AccountState): AccountState => AccountState.decode(AccountState.encode(state).finish());
const ms = (days: number): bigint => START_MS + BigInt(Math.round(days * DAY));

interface Spent {
  readonly days: number;
  readonly place?: Point | undefined;
  readonly merchant?: string;
  readonly settings?: FunctionSettings;
}

/** An account, step after step, its state stored in between. */
function account(settings: FunctionSettings) {
  let state = AccountState.fromPartial({});
  return {
    spend(id: string, { days, place, merchant = "m", settings: other = settings }: Spent) {
      state = stored(state);
      const transaction = sampleTransaction({
        transactionId: id,
        eventTimeMs: ms(days),
        merchantId: merchant,
        location: place && { ...place, name: "" },
      });
      state.seq++;
      const latestMs = state.latestEventTimeMs;
      const counted = countTransaction(state, transaction, other.account);
      const { features, learnedIncomplete } = learnAccount(state, transaction, other.learned, { latestMs, counted });
      const { onWeb, usualDistanceM, newMerchants7d, newWeb7d, far7d, fastest7dKmh, count7d } = features;
      return { onWeb, usualDistanceM, newMerchants7d, newWeb7d, far7d, fastest7dKmh, count7d, learnedIncomplete };
    },
    judge(id: string, delta: 1 | -1, days: number) {
      state = stored(state);
      learnAccountVerdict(state, id, { delta, effectiveAtMs: ms(days) }, settings.learned);
    },
    /** As a version before 8 takes one in: it knows nothing of places, and keeps them as they are. */
    spendByOlderVersion(id: string, days: number) {
      state = stored(state);
      const { places, placesSeq, locatedCount, latitudesE6, longitudesE6 } = state.past!;
      this.spend(id, { days, settings: settingsOf(settings.learned.events, false) });
      Object.assign(state.past!, { places, placesSeq, locatedCount, latitudesE6, longitudesE6 });
    },
    get past() {
      return state.past!;
    },
  };
}

const at = (latitudeE6: number, longitudeE6: number): Point => ({ latitudeE6, longitudeE6 });
/** About 9 km, and 900 km, from each other. */
const [HOME, NEAR, AWAY] = [at(48_000_000, 8_000_000), at(48_080_000, 8_000_000), at(40_000_000, 8_000_000)];

describe("an account's features of places", () => {
  it("tell how far it is from the usual place, which is that of what is known to be genuine", () => {
    const one = account(settingsOf(10));
    expect(one.spend("a", { days: 0, place: HOME })).toEqual({
      onWeb: 0,
      usualDistanceM: undefined,
      newMerchants7d: 1,
      newWeb7d: 0,
      far7d: 0,
      fastest7dKmh: undefined,
      count7d: 1,
      learnedIncomplete: false,
    });
    expect(one.spend("b", { days: 6.9, place: NEAR })).toMatchObject({ usualDistanceM: undefined, fastest7dKmh: 0n });
    expect(one.spend("c", { days: 7, place: AWAY })).toMatchObject({
      usualDistanceM: distanceMetres(HOME, AWAY),
      far7d: 1,
      fastest7dKmh: 374n,
    });
    // HOME and NEAR are known by now: the usual place is between them.
    expect(one.spend("d", { days: 13.9, place: HOME }).usualDistanceM).toBe(
      distanceMetres(at(48_040_000, 8_000_000), HOME),
    );
    // A label takes HOME back; what was found far stays so.
    one.judge("a", 1, 13.95);
    expect(one.spend("e", { days: 13.95, place: HOME })).toMatchObject({
      usualDistanceM: distanceMetres(NEAR, HOME),
      far7d: 1,
    });
    one.judge("c", 1, 13.96);
    expect(one.spend("f", { days: 14, place: HOME }).far7d).toBe(0);
  });

  it("call far what is more than 100,000 m from it, to the metre", () => {
    for (const [latitudeE6, usualDistanceM, far7d] of [
      [48_898_963, 100_000n, 0],
      [48_898_972, 100_001n, 1],
    ] as const) {
      const one = account(settingsOf(10));
      one.spend("a", { days: 0, place: HOME });
      expect(one.spend("b", { days: 8, place: at(latitudeE6, 8_000_000) })).toMatchObject({ usualDistanceM, far7d });
    }
  });

  it("take what has no place, or exactly 0, 0, for the web", () => {
    const one = account(settingsOf(10));
    expect(one.spend("a", { days: 0 })).toMatchObject({ onWeb: 1, newMerchants7d: 1, newWeb7d: 1 });
    expect(one.spend("b", { days: 8, place: UNKNOWN, merchant: "n" })).toMatchObject({
      onWeb: 1,
      usualDistanceM: undefined,
      newMerchants7d: 1,
      newWeb7d: 1,
    });
    expect(one.spend("c", { days: 9, place: HOME, merchant: "o" })).toMatchObject({
      onWeb: 0,
      usualDistanceM: undefined,
      newMerchants7d: 2,
      newWeb7d: 1,
      fastest7dKmh: undefined,
    });
    expect(one.spend("d", { days: 9, place: HOME, merchant: "o" }).newMerchants7d).toBe(2);
  });

  it("know of no later transaction, and are no journey, when one comes late", () => {
    const one = account(settingsOf(10));
    one.spend("a", { days: 0, place: HOME });
    one.spend("b", { days: 20, place: AWAY, merchant: "n" });
    expect(one.spend("late", { days: 8, place: HOME, merchant: "n" })).toMatchObject({
      usualDistanceM: 0n,
      // There was a visit at its merchant already, as transactions came.
      newMerchants7d: 0,
      far7d: 0,
      fastest7dKmh: undefined,
    });
    expect(one.spend("c", { days: 20.5, place: AWAY, merchant: "n" })).toMatchObject({ far7d: 2, fastest7dKmh: 1n });
  });

  it("keep the places of what has left in sums, but of no fraud", () => {
    const one = account(settingsOf(2));
    one.spend("a", { days: 0, place: HOME });
    one.spend("b", { days: 1, place: AWAY });
    one.judge("b", 1, 2);
    one.spend("web", { days: 3 });
    one.spend("c", { days: 20, place: NEAR });
    expect(one.past).toMatchObject({ locatedCount: 1n, latitudesE6: 48_000_000n, longitudesE6: 8_000_000n });
    one.spend("d", { days: 21, place: NEAR });
    expect(one.spend("e", { days: 21, place: NEAR }).usualDistanceM).toBe(distanceMetres(HOME, NEAR));
    expect(one.past).toMatchObject({ locatedCount: 2n, latitudesE6: 96_080_000n });
    one.judge("a", 1, 21);
    expect(one.past.locatedCount).toBe(2n);
  });

  it("round the usual place to the nearest millionth, halves up, south and west as elsewhere", () => {
    const degrees = fc.integer({ min: -3, max: 3 });
    fc.assert(
      fc.property(fc.array(fc.tuple(degrees, degrees), { minLength: 1, maxLength: 9 }), fc.nat(9), (all, keep) => {
        const one = account(settingsOf(1 + keep));
        // One degree north of the equator, as 0, 0 would be no place.
        for (const [n, [latitude, longitude]] of all.entries())
          one.spend(`t${n}`, { days: n / 100, place: at(1_000_000 + latitude, longitude) });
        const mean = (values: number[]): number => Math.round(values.reduce((sum, value) => sum + value) / all.length);
        const usual = at(
          1_000_000 + mean(all.map(([latitude]) => latitude)),
          mean(all.map(([, longitude]) => longitude)),
        );
        const here = at(1_000_000, 50_000_000);
        expect(one.spend("last", { days: 30, place: here }).usualDistanceM).toBe(distanceMetres(usual, here));
      }),
    );
  });

  it("have a usual place on the other side of the Earth from what is on both sides of the 180th meridian", () => {
    const one = account(settingsOf(10));
    one.spend("a", { days: 0, place: at(1, 179_000_000) });
    one.spend("b", { days: 1, place: at(1, -179_000_000) });
    expect(one.spend("c", { days: 9, place: at(1, 180_000_000) }).usualDistanceM).toBeGreaterThan(20_000_000n);
  });

  it("begin anew when they were off, and say while their week is not whole", () => {
    const off = settingsOf(10, false);
    const one = account(settingsOf(10));
    one.spend("a", { days: 0, place: HOME, settings: off });
    expect(one.spend("b", { days: 1, place: HOME })).toMatchObject({
      usualDistanceM: undefined,
      newMerchants7d: 0,
      count7d: 2,
      learnedIncomplete: true,
    });
    expect(one.spend("c", { days: 8, place: AWAY })).toMatchObject({
      usualDistanceM: distanceMetres(HOME, AWAY),
      learnedIncomplete: false,
    });
    const without = one.spend("d", { days: 9, place: HOME, settings: off });
    expect(without).toMatchObject({ onWeb: undefined, usualDistanceM: undefined, far7d: undefined });
    expect(one.past).toMatchObject({ places: Buffer.alloc(0), placesSeq: 0n, locatedCount: 0n });
    expect(one.spend("e", { days: 16, place: HOME })).toMatchObject({ usualDistanceM: undefined, far7d: 0 });
  });

  it("do not take the places of one transaction for those of another after older code has been at it", () => {
    const one = account(settingsOf(2));
    one.spend("a", { days: 0, place: HOME });
    one.spend("b", { days: 0.5, place: AWAY });
    one.spendByOlderVersion("c", 1);
    expect(one.past.places.length).toBeGreaterThan(0);
    expect(one.spend("d", { days: 7.5, place: HOME })).toMatchObject({
      usualDistanceM: undefined,
      fastest7dKmh: 5n,
      learnedIncomplete: true,
    });
  });

  it("need what they are made of", () => {
    for (const settings of [
      { learned: { places: true, events: 5 } },
      { account: { knownMerchants: 5 }, learned: { places: true } },
    ])
      expect(() => parseSettings(settings)).toThrow(
        "function settings: ✖ learned.places needs learned.events and account.knownMerchants, which are 0",
      );
  });
});
