import { describe, expect, it } from "vitest";

import { AccountState } from "../../protos/gen/fraud/v1/internal.js";
import type { Location } from "../../protos/gen/fraud/v1/transaction.js";
import { parseSettings } from "../settings.js";
import { sampleTransaction, START_MS } from "../testing/samples.js";
import { countTransaction } from "./features.js";

const HOUR_MS = 3_600_000n;
const LISBON = { latitudeE6: 38_722_300, longitudeE6: -9_139_300, name: "Lisbon" };
const MADRID = { latitudeE6: 40_416_800, longitudeE6: -3_703_800, name: "Madrid" };
const NEW_YORK = { latitudeE6: 40_639_722, longitudeE6: -73_778_889, name: "JFK" };
const HONG_KONG = { latitudeE6: 22_308_889, longitudeE6: 113_914_722, name: "HKG" };
const NULL_ISLAND = { latitudeE6: 0, longitudeE6: 0, name: "Corner shop" };
const NONE = { travelDistanceM: undefined, travelElapsedMs: undefined, travelSpeedKmh: undefined };

/** The journeys of transactions so many hours after the first. */
function journeys(
  transactions: readonly (readonly [hours: bigint, location: Location | undefined])[],
  state = AccountState.fromPartial({}),
) {
  return transactions.map(([hours, location]) => {
    const eventTimeMs = START_MS + hours * HOUR_MS;
    const { travelDistanceM, travelElapsedMs, travelSpeedKmh } = countTransaction(
      state,
      sampleTransaction({ location, eventTimeMs }),
      parseSettings({}).account,
    );
    return { travelDistanceM, travelElapsedMs, travelSpeedKmh };
  });
}

describe("a journey", () => {
  it("is the great circle from the place seen last, so that who flies to Hong Kong in 16 hours is no suspect", () => {
    const [first, flight] = journeys([
      [0n, NEW_YORK],
      [16n, HONG_KONG],
    ]);
    expect(first).toEqual(NONE);
    expect(flight).toEqual({ travelDistanceM: 12_988_338n, travelElapsedMs: 16n * HOUR_MS, travelSpeedKmh: 811n });
  });

  it.each([
    ["exactly 0, 0", NULL_ISLAND],
    ["none", undefined],
  ])("neither goes to a place that is %s, nor begins there", (_, unknown) => {
    expect(
      journeys([
        [0n, unknown],
        [1n, LISBON],
        [2n, unknown],
        [3n, MADRID],
        [4n, unknown],
      ]),
    ).toEqual([
      NONE,
      NONE,
      NONE,
      { travelDistanceM: 502_990n, travelElapsedMs: 2n * HOUR_MS, travelSpeedKmh: 251n },
      NONE,
    ]);
  });

  it("goes to places beside 0, 0, and along the equator and the first meridian", () => {
    const [, toTheSouth, home] = journeys([
      [0n, { latitudeE6: 0, longitudeE6: 1, name: "" }],
      [1n, { latitudeE6: -1_000_000, longitudeE6: 0, name: "" }],
      [2n, { latitudeE6: 0, longitudeE6: 1_000_000, name: "" }],
    ]);
    expect(toTheSouth!.travelDistanceM).toBe(110_822n);
    expect(home!.travelDistanceM).toBe(156_986n);
  });

  it("does not begin at 0, 0 either where an earlier version has stored that", () => {
    const stored = AccountState.fromPartial({ lastSeen: { eventTimeMs: START_MS, latitudeE6: 0, longitudeE6: 0 } });
    expect(
      journeys(
        [
          [1n, LISBON],
          [2n, MADRID],
        ],
        stored,
      ),
    ).toEqual([NONE, { travelDistanceM: 502_990n, travelElapsedMs: HOUR_MS, travelSpeedKmh: 502n }]);
  });
});
