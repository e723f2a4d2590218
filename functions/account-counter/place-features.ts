import type { AccountFeatures } from "../../protos/gen/fraud/v1/decision.js";
import type { AccountPast } from "../../protos/gen/fraud/v1/internal.js";
import type { Location } from "../../protos/gen/fraud/v1/transaction.js";
import { distanceMetres, isKnownLocation } from "../distance.js";
import type { PastEvent } from "../learned/event-ring.js";
import { DAY_MS, knownLabel } from "../learned/known.js";
import type { SeenPlace } from "../learned/seen-places.js";

/** What is farther from the usual place than this is far. */
const FAR_METRES = 100_000n;

/** What tells of places and of what is new. */
type PlaceFeatures = Pick<
  AccountFeatures,
  "onWeb" | "usualDistanceM" | "newMerchants7d" | "newWeb7d" | "far7d" | "fastest7dKmh"
>;

interface Places {
  readonly features: PlaceFeatures;
  /** To keep with the transaction. */
  readonly seen: SeenPlace;
  /** Nobody looked at the place of one of seven days. */
  readonly incomplete: boolean;
}

/**
 * The learned features of places of a transaction at this time, as docs/features.md defines them.
 *
 * @param visits - how often the account had been at its merchant
 * @param speedKmh - needed from the place before, if there was a journey
 */
export function placeFeatures(
  at: number,
  { location, visits, speedKmh }: { location: Location | undefined; visits: number; speedKmh: bigint | undefined },
  { past, events, delayMs }: { past: AccountPast; events: readonly PastEvent[]; delayMs: number },
): Places {
  const place = isKnownLocation(location)
    ? { latitudeE6: location.latitudeE6, longitudeE6: location.longitudeE6 }
    : undefined;
  const week: (SeenPlace | undefined)[] = [];
  let genuine = 0;
  // Of at most 1,024 places: exact.
  let latitudes = 0;
  let longitudes = 0;
  for (const event of events) {
    if (event.time > at) break;
    if (event.time > at - 7 * DAY_MS) week.push(event.seen);
    const there = event.seen?.place;
    if (there === undefined || knownLabel(event, at, delayMs) !== "genuine") continue;
    genuine++;
    latitudes += there.latitudeE6;
    longitudes += there.longitudeE6;
  }
  const located = past.locatedCount + BigInt(genuine);
  const usualDistanceM =
    place === undefined || located === 0n
      ? undefined
      : distanceMetres(place, {
          latitudeE6: mean(past.latitudesE6 + BigInt(latitudes), located),
          longitudeE6: mean(past.longitudesE6 + BigInt(longitudes), located),
        });
  const seen: SeenPlace = {
    isNew: visits === 0,
    place,
    isFar: usualDistanceM !== undefined && usualDistanceM > FAR_METRES,
    speedKmh: speedKmh === undefined ? undefined : Number(speedKmh),
  };
  const looked = [...week.filter((one) => one !== undefined), seen];
  const count = (wanted: (one: SeenPlace) => boolean): number => looked.filter(wanted).length;
  const fastest = Math.max(...looked.map((one) => one.speedKmh ?? -1));
  return {
    features: {
      onWeb: place === undefined ? 1 : 0,
      usualDistanceM,
      newMerchants7d: count(({ isNew }) => isNew),
      newWeb7d: count((one) => one.isNew && one.place === undefined),
      far7d: count(({ isFar }) => isFar),
      fastest7dKmh: fastest < 0 ? undefined : BigInt(fastest),
    },
    seen,
    incomplete: week.includes(undefined),
  };
}

/** The whole number that is nearest to a mean; of two, the greater one. */
function mean(sum: bigint, count: bigint): number {
  const above = 2n * sum + count;
  const rest = above % (2n * count);
  const down = (above - rest) / (2n * count);
  return Number(rest < 0n ? down - 1n : down);
}
