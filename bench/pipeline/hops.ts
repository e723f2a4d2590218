import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

import { skimIdentity } from "../../dashboards/live/skim.js";
import { quantile } from "../../contract/quantile.js";
import type { Load } from "./load.js";
import { numberOf } from "./transactions.js";

/** Half, and 99 of 100, took no longer, in ms. */
export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

/** The parts of a decision's way, in their order. */
export const HOPS = ["counted", "merchant", "scored", "visible", "committed"] as const;
export type Hop = (typeof HOPS)[number];

/** What each hop is, for people. */
export const HOP_TEXTS: Readonly<Record<Hop, string>> = {
  counted: "from when it was due, through Kafka and the ingress, to the first function",
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
  /** Of that, by hop. */
  readonly hopsMs: Readonly<Record<Hop, Quantiles>>;
}

/** Follows transactions by hop, those that were due within a time, each once. */
export class HopMeter {
  readonly #load: Pick<Load, "dueAtMs">;
  readonly #fromMs: number;
  #untilMs = Infinity;
  readonly #visibleAt = new Map<number, number>();
  readonly #hops: Record<Hop, number[]> = { counted: [], merchant: [], scored: [], visible: [], committed: [] };
  readonly #firstVisible: number[] = [];
  readonly #committed: number[] = [];

  /** @param fromMs - transactions that were due before do not count */
  constructor(load: Pick<Load, "dueAtMs">, fromMs: number) {
    this.#load = load;
    this.#fromMs = fromMs;
  }

  /** Transactions that are due from then on do not count. */
  end(untilMs: number): void {
    this.#untilMs = untilMs;
  }

  /** A decision that may not be committed yet. */
  onVisible(record: Buffer, arrivedAtMs: number): void {
    const found = this.#wanted(record);
    if (found === undefined || this.#visibleAt.has(found.n)) return;
    this.#visibleAt.set(found.n, arrivedAtMs);
    const { countedAtMs, merchantAtMs, scoredAtMs } = timingOf(record);
    this.#hops.counted.push(countedAtMs - found.dueAtMs);
    this.#hops.merchant.push(merchantAtMs - countedAtMs);
    this.#hops.scored.push(scoredAtMs - merchantAtMs);
    this.#hops.visible.push(arrivedAtMs - scoredAtMs);
    this.#firstVisible.push(arrivedAtMs - found.dueAtMs);
  }

  /** A committed decision. */
  onCommitted(record: Buffer, arrivedAtMs: number): void {
    const found = this.#wanted(record);
    if (found === undefined) return;
    this.#committed.push(arrivedAtMs - found.dueAtMs);
    const visibleAt = this.#visibleAt.get(found.n);
    if (visibleAt !== undefined) this.#hops.committed.push(arrivedAtMs - visibleAt);
  }

  /** `undefined` when no decision was seen. */
  figures(): LatencyFigures | undefined {
    if (this.#committed.length === 0 || this.#firstVisible.length === 0) return undefined;
    return {
      decisions: this.#committed.length,
      firstVisibleMs: quantilesOf(this.#firstVisible),
      committedMs: quantilesOf(this.#committed),
      hopsMs: Object.fromEntries(HOPS.map((hop) => [hop, quantilesOf(this.#hops[hop])])) as Record<Hop, Quantiles>,
    };
  }

  #wanted(record: Buffer): { readonly n: number; readonly dueAtMs: number } | undefined {
    const n = numberOf(skimIdentity(record).transactionId);
    if (n === undefined) return undefined;
    const dueAtMs = this.#load.dueAtMs(n);
    return dueAtMs >= this.#fromMs && dueAtMs < this.#untilMs ? { n, dueAtMs } : undefined;
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
