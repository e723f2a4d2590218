import { createHash } from "node:crypto";

import { describe, expect, it } from "vitest";

import {
  DAY_SECONDS,
  HANDBOOK_CUSTOMERS,
  HANDBOOK_DAYS,
  HANDBOOK_START_MS,
  handbookDataSet,
  type HandbookDataSet,
  NEVER_LABELLED,
} from "../handbook/data-set.js";
import { handbookItems } from "../handbook/items.js";
import { covers, FIRST_WEB_SHOP, placesDataSet, terminalsNear } from "./data-set.js";

const data = placesDataSet();
const { seconds, customers, terminals, amountsMinor, scenarios, labelledAt, places, hidden } = data;
const dayOf = (at: number): number => Math.floor(seconds[at]! / DAY_SECONDS);
const ofScenario = (scenario: number): number[] => [...scenarios.keys()].filter((at) => scenarios[at] === scenario);

/** Over six little-endian 32-bit numbers for each transaction: those of the Handbook's, and when its label comes. */
function digest(): string {
  const rows = Buffer.alloc(seconds.length * 24);
  for (let at = 0; at < seconds.length; at++)
    for (const [n, column] of [seconds, customers, terminals, amountsMinor, scenarios, labelledAt].entries())
      rows.writeUInt32LE(column[at]!, at * 24 + n * 4);
  return createHash("sha256").update(rows).digest("hex");
}

/** How many amounts of each scenario end in each digit. */
function lastDigits({ scenarios: of, amountsMinor: amounts }: HandbookDataSet): Float64Array[] {
  const counts = Array.from({ length: 5 }, () => new Float64Array(10));
  for (let at = 0; at < of.length; at++) counts[of[at]!]![amounts[at]! % 10]!++;
  return counts;
}

/** Pearson's χ²: with 9 degrees of freedom one in a thousand is above 27.88 where both have the same distribution. */
function chiSquare(one: Float64Array, other: Float64Array): number {
  const sum = (digits: Float64Array): number => digits.reduce((a, b) => a + b);
  const all = sum(one) + sum(other);
  return [one, other]
    .flatMap((digits) =>
      Array.from(digits, (count, digit) => {
        const expected = (sum(digits) * (one[digit]! + other[digit]!)) / all;
        return (count - expected) ** 2 / expected;
      }),
    )
    .reduce((a, b) => a + b);
}

describe("the Handbook's data set with places", () => {
  it("has so many transactions and frauds, and where they overlap the last scenario's", () => {
    expect(seconds.length).toBe(1_787_037);
    expect(data.newFrauds).toEqual([1_074, 9_007, 4_453, 2_565]);
    expect([0, 1, 2, 3, 4].map((scenario) => ofScenario(scenario).length)).toEqual([
      1_769_938, 1_064, 8_989, 4_481, 2_565,
    ]);
  });

  it("is the same on every machine, bit for bit", () => {
    expect(digest()).toBe("ff782e7d56964108cbb271a57aab5defc1aa15c22960dfb5ad5efcca2cc365be");
  });

  it("is in the order of time", () => {
    expect(seconds.every((second, n) => n === 0 || seconds[n - 1]! <= second)).toBe(true);
    expect(seconds.at(-1)).toBeLessThan(HANDBOOK_DAYS * DAY_SECONDS);
  });

  it("has amounts whose last digit says nothing, of any scenario; the Handbook's third has not", () => {
    const [genuine, ...frauds] = lastDigits(data);
    for (const digits of frauds) expect(chiSquare(digits, genuine!)).toBeLessThan(27.88);
    const handbook = lastDigits(handbookDataSet());
    expect(chiSquare(handbook[3]!, handbook[0]!)).toBeGreaterThan(10_000);
  });

  it("has labels on the same day for 15 % of the frauds, after 3 to 13 midnights for 75 %, and never for 10 %", () => {
    const frauds = [...scenarios.keys()].filter((at) => scenarios[at] !== 0);
    const midnights = frauds.map((at) =>
      labelledAt[at] === NEVER_LABELLED ? undefined : labelledAt[at]! / DAY_SECONDS - dayOf(at),
    );
    const share = (wanted: (one: number | undefined) => boolean): number =>
      midnights.filter(wanted).length / frauds.length;
    expect(share((one) => one === 1)).toBeCloseTo(0.15, 1);
    expect(share((one) => one === undefined)).toBeCloseTo(0.1, 1);
    expect(share((one) => one === 1 || one === undefined || (one >= 3 && one <= 13))).toBe(1);
    expect(scenarios.every((scenario, at) => scenario !== 0 || labelledAt[at] === NEVER_LABELLED)).toBe(true);
  });

  it("has customers who buy near where they are that day, or in web shops they know, unless the card is stolen", () => {
    const near = new Map<string, Set<number>>();
    const usable = ({ x, y }: { x: number; y: number }): Set<number> => {
      const key = `${x},${y}`;
      if (!near.has(key)) near.set(key, new Set(terminalsNear(hidden.terminals, { x, y })));
      return near.get(key)!;
    };
    for (let at = 0; at < seconds.length; at += 23) {
      const { home, webShops, journeys } = hidden.customers[customers[at]!]!;
      const terminal = terminals[at]!;
      if (scenarios[at] === 4) {
        const cards = hidden.stolenCards.filter((one) => one.customer === customers[at] && covers(one, dayOf(at)));
        expect(cards.some((one) => terminal >= FIRST_WEB_SHOP || usable(one.at).has(terminal))).toBe(true);
      } else if (terminal >= FIRST_WEB_SHOP) expect(webShops).toContain(terminal);
      else {
        const where = journeys.find((one) => covers(one, dayOf(at)))?.at ?? home;
        if (!usable(where).has(terminal)) expect.fail(`transaction ${at} at ${terminal}`);
      }
    }
  });

  it("has thieves far from home, half of them on the web", () => {
    for (const { customer, at } of hidden.stolenCards) {
      const { x, y } = hidden.customers[customer]!.home;
      expect(Math.hypot(at.x - x, at.y - y)).toBeGreaterThanOrEqual(30_000);
    }
    const stolen = ofScenario(4);
    expect(stolen.filter((at) => terminals[at]! >= FIRST_WEB_SHOP).length / stolen.length).toBeCloseTo(0.5, 1);
  });

  it("has its places between 45° and 50° north, 5° and 12.5° east; web shops have none", () => {
    expect(places.map((place) => place === undefined)).toEqual(places.map((_, n) => n >= FIRST_WEB_SHOP));
    const within = (values: readonly number[], from: number, to: number): boolean =>
      values.every((value) => value >= from * 1e6 && value < to * 1e6);
    const known = places.slice(0, FIRST_WEB_SHOP).map((place) => place!);
    expect(
      within(
        known.map(({ latitudeE6 }) => latitudeE6),
        45,
        50,
      ),
    ).toBe(true);
    expect(
      within(
        known.map(({ longitudeE6 }) => longitudeE6),
        5,
        12.5,
      ),
    ).toBe(true);
    expect(customers.every((customer) => customer < HANDBOOK_CUSTOMERS)).toBe(true);
  });

  it("becomes transactions with places and labels at their time, in order, none for what is never known", () => {
    const few = 30_000;
    const part = {
      ...data,
      seconds: seconds.subarray(0, few),
      scenarios: scenarios.subarray(0, few),
    };
    let nowMs = 0;
    let labels = 0;
    for (const { kind, message } of handbookItems(part, { runId: "h" })) {
      const at = Number(message.transactionId.slice(2));
      const atMs = Number(kind === "label" ? message.effectiveAtMs : message.eventTimeMs);
      if (atMs < nowMs) expect.fail(`${message.transactionId} comes too late`);
      nowMs = atMs;
      if (kind === "label") {
        labels++;
        expect(atMs).toBe(HANDBOOK_START_MS + labelledAt[at]! * 1000);
      } else if (at % 100 === 0) {
        const place = places[terminals[at]!];
        expect(message.location).toEqual(place && { ...place, name: "" });
      }
    }
    expect(labels).toBe(labelledAt.subarray(0, few).filter((one) => one !== NEVER_LABELLED).length);
  });
});
