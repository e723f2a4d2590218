import { describe, expect, it } from "vitest";

import { microsEach } from "./part-times.js";

describe("processor time each", () => {
  it("is what a part has used since, for each transaction", () => {
    expect(microsEach(new Map([["kafka", 10]]), new Map([["kafka", 10.5]]), 1_000)).toEqual({ kafka: 500 });
  });

  it("counts a part that is new, or began anew, since it did", () => {
    expect(
      microsEach(
        new Map([["kafka", 10]]),
        new Map([
          ["kafka", 2],
          ["minio", 1],
        ]),
        1_000,
      ),
    ).toEqual({ kafka: 2_000, minio: 1_000 });
  });

  it("is a number when nothing was decided", () => {
    expect(microsEach(new Map(), new Map([["kafka", 1]]), 0)).toEqual({ kafka: 1_000_000 });
  });
});
