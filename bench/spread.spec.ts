import { describe, expect, it } from "vitest";

import { spreadOf, spreadText } from "./spread.js";

describe("a spread", () => {
  it("has the middle one of an odd number of values, in whatever order they come", () => {
    expect(spreadOf([30, 10, 2])).toEqual({ min: 2, median: 10, max: 30 });
  });

  it("has the mean of the middle two of an even number", () => {
    expect(spreadOf([4, 1, 3, 2])).toEqual({ min: 1, median: 2.5, max: 4 });
  });

  it("is shown with its bounds, if there are two", () => {
    expect(spreadText(spreadOf([1_200, 1_100, 1_400]))).toBe("1,200 (1,100–1,400)");
    expect(spreadText(spreadOf([0.5]), 1)).toBe("0.5");
  });
});
