import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

import { skimIdentity, skimTransaction } from "../../dashboards/live/skim.js";
import { quantile } from "../../contract/quantile.js";
import type { Load } from "./load.js";
import { numberOf } from "./transactions.js";

/** Half, and 99 of 100, took no longer, in ms. */
export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

/** The parts of a decision's way, in their order. */
export const HOPS = ["admitted", "counted", "merchant", "scored", "visible", "committed"] as const;
export type Hop = (typeof HOPS)[number];

/** What each hop is, for people. */
export const HOP_TEXTS: Readonly<Record<Hop, string>> = {
  admitted: "from when it was due, through the intake's Kafka door, until a reader of transactions.valid has it",
  counted:
    "through Kafka and the ingress to the first function; from when it was due where the load goes past the intake",
  merchant: "to the merchant's function",
  scored: "to the score",
  visible: "through the egress, to whoever reads without waiting for the checkpoint",
  committed: "to whoever reads what is committed",
};

/** How long transactions took. */
export interface LatencyFigures {
  readonly decisions: number;
  /** From when it was due until a reader of uncommitted records has its decision. */
  readonly firstVisibleMs: Quantiles;
  /** Until a reader of committed ones has it. */
  readonly committedMs: Quantiles;
  /** Of that, by hop; without `admitted` where the load goes past the intake. */
  readonly hopsMs: Readonly<Partial<Record<Hop, Quantiles>>>;
}

/** When a transaction was where, in ms since 1970. */
interface Way {
  readonly dueAtMs: number;
  admittedAtMs?: number;
  seen?: Times & { readonly visibleAtMs: number };
  committedAtMs?: number;
}

/** Follows transactions by hop, those that were due within a time, each once. */
export class HopMeter {
  readonly #load: Pick<Load, "dueAtMs">;
  readonly #fromMs: number;
  #untilMs = Infinity;
  readonly #ways = new Map<number, Way>();

  /** @param fromMs - transactions that were due before do not count */
  constructor(load: Pick<Load, "dueAtMs">, fromMs: number) {
    this.#load = load;
    this.#fromMs = fromMs;
  }

  /** Transactions that are due from then on do not count. */
  end(untilMs: number): void {
    this.#untilMs = untilMs;
  }

  /** A record of `transactions.valid`. Its timestamp is that of the record that the intake read. */
  onAdmitted(record: Buffer, arrivedAtMs: number): void {
    const way = this.#wayOf(skimTransaction(record).transactionId);
    if (way !== undefined) way.admittedAtMs ??= arrivedAtMs;
  }

  /** A decision that may not be committed yet. */
  onVisible(record: Buffer, arrivedAtMs: number): void {
    const way = this.#wayOf(skimIdentity(record).transactionId);
    if (way !== undefined) way.seen ??= { ...timingOf(record), visibleAtMs: arrivedAtMs };
  }

  /** A committed decision. */
  onCommitted(record: Buffer, arrivedAtMs: number): void {
    const way = this.#wayOf(skimIdentity(record).transactionId);
    if (way !== undefined) way.committedAtMs ??= arrivedAtMs;
  }

  /** `undefined` when no decision was seen. */
  figures(): LatencyFigures | undefined {
    const hops: Record<Hop, number[]> = {
      admitted: [],
      counted: [],
      merchant: [],
      scored: [],
      visible: [],
      committed: [],
    };
    const [firstVisible, committed]: [number[], number[]] = [[], []];
    for (const { dueAtMs, admittedAtMs, seen, committedAtMs } of this.#ways.values()) {
      if (dueAtMs >= this.#untilMs) continue;
      if (committedAtMs !== undefined) committed.push(committedAtMs - dueAtMs);
      if (seen === undefined) continue;
      if (admittedAtMs !== undefined) hops.admitted.push(admittedAtMs - dueAtMs);
      hops.counted.push(seen.countedAtMs - (admittedAtMs ?? dueAtMs));
      hops.merchant.push(seen.merchantAtMs - seen.countedAtMs);
      hops.scored.push(seen.scoredAtMs - seen.merchantAtMs);
      hops.visible.push(seen.visibleAtMs - seen.scoredAtMs);
      firstVisible.push(seen.visibleAtMs - dueAtMs);
      if (committedAtMs !== undefined) hops.committed.push(committedAtMs - seen.visibleAtMs);
    }
    if (committed.length === 0 || firstVisible.length === 0) return undefined;
    return {
      decisions: committed.length,
      firstVisibleMs: quantilesOf(firstVisible),
      committedMs: quantilesOf(committed),
      hopsMs: Object.fromEntries(
        HOPS.filter((hop) => hops[hop].length > 0).map((hop) => [hop, quantilesOf(hops[hop])]),
      ),
    };
  }

  /** What is known of a transaction that is wanted. */
  #wayOf(transactionId: string): Way | undefined {
    const n = numberOf(transactionId);
    if (n === undefined) return undefined;
    const known = this.#ways.get(n);
    if (known !== undefined) return known;
    const dueAtMs = this.#load.dueAtMs(n);
    if (!(dueAtMs >= this.#fromMs && dueAtMs < this.#untilMs)) return undefined;
    const way: Way = { dueAtMs };
    this.#ways.set(n, way);
    return way;
  }
}

const quantilesOf = (values: readonly number[]): Quantiles => ({
  p50: Math.round(quantile(values, 0.5) ?? 0),
  p99: Math.round(quantile(values, 0.99) ?? 0),
});

/** When the functions had a decision's transaction, in ms since 1970. */
export interface Times {
  readonly countedAtMs: number;
  readonly merchantAtMs: number;
  readonly scoredAtMs: number;
}

/** Reads the times of a record of `decisions`, without decoding the rest. */
export function timingOf(record: Uint8Array): Times {
  // Of the Any its value, of the decision its timing.
  const timing = bytesOf(bytesOf(record, 2), 2);
  const times = [0, 0, 0];
  const reader = new BinaryReader(timing);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (wireType === WireType.Varint && number >= 1 && number <= 3) times[number - 1] = Number(reader.int64());
    else reader.skip(wireType, number);
  }
  return { countedAtMs: times[0]!, merchantAtMs: times[1]!, scoredAtMs: times[2]! };
}

function bytesOf(bytes: Uint8Array, wanted: number): Uint8Array {
  let found = bytes.subarray(0, 0);
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === wanted && wireType === WireType.LengthDelimited) found = reader.bytes();
    else reader.skip(wireType, number);
  }
  return found;
}
