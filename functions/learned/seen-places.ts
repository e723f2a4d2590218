import type { Point } from "../distance.js";
import { unzigzag, VarintReader, VarintWriter, zigzag } from "./varints.js";

/** What is kept of where a transaction was, as it was found when it was evaluated. */
export interface SeenPlace {
  /** The account had not been at its merchant. */
  readonly isNew: boolean;
  /** `undefined`: on the web. */
  readonly place: Point | undefined;
  /** From the usual place as of then. */
  readonly isFar: boolean;
  /** Needed from the place before; `undefined`: there was no journey. */
  readonly speedKmh: number | undefined;
}

/** An event, as far as its place goes. */
interface Looked {
  seen?: SeenPlace | undefined;
}

/** Flags, a speed, and two differences of degrees. */
const MAX_SEEN_BYTES = 1 + 8 + 2 * 5;
const SEEN = 1;
const NEW = 2;
const LOCATED = 4;
const FAR = 8;
const TRAVELLED = 16;

/**
 * What was seen of each of these events, in their order; at most 9 bytes each for an account that stays within a
 * degree. A byte of flags (0: nobody looked), then as varints the speed if there was a journey, and of a place the
 * zigzags of its latitude and longitude less those of the place before it (of the first: of 0, 0).
 */
export function encodeSeen(events: readonly Looked[]): Buffer {
  const bytes = new VarintWriter(events.length * MAX_SEEN_BYTES);
  let before: Point = { latitudeE6: 0, longitudeE6: 0 };
  for (const { seen } of events) {
    if (seen === undefined) {
      bytes.put(0);
      continue;
    }
    const { isNew, place, isFar, speedKmh } = seen;
    bytes.put(
      SEEN +
        (isNew ? NEW : 0) +
        (place === undefined ? 0 : LOCATED) +
        (isFar ? FAR : 0) +
        (speedKmh === undefined ? 0 : TRAVELLED),
    );
    if (speedKmh !== undefined) bytes.put(speedKmh);
    if (place === undefined) continue;
    bytes.put(zigzag(place.latitudeE6 - before.latitudeE6));
    bytes.put(zigzag(place.longitudeE6 - before.longitudeE6));
    before = place;
  }
  return bytes.written();
}

/** Gives events, in their order, what {@link encodeSeen} made bytes of; nothing where there are no bytes. */
export function decodeSeen(encoded: Buffer, events: readonly Looked[]): void {
  const bytes = new VarintReader(encoded);
  let before: Point = { latitudeE6: 0, longitudeE6: 0 };
  for (const event of events) {
    if (bytes.isAtEnd) return;
    const flags = bytes.take();
    if (flags === 0) continue;
    const speedKmh = (flags & TRAVELLED) === 0 ? undefined : bytes.take();
    let place: Point | undefined;
    if ((flags & LOCATED) !== 0)
      before = place = {
        latitudeE6: before.latitudeE6 + unzigzag(bytes.take()),
        longitudeE6: before.longitudeE6 + unzigzag(bytes.take()),
      };
    event.seen = { isNew: (flags & NEW) !== 0, place, isFar: (flags & FAR) !== 0, speedKmh };
  }
}
