import { createHash } from "node:crypto";

import type { LogicSettings } from "./settings.js";

export const DAYS = 86_400_000n;
/** 1,000 days in seconds: the age of what never was. */
export const NEVER = 86_400_000n;
const MAX_SAFE = 2n ** 53n - 1n;

/** What is remembered of a transaction's place. */
export interface Whereabouts {
  /** Millionths of degrees; `undefined`: on the web. */
  readonly place: readonly [latitude: bigint, longitude: bigint] | undefined;
  readonly unvisited: boolean;
  readonly far: boolean;
  readonly speed: bigint | undefined;
}

/** A transaction as an address remembers it one by one. */
export interface Remembered {
  readonly time: bigint;
  /** Its amount, or its ratio. */
  readonly value: bigint;
  readonly hash: string;
  /** From when on it counts as fraud. */
  readonly fraudFrom: bigint | undefined;
  /** `undefined`: places are, or were, off. */
  readonly where?: Whereabouts | undefined;
}

/** The remembered transactions of an address: sorted, and as many as the settings say. */
export class Memory {
  #all: readonly Remembered[] = [];
  /** The greatest time among those that were pushed out, or came before anything was remembered. */
  #pushedOut: bigint;

  /** @param latest - the address' greatest event time so far; 0: it has none */
  constructor(latest: bigint) {
    this.#pushedOut = latest;
  }

  /** @returns those pushed out, first the oldest */
  add(one: Omit<Remembered, "hash">, ids: readonly string[], { learned }: LogicSettings): readonly Remembered[] {
    // Sorting is stable: what equals another comes after it.
    const all = [...this.#all, { ...one, hash: hashOf(ids) }].sort(byTimeThenHash);
    const out = all.slice(0, Math.max(0, all.length - learned.events));
    this.#all = all.slice(out.length);
    for (const { time } of out) if (time > this.#pushedOut) this.#pushedOut = time;
    return out;
  }

  label(ids: readonly string[], fraudFrom: bigint | undefined): void {
    const hash = hashOf(ids);
    this.#all = this.#all.map((one) => (one.hash === hash ? { ...one, fraudFrom } : one));
  }

  /** Keeps nothing of places any more. */
  forgetPlaces(): void {
    this.#all = this.#all.map((one) => ({ ...one, where: undefined }));
  }

  /** Those that were up to this time. */
  until(time: bigint): readonly Remembered[] {
    return this.#all.filter((one) => one.time <= time);
  }

  /** Whether something after this time was pushed out. */
  lacks(since: bigint): boolean {
    return this.#pushedOut > 0n && this.#pushedOut > since;
  }
}

const byTimeThenHash = (a: Remembered, b: Remembered): number =>
  a.time === b.time ? (a.hash === b.hash ? 0 : a.hash < b.hash ? -1 : 1) : a.time < b.time ? -1 : 1;

const hashOf = (ids: readonly string[]): string =>
  createHash("sha256").update(ids.join("\0")).digest("hex").slice(0, 8);

export const isFraud = ({ fraudFrom }: Remembered, now: bigint): boolean => fraudFrom !== undefined && fraudFrom <= now;
export const isGenuine = (one: Remembered, now: bigint, { learned }: LogicSettings): boolean =>
  !isFraud(one, now) && one.time + BigInt(learned.labelDelayMs) <= now;

export const total = (values: readonly bigint[]): bigint => values.reduce((sum, value) => sum + value, 0n);
export const permille = (part: number, whole: number): number => (whole === 0 ? 0 : Math.floor((part * 1000) / whole));
export const seconds = (from: bigint, to: bigint): bigint => (from > to ? 0n : (to - from) / 1000n);
export const greatest = (times: readonly bigint[]): bigint | undefined =>
  times.reduce<bigint | undefined>((most, time) => (most === undefined || time > most ? time : most), undefined);
export const safe = (value: bigint): bigint => (value > MAX_SAFE ? MAX_SAFE : value < -MAX_SAFE ? -MAX_SAFE : value);
