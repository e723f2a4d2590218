import { describe, expect, it } from "vitest";

import { placesDataSet } from "../ingress-generator/handbook-places/data-set.js";
import { handbookDataSet } from "../ingress-generator/handbook/data-set.js";
import { centsGiveAway } from "./cents.js";

describe("the cents alone", () => {
  it("give away the Handbook's third scenario, and nothing else of it", () => {
    const [first, second, third, ...rest] = centsGiveAway(handbookDataSet()).map(({ auc }) => auc);
    expect(third).toBeGreaterThan(0.89);
    for (const auc of [first, second]) expect(Math.abs(auc! - 0.5)).toBeLessThan(0.03);
    expect(rest).toEqual([]);
  });

  it("give away nothing of the data set with places", () => {
    const found = centsGiveAway(placesDataSet());
    expect(found.map(({ scenario }) => scenario[0])).toEqual(["1", "2", "3", "4"]);
    for (const { auc, scenario } of found) expect(Math.abs(auc - 0.5), scenario).toBeLessThan(0.03);
  });
});
