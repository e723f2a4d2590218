import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { distanceMetres, isKnownLocation, type Point } from "./distance.js";

const degrees = (latitude: number, longitude: number): Point => ({
  latitudeE6: Math.round(latitude * 1e6),
  longitudeE6: Math.round(longitude * 1e6),
});
const latitudeE6 = fc.integer({ min: -90e6, max: 90e6 });
const longitudeE6 = fc.integer({ min: -180e6, max: 180e6 });
const anywhere = fc.record({ latitudeE6, longitudeE6 });
/** Anywhere, and where formulas fail: poles, equator, date line. */
const point = fc.oneof(
  { weight: 3, arbitrary: anywhere },
  {
    weight: 1,
    arbitrary: fc.record({
      latitudeE6: fc.constantFrom(-90e6, -90e6 + 1, -1, 0, 1, 90e6 - 1, 90e6),
      longitudeE6: fc.oneof(longitudeE6, fc.constantFrom(-180e6, -180e6 + 1, -90e6, 0, 90e6, 180e6 - 1, 180e6)),
    }),
  },
);
/** By as many millionths of a degree, and still on Earth. */
function moved({ latitudeE6: latitude, longitudeE6: longitude }: Point, north: number, east: number): Point {
  const turned = longitude + east;
  return {
    latitudeE6: Math.max(-90e6, Math.min(90e6, latitude + north)),
    longitudeE6: turned > 180e6 ? turned - 360e6 : turned < -180e6 ? turned + 360e6 : turned,
  };
}
const antipode = ({ latitudeE6: latitude, longitudeE6: longitude }: Point): Point =>
  moved({ latitudeE6: -latitude, longitudeE6: longitude }, 0, 180e6);
/** Some anywhere, some within about 10 m, some within about 10 m of the antipode. */
const pair = fc
  .record({
    a: point,
    b: point,
    kind: fc.constantFrom("far", "near", "opposite"),
    north: fc.integer({ min: -100, max: 100 }),
    east: fc.integer({ min: -100, max: 100 }),
  })
  .map(({ a, b, kind, north, east }): [Point, Point] => [
    a,
    kind === "far" ? b : moved(kind === "near" ? a : antipode(a), north, east),
  ]);

const RADIUS = 6_371_008.8;
const HALF_CIRCUMFERENCE = 20_015_114n;
const radians = (e6: number) => (e6 / 1e6) * (Math.PI / 180);
const asIs = (latitude: number) => latitude;
const reduced = (latitude: number) => Math.atan2(0.9966471893352525 * Math.sin(latitude), Math.cos(latitude));

/** The great-circle distance by the standard library, of latitudes as `latitudeOf` gives them. */
function greatCircle(a: Point, b: Point, latitudeOf: (latitude: number) => number): number {
  const from = latitudeOf(radians(a.latitudeE6));
  const to = latitudeOf(radians(b.latitudeE6));
  const east = radians(b.longitudeE6 - a.longitudeE6);
  // Vincenty's form for a sphere, which is exact at all distances.
  return (
    RADIUS *
    Math.atan2(
      Math.hypot(
        Math.cos(to) * Math.sin(east),
        Math.cos(from) * Math.sin(to) - Math.sin(from) * Math.cos(to) * Math.cos(east),
      ),
      Math.sin(from) * Math.sin(to) + Math.cos(from) * Math.cos(to) * Math.cos(east),
    )
  );
}

const JFK = degrees(40.639722, -73.778889);
const HONG_KONG = degrees(22.308889, 113.914722);
const LONDON = degrees(51.4775, -0.461389);
const SYDNEY = degrees(-33.946111, 151.177222);
const SANTIAGO = degrees(-33.392778, -70.785556);
const AUCKLAND = degrees(-37.008056, 174.791667);
const LISBON = degrees(38.7223, -9.1393);
const MADRID = degrees(40.4168, -3.7038);

describe("distanceMetres", () => {
  // The shortest way on the WGS84 ellipsoid by Karney's algorithm (GeographicLib 2.1).
  it.each([
    ["New York to Hong Kong", JFK, HONG_KONG, 12_990_276.371],
    ["New York to London", JFK, LONDON, 5_554_344.276],
    ["London to Sydney", LONDON, SYDNEY, 17_015_627.821],
    ["Sydney to Santiago, across the date line", SYDNEY, SANTIAGO, 11_362_632.987],
    ["Santiago to Auckland, across the date line", SANTIAGO, AUCKLAND, 9_673_712.671],
    ["Lisbon to Madrid", LISBON, MADRID, 503_412.581],
    ["1° along the equator, across the date line", degrees(0, 179.5), degrees(0, -179.5), 111_319.491],
    ["1° to the north at the equator", degrees(0, 30), degrees(1, 30), 110_574.389],
    ["1° to the north at the pole", degrees(89, 30), degrees(90, 30), 111_693.865],
    ["across the pole", degrees(60, 0), degrees(60, 180), 6_695_785.82],
    ["from pole to pole", degrees(90, 0), degrees(-90, 77), 20_003_931.459],
    ["antipodes on the equator", degrees(0, 10), degrees(0, -170), 20_003_931.459],
    ["antipodes at 45°", degrees(45, 20), degrees(-45, -160), 20_003_931.459],
    ["almost antipodes on the equator", degrees(0, 30), degrees(0, -150.5), 19_980_861.909],
    ["almost antipodes", degrees(30, 10), degrees(-29.9, -170.2), 19_989_832.828],
  ])("is within a quarter of a percent of the geodesic: %s", (_, a, b, geodesic) => {
    expect(Math.abs(Number(distanceMetres(a, b)) / geodesic - 1)).toBeLessThan(0.0025);
  });

  it("knows metres from each other", () => {
    // 3.33 m to the north by the ellipsoid, and .87 m to the east.
    expect(distanceMetres(LISBON, moved(LISBON, 30, 0))).toBe(3n);
    expect(distanceMetres(LISBON, moved(LISBON, 0, 10))).toBe(0n);
    expect(distanceMetres(LISBON, moved(LISBON, 0, 12))).toBe(1n);
  });

  it("has stayed the same to the metre", () => {
    expect(distanceMetres(JFK, HONG_KONG)).toBe(12_988_338n);
    expect(distanceMetres(LISBON, MADRID)).toBe(502_990n);
    expect(distanceMetres(LONDON, SYDNEY)).toBe(17_017_923n);
    expect(distanceMetres(SANTIAGO, AUCKLAND)).toBe(9_666_420n);
  });

  it("is what the standard library's sine, cosine and arctangent give, within a metre", () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const peer = greatCircle(a, b, reduced);
        expect(Math.abs(Number(distanceMetres(a, b)) + 0.5 - peer)).toBeLessThan(0.5 + 1e-3);
      }),
      { numRuns: 20_000 },
    );
  });

  it("is within .5 % of the plain great circle of latitudes as they are", () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const plain = greatCircle(a, b, asIs);
        expect(Math.abs(Number(distanceMetres(a, b)) - plain)).toBeLessThanOrEqual(plain * 0.005 + 1);
      }),
      { numRuns: 10_000 },
    );
  });

  it("is the same both ways, 0 to itself by any name, and at most half the circumference", () => {
    fc.assert(
      fc.property(pair, longitudeE6, ([a, b], anyLongitude) => {
        const there = distanceMetres(a, b);
        expect(distanceMetres(b, a)).toBe(there);
        expect(there).toBeLessThanOrEqual(HALF_CIRCUMFERENCE);
        expect(distanceMetres(a, a)).toBe(0n);
        const { latitudeE6: latitude } = a;
        const east = { latitudeE6: latitude, longitudeE6: 180e6 };
        expect(distanceMetres(east, { latitudeE6: latitude, longitudeE6: -180e6 })).toBe(0n);
        const pole = { latitudeE6: 90e6, longitudeE6: a.longitudeE6 };
        expect(distanceMetres(pole, { latitudeE6: 90e6, longitudeE6: anyLongitude })).toBe(0n);
      }),
    );
    expect(distanceMetres(LISBON, antipode(LISBON))).toBe(HALF_CIRCUMFERENCE);
  });

  it("is never longer than a way around, but for what is rounded down", () => {
    fc.assert(
      fc.property(pair, point, ([a, b], c) => {
        expect(distanceMetres(a, b)).toBeLessThanOrEqual(distanceMetres(a, c) + distanceMetres(c, b) + 2n);
      }),
      { numRuns: 5_000 },
    );
  });

  it("grows by the way, from place to antipode, also where it turns from one formula to the other", () => {
    for (let longitude = 0; longitude <= 179; longitude += 1) {
      const [near, far] = [degrees(0, longitude), degrees(0, longitude + 1)].map((place) =>
        distanceMetres(degrees(0, 0), place),
      );
      expect(Number(far! - near!)).toBeGreaterThanOrEqual(111_194);
      expect(Number(far! - near!)).toBeLessThanOrEqual(111_196);
    }
  });
});

describe("isKnownLocation", () => {
  it("knows every place but none, and exactly 0, 0", () => {
    expect(isKnownLocation(undefined)).toBe(false);
    expect(isKnownLocation(degrees(0, 0))).toBe(false);
    expect(isKnownLocation(degrees(0, 0.000001))).toBe(true);
    expect(isKnownLocation(degrees(-0.000001, 0))).toBe(true);
  });
});
