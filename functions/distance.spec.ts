import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { distanceMetres } from "./distance.js";

const degrees = (latitude: number, longitude: number) => ({
  latitudeE6: Math.round(latitude * 1e6),
  longitudeE6: Math.round(longitude * 1e6),
});
const point = fc.record({
  latitudeE6: fc.integer({ min: -90e6, max: 90e6 }),
  longitudeE6: fc.integer({ min: -180e6, max: 180e6 }),
});

/** The great-circle distance by the haversine formula, as a peer. */
function haversine(
  a: { latitudeE6: number; longitudeE6: number },
  b: { latitudeE6: number; longitudeE6: number },
): number {
  const radians = (e6: number) => (e6 / 1e6) * (Math.PI / 180);
  const h =
    Math.sin(radians(b.latitudeE6 - a.latitudeE6) / 2) ** 2 +
    Math.cos(radians(a.latitudeE6)) *
      Math.cos(radians(b.latitudeE6)) *
      Math.sin(radians(b.longitudeE6 - a.longitudeE6) / 2) ** 2;
  return 2 * 6_371_008.8 * Math.asin(Math.min(1, Math.sqrt(h)));
}

describe("distanceMetres", () => {
  it("knows the distance between cities", () => {
    const lisbon = degrees(38.7223, -9.1393);
    expect(distanceMetres(lisbon, degrees(40.4168, -3.7038))).toBe(502_561n);
    expect(distanceMetres(lisbon, lisbon)).toBe(0n);
  });

  it("crosses the date line the short way", () => {
    expect(distanceMetres(degrees(0, 179.5), degrees(0, -179.5))).toBe(111_195n);
  });

  it("is the same both ways", () => {
    fc.assert(fc.property(point, point, (a, b) => distanceMetres(a, b) === distanceMetres(b, a)));
  });

  it("is within 1% of the great circle for places up to 300 km apart below 60° of latitude", () => {
    const near = fc.tuple(
      fc.integer({ min: -60e6, max: 60e6 }),
      fc.integer({ min: -179e6, max: 179e6 }),
      fc.integer({ min: -1.3e6, max: 1.3e6 }),
      fc.integer({ min: -1.3e6, max: 1.3e6 }),
    );
    fc.assert(
      fc.property(near, ([latitudeE6, longitudeE6, north, east]) => {
        const a = { latitudeE6, longitudeE6 };
        const b = { latitudeE6: latitudeE6 + north, longitudeE6: longitudeE6 + east };
        const expected = haversine(a, b);
        expect(Math.abs(Number(distanceMetres(a, b)) - expected)).toBeLessThanOrEqual(expected * 0.01 + 1);
      }),
    );
  });
});
