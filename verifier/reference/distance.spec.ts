import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { distanceMetres } from "../../functions/distance.js";
import { metresBetween } from "./distance.js";

const place = fc.record({
  latitudeE6: fc.oneof(fc.integer({ min: -90e6, max: 90e6 }), fc.constantFrom(-90e6, 0, 90e6)),
  longitudeE6: fc.oneof(fc.integer({ min: -180e6, max: 180e6 }), fc.constantFrom(-180e6, -90e6, 0, 90e6, 180e6)),
});

describe("metresBetween", () => {
  it("is what the functions compute, anywhere on Earth", () => {
    fc.assert(
      fc.property(place, place, (a, b) => metresBetween(a, b) === distanceMetres(a, b)),
      { numRuns: 20_000 },
    );
  });

  it("is what the functions compute, for places near each other and near each other's antipodes", () => {
    const step = fc.integer({ min: -2_000, max: 2_000 });
    const between = fc.record({
      latitudeE6: fc.integer({ min: -89e6, max: 89e6 }),
      longitudeE6: fc.integer({ min: 1e6, max: 179e6 }),
    });
    fc.assert(
      fc.property(between, step, step, (a, north, east) => {
        const near = { latitudeE6: a.latitudeE6 + north, longitudeE6: a.longitudeE6 + east };
        const opposite = { latitudeE6: -near.latitudeE6, longitudeE6: near.longitudeE6 - 180e6 };
        expect(metresBetween(a, near)).toBe(distanceMetres(a, near));
        expect(metresBetween(a, opposite)).toBe(distanceMetres(a, opposite));
      }),
      { numRuns: 10_000 },
    );
  });
});
