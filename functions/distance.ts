/** Metres per millionth of a degree on a sphere of 6,371,008.8 m radius. */
const METRES_PER_E6 = 0.11119508023;
/** Radians per millionth of a degree, halved: turns the sum of two latitudes into their mean. */
const MEAN_RADIANS_PER_E6 = 8.726646259971647e-9;

export interface Point {
  /** Millionths of a degree. */
  readonly latitudeE6: number;
  readonly longitudeE6: number;
}

/**
 * The equirectangular distance between two points in whole metres, rounded down.
 *
 * Only + - * / and square root, which IEEE 754 defines to the last bit, in the order that docs/features.md gives:
 * any language computes the same. The cosine is its Taylor polynomial of degree 12 (error below 1e-7 up to 90°).
 */
export function distanceMetres(a: Point, b: Point): bigint {
  const north = b.latitudeE6 - a.latitudeE6;
  let east = b.longitudeE6 - a.longitudeE6;
  if (east > 180_000_000) east -= 360_000_000;
  if (east < -180_000_000) east += 360_000_000;
  const mean = (a.latitudeE6 + b.latitudeE6) * MEAN_RADIANS_PER_E6;
  const x = east * cosine(mean);
  return BigInt(Math.floor(Math.sqrt(x * x + north * north) * METRES_PER_E6));
}

function cosine(radians: number): number {
  const q = radians * radians;
  return 1 + q * (-1 / 2 + q * (1 / 24 + q * (-1 / 720 + q * (1 / 40320 + q * (-1 / 3628800 + q * (1 / 479001600))))));
}
