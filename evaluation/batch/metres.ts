import type { Place } from "../../ingress-generator/handbook/data-set.js";

const MEAN_RADIUS = 6_371_008.8;
/** WGS84's polar radius by its equatorial one. */
const AXES = 0.9966471893352525;
const RADIANS_PER_E6 = Math.PI / 180e6;

type Vector = readonly [x: number, y: number, z: number];

/**
 * Whole metres, rounded down, along the great circle that docs/features.md defines: by the angle between two vectors,
 * from cross and dot product, where the running functions have a haversine. Off by less than a millionth of a metre,
 * so that in about one of a million pairs both might round to either side.
 */
export function metres(a: Place, b: Place): number {
  const [p, q] = [vectorOf(a), vectorOf(b)];
  const cross: Vector = [p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]];
  const dot = p[0] * q[0] + p[1] * q[1] + p[2] * q[2];
  return Math.floor(MEAN_RADIUS * Math.atan2(Math.hypot(...cross), dot));
}

/** Of length 1, to the reduced latitude. */
function vectorOf({ latitudeE6, longitudeE6 }: Place): Vector {
  const reduced = Math.atan(AXES * Math.tan(latitudeE6 * RADIANS_PER_E6));
  const longitude = longitudeE6 * RADIANS_PER_E6;
  const out = Math.cos(reduced);
  return [out * Math.cos(longitude), out * Math.sin(longitude), Math.sin(reduced)];
}
