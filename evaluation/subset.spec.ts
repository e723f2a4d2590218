import { describe, expect, it } from "vitest";

import { DAY_SECONDS, type HandbookDataSet } from "../ingress-generator/handbook/data-set.js";
import { subsetOf } from "./subset.js";

const data: HandbookDataSet = {
  seconds: Uint32Array.of(1, 2, 3, DAY_SECONDS - 1, DAY_SECONDS),
  customers: Uint16Array.of(1, 0, 2, 0, 0),
  terminals: Uint16Array.of(5, 6, 7, 8, 9),
  amountsMinor: Uint32Array.of(10, 20, 30, 40, 50),
  scenarios: Uint8Array.of(0, 1, 2, 3, 0),
  newFrauds: [1, 1, 1],
};

describe("a part of the data set", () => {
  it("has the transactions of the first customers within the first days", () => {
    expect(subsetOf(data, { customers: 2, days: 1 })).toMatchObject({
      seconds: Uint32Array.of(1, 2, DAY_SECONDS - 1),
      customers: Uint16Array.of(1, 0, 0),
      terminals: Uint16Array.of(5, 6, 8),
      amountsMinor: Uint32Array.of(10, 20, 40),
      scenarios: Uint8Array.of(0, 1, 3),
    });
  });

  it("keeps labels with their transactions, and what else there is", () => {
    const places = [undefined];
    const part = subsetOf({ ...data, labelledAt: Uint32Array.of(1, 2, 3, 4, 5), places }, { customers: 2, days: 1 });
    expect(part).toMatchObject({ labelledAt: Uint32Array.of(1, 2, 4), places });
  });

  it("is all of it when nothing is left out", () => {
    expect(subsetOf(data, { customers: 3, days: 2 })).toEqual(data);
  });
});
