import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";

import type { SeenPlace } from "./seen-places.js";
import { unzigzag, VarintReader, VarintWriter, zigzag } from "./varints.js";

const HASH_BYTES = 4;
/** At most 8 groups of 7 bits for each of three numbers below 2^53. */
const MAX_EVENT_BYTES = HASH_BYTES + 3 * 8;

/** What learned features keep of a transaction. */
export interface PastEvent {
  /** Event time in ms. */
  readonly time: number;
  /** At an account the amount, at a merchant its ratio; whole, from 0 to 2^53 − 1. */
  readonly value: number;
  /** See {@link eventHash}. */
  readonly hash: number;
  /** From when on, in event time, a verdict "fraud" counts; 0: there is none. */
  fraudFrom: number;
  /** What was found of its place; `undefined`: nobody looked. */
  seen?: SeenPlace | undefined;
}

/** What a transaction is found by: 4 bytes of SHA-256 of these ids, with a zero byte between two. */
export function eventHash(...ids: readonly string[]): number {
  const [a, b, c, d] = sha256(utf8ToBytes(ids.join("\0"))) as unknown as [number, number, number, number];
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

/**
 * Adds an event where it belongs: in the order of time, of equal times in that of hashes, behind what equals it.
 * Changes `events`.
 *
 * @param keep - how many stay at most
 * @returns those that left, which are the first ones
 */
export function addEvent(events: PastEvent[], event: PastEvent, keep: number): PastEvent[] {
  let at = events.length;
  // From the end: what comes is nearly always the newest.
  while (at > 0 && isBefore(event, events[at - 1]!)) at--;
  events.splice(at, 0, event);
  return events.splice(0, Math.max(0, events.length - keep));
}

/** Sets from when on a verdict "fraud" counts (0: it no longer does) of the events with this hash. Changes `events`. */
export function markFraud(events: readonly PastEvent[], hash: number, fraudFrom: number): void {
  for (const event of events) if (event.hash === hash) event.fraudFrom = fraudFrom;
}

const isBefore = (one: PastEvent, other: PastEvent): boolean =>
  one.time < other.time || (one.time === other.time && one.hash < other.hash);

/**
 * Events as state keeps them, about 12 bytes each. Of each: the hash (big endian), then as varints the time since the
 * event before (of the first: since 1970), the value, and 0 without a verdict "fraud", else 1 more than the zigzag of
 * the time from the event to where the verdict counts. What was seen of its place is not among it.
 */
export function encodeEvents(events: readonly PastEvent[]): Buffer {
  const bytes = new VarintWriter(events.length * MAX_EVENT_BYTES);
  let before = 0;
  for (const { time, value, hash, fraudFrom } of events) {
    bytes.putUint32(hash);
    bytes.put(time - before);
    bytes.put(value);
    bytes.put(fraudFrom === 0 ? 0 : 1 + zigzag(fraudFrom - time));
    before = time;
  }
  return bytes.written();
}

/** What {@link encodeEvents} made bytes of. */
export function decodeEvents(encoded: Buffer): PastEvent[] {
  const events: PastEvent[] = [];
  const bytes = new VarintReader(encoded);
  let time = 0;
  while (!bytes.isAtEnd) {
    const hash = bytes.takeUint32();
    time += bytes.take();
    const value = bytes.take();
    const fraud = bytes.take();
    events.push({ time, value, hash, fraudFrom: fraud === 0 ? 0 : time + unzigzag(fraud - 1) });
  }
  return events;
}
