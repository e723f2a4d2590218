import { expect, it } from "vitest";

import { DAY_SECONDS, type HandbookDataSet } from "../../ingress-generator/handbook/data-set.js";
import type { Range } from "../weeks.js";
import { decisionsIn } from "./decisions-in.js";
import { scoredOf } from "./score-week.js";

const FIRST_DAY = 7;
const KNOWN = 1;
const OTHER = 2;
/** A fraud on day 3, by a card that goes on; each day from 14 on, so before and in the test, one of each card. */
const days = [3, ...Array.from({ length: 28 }, (_, n) => 14 + Math.floor(n / 2))];
const data: HandbookDataSet = {
  seconds: Uint32Array.from(days, (day) => day * DAY_SECONDS),
  customers: Uint16Array.from(days, (_, at) => (at % 2 === 0 ? KNOWN : OTHER)),
  terminals: new Uint16Array(days.length),
  amountsMinor: new Uint32Array(days.length).fill(10_000),
  scenarios: Uint8Array.from(days, (_, at) => (at === 0 ? 2 : 0)),
  newFrauds: [0, 1, 0],
};
/** The known card is the more suspicious one, and yesterday less so than today. */
const scoreAt = (at: number): number => (data.customers[at] === KNOWN ? 0.9 : 0.5) + days[at]! / 1_000;

it("thresholds are chosen before the week, from the cards that it judges: without those that are known", () => {
  const asked: Range[] = [];
  const scorer = (range: Range) => {
    asked.push(range);
    return scoreAt;
  };
  const test = Uint32Array.from(days.keys()).filter((at) => days[at]! >= 21 && data.customers[at] === OTHER);
  const [byCosts, byCapacity] = decisionsIn(data, { firstDay: FIRST_DAY }, scoredOf(data, test, scoreAt), scorer, {
    costs: { lookMinor: 300, stoppedMinor: 1_000 },
    looksADay: 1,
  });
  expect(byCosts).toMatchObject({ by: "costs", thresholds: { reviewFrom: 0.03, declineFrom: 0.7 } });
  // One look a day: all seven of the other card, from the first day's on.
  expect(byCapacity).toMatchObject({ by: "capacity, 1 looks a day", thresholds: { reviewFrom: 0.514 }, looksADay: 1 });
  for (const { from, to } of asked) for (let at = from; at < to; at++) expect(days[at]).toBeLessThan(21);
});
