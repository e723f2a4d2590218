import type { AccountFeatures } from "../../protos/gen/fraud/v1/decision.js";
import type { Location } from "../../protos/gen/fraud/v1/transaction.js";
import { metresBetween } from "./distance.js";
import { DAYS, greatest, isGenuine, type Remembered, total, type Whereabouts } from "./learned.js";
import type { LogicSettings } from "./settings.js";

/** What of the evidence the features of places are made of. */
export type Journey = Pick<AccountFeatures, "merchantVisits" | "travelSpeedKmh">;

/** The usual place, and those that left: written from `docs/features.md` alone. */
export class PlacesReference {
  #left: (readonly [bigint, bigint])[] = [];

  /** Features of a transaction, what to remember of it, and whether something of its week is not known. */
  look(
    { location, now }: { location: Location | undefined; now: bigint },
    { merchantVisits, travelSpeedKmh }: Journey,
    past: readonly Remembered[],
    settings: LogicSettings,
  ): { readonly features: Partial<AccountFeatures>; readonly here: Whereabouts; readonly lacks: boolean } {
    const place =
      location === undefined || (location.latitudeE6 === 0 && location.longitudeE6 === 0)
        ? undefined
        : ([BigInt(location.latitudeE6), BigInt(location.longitudeE6)] as const);
    const genuine = past.filter((one) => isGenuine(one, now, settings)).map(({ where }) => where?.place);
    const usual = middleOf([...this.#left, ...genuine.filter((one) => one !== undefined)]);
    const away = place && usual && metresBetween(pointOf(place), pointOf(usual));
    const here: Whereabouts = {
      place,
      unvisited: merchantVisits === 0,
      far: (away ?? 0n) > 100_000n,
      speed: travelSpeedKmh,
    };
    const week = past.filter(({ time }) => now - time < 7n * DAYS).map(({ where }) => where);
    const all = [here, ...week];
    return {
      features: {
        onWeb: Number(place === undefined),
        usualDistanceM: away,
        newMerchants7d: all.filter((one) => one?.unvisited).length,
        newWeb7d: all.filter((one) => one?.unvisited && one.place === undefined).length,
        far7d: all.filter((one) => one?.far).length,
        fastest7dKmh: greatest(all.map((one) => one?.speed).filter((speed) => speed !== undefined)),
      },
      here,
      lacks: week.some((one) => one === undefined),
    };
  }

  /** One that is no longer remembered by itself, and never was known for fraud. */
  leave({ where }: Remembered): void {
    if (where?.place !== undefined) this.#left = [...this.#left, where.place];
  }
}

/** The mean, to the nearest millionth; halves go up. */
function middleOf(places: readonly (readonly [bigint, bigint])[]): readonly [bigint, bigint] | undefined {
  const count = BigInt(places.length);
  if (count === 0n) return undefined;
  const mean = (values: readonly bigint[]): bigint => {
    // From here on nothing is negative: 180° more, of each.
    const raised = total(values.map((value) => value + 180_000_000n));
    return (2n * raised + count) / (2n * count) - 180_000_000n;
  };
  return [mean(places.map(([latitude]) => latitude)), mean(places.map(([, longitude]) => longitude))];
}

const pointOf = ([latitude, longitude]: readonly [bigint, bigint]) => ({
  latitudeE6: Number(latitude),
  longitudeE6: Number(longitude),
});
