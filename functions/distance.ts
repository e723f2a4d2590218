/** Radians per millionth of a degree. */
const RADIANS_PER_E6 = 1.7453292519943295e-8;
/** WGS84's polar radius by its equatorial one. */
const ONE_MINUS_FLATTENING = 0.9966471893352525;
/** Eight times the Earth's mean radius of 6,371,008.8 m. */
const EIGHT_RADII = 50_968_070.4;
const HALF_CIRCUMFERENCE = 20_015_114.442035925;
/** Of the Taylor polynomials of sin(x) / x and asin(x) / x in x², from the constant term up. */
const SINE = [
  1,
  -1 / 6,
  1 / 120,
  -1 / 5040,
  1 / 362880,
  -1 / 39916800,
  1 / 6227020800,
  -1 / 1307674368000,
  1 / 355687428096000,
  -1 / 121645100408832000,
];
const ARCSINE = [1, 1 / 6, 3 / 40, 5 / 112, 35 / 1152, 63 / 2816, 231 / 13312];
const QUARTER_TURN_E6 = 90_000_000;
const HALF_TURN_E6 = 180_000_000;

export interface Point {
  /** Millionths of a degree. */
  readonly latitudeE6: number;
  readonly longitudeE6: number;
}

/** Whether it says where the card was used: a device that does not know sends nothing, or exactly 0, 0. */
export const isKnownLocation = <P extends Point>(location: P | undefined): location is P =>
  location !== undefined && (location.latitudeE6 !== 0 || location.longitudeE6 !== 0);

/**
 * The great-circle distance between two points in whole metres, rounded down; within .23 % of the shortest way on the
 * WGS84 ellipsoid.
 *
 * Only + - * / and square root, which IEEE 754 defines to the last bit, in the order that docs/features.md gives: any
 * language computes the same.
 */
export function distanceMetres(a: Point, b: Point): bigint {
  const from = reduced(a.latitudeE6);
  const to = reduced(b.latitudeE6);
  let half = Math.abs(b.longitudeE6 - a.longitudeE6) / 2;
  if (half > QUARTER_TURN_E6) half = HALF_TURN_E6 - half;
  const near = halfSineSquared(to.sine - from.sine, from.cosine, to.cosine, sine(half));
  if (near <= 0.5) return BigInt(Math.floor(arc(near)));
  // Beyond a quarter of the circumference: what is missing to the antipode.
  const rest = halfSineSquared(to.sine + from.sine, from.cosine, to.cosine, sine(QUARTER_TURN_E6 - half));
  return BigInt(Math.floor(HALF_CIRCUMFERENCE - arc(rest)));
}

/** Sine and cosine of the ellipsoid's reduced latitude. */
function reduced(latitudeE6: number): { sine: number; cosine: number } {
  const up = ONE_MINUS_FLATTENING * sine(latitudeE6);
  const out = sine(QUARTER_TURN_E6 - Math.abs(latitudeE6));
  const length = Math.sqrt(up * up + out * out);
  return { sine: up / length, cosine: out / length };
}

/** The haversine of the angle between two points: a quarter of their chord's square. */
function halfSineSquared(up: number, cosineA: number, cosineB: number, halfEast: number): number {
  const out = cosineB - cosineA;
  return (up * up + out * out) / 4 + cosineA * cosineB * (halfEast * halfEast);
}

/** The distance in metres whose haversine this is, up to 0.5: by the arcsine of an eighth of the angle. */
function arc(haversine: number): number {
  const x = halved(halved(Math.sqrt(haversine)));
  return x * polynomial(ARCSINE, x * x) * EIGHT_RADII;
}

/** The sine of half the angle whose sine this is. */
const halved = (sineOfAngle: number): number =>
  sineOfAngle / Math.sqrt(2 + 2 * Math.sqrt(1 - sineOfAngle * sineOfAngle));

/** The sine of an angle of at most 90°. */
function sine(angleE6: number): number {
  const x = angleE6 * RADIANS_PER_E6;
  return x * polynomial(SINE, x * x);
}

/** By Horner's scheme, from the innermost term outwards. */
function polynomial(coefficients: readonly number[], q: number): number {
  let sum = 0;
  for (let n = coefficients.length - 1; n >= 0; n--) sum = coefficients[n]! + q * sum;
  return sum;
}
