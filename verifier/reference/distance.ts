/** In millionths of a degree. */
interface Point {
  readonly latitudeE6: number;
  readonly longitudeE6: number;
}

/** Sine and cosine of a reduced latitude. */
type Level = readonly [sine: number, cosine: number];

const RIGHT_ANGLE = 90e6;
const AXES = 0.9966471893352525;
/** 8 radii, and π radii, of the sphere. */
const [METRES_PER_EIGHTH, METRES_TO_ANTIPODE] = [50968070.4, 20015114.442035925];

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
const terms = (count: number, term: (n: number) => number): number[] =>
  Array.from({ length: count }, (_, n) => term(n));
// Highest power first. Each is one division of two whole numbers that doubles hold exactly.
const SINE_TERMS = terms(10, (n) => (n % 2 === 0 ? 1 : -1) / factorial(2 * n + 1)).toReversed();
const ARCSINE_TERMS = terms(
  7,
  (n) => factorial(2 * n) / ((1 << (2 * n)) * factorial(n) * factorial(n) * (2 * n + 1)),
).toReversed();

const odd = (x: number, series: readonly number[]): number => x * series.reduce((inner, term) => term + x * x * inner);
const sin = (millionths: number): number => odd(millionths * 1.7453292519943295e-8, SINE_TERMS);
const square = (x: number): number => x * x;

/** The distance as `docs/features.md` defines it, and written from that alone. */
export function metresBetween(a: Point, b: Point): bigint {
  const [one, other] = [levelOf(a), levelOf(b)];
  const difference = Math.abs(b.longitudeE6 - a.longitudeE6) / 2;
  const h = difference > RIGHT_ANGLE ? 2 * RIGHT_ANGLE - difference : difference;
  const k = spread(one, other, sin(h));
  return k > 0.5
    ? BigInt(Math.floor(METRES_TO_ANTIPODE - along(spread([-one[0], one[1]], other, sin(RIGHT_ANGLE - h)))))
    : BigInt(Math.floor(along(k)));
}

function levelOf({ latitudeE6 }: Point): Level {
  const s = AXES * sin(latitudeE6);
  const c = sin(RIGHT_ANGLE - Math.abs(latitudeE6));
  const n = Math.sqrt(square(s) + square(c));
  return [s / n, c / n];
}

const spread = ([s1, c1]: Level, [s2, c2]: Level, w: number): number =>
  (square(s2 - s1) + square(c2 - c1)) / 4 + c1 * c2 * square(w);

function along(k: number): number {
  let x = Math.sqrt(k);
  for (let times = 0; times < 2; times++) x /= Math.sqrt(2 + 2 * Math.sqrt(1 - square(x)));
  return odd(x, ARCSINE_TERMS) * METRES_PER_EIGHTH;
}

/** What versions up to 4 took for the distance: a flat map, whose scale is that of the latitude in the middle. */
export function metresBetweenUntil4(a: Point, b: Point): bigint {
  const half = 180_000_000;
  const north = b.latitudeE6 - a.latitudeE6;
  const direct = b.longitudeE6 - a.longitudeE6;
  const east = direct > half ? direct - 2 * half : direct < -half ? direct + 2 * half : direct;
  const middle = square((a.latitudeE6 + b.latitudeE6) * 8.726646259971647e-9);
  const cosine = terms(7, (n) => (n % 2 === 0 ? 1 : -1) / factorial(2 * n)).reduceRight(
    (inner, term) => term + middle * inner,
  );
  const x = east * cosine;
  return BigInt(Math.floor(Math.sqrt(x * x + north * north) * 0.11119508023));
}
