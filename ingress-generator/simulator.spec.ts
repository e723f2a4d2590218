import { createHash } from "node:crypto";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { contentHash } from "../contract/content-hash.js";
import { Verdict } from "../protos/gen/fraud/v1/transaction.js";
import { distanceKm } from "./places.js";
import { encodeItem } from "./item-sender.js";
import { simulate, type SimulatedItem, type SimulationOptions, stepMs } from "./simulator.js";

const START_MS = Date.UTC(2026, 0, 1);
const DEFAULTS: SimulationOptions = { seed: 7, runId: "r", startMs: START_MS, accounts: 100 };

function take(count: number, options: Partial<SimulationOptions> = {}): SimulatedItem[] {
  const items: SimulatedItem[] = [];
  for (const item of simulate({ ...DEFAULTS, ...options })) if (items.push(item) === count) break;
  return items;
}

const transactions = (items: readonly SimulatedItem[]) =>
  items.flatMap((item) => (item.kind === "transaction" ? [item] : []));
const labels = (items: readonly SimulatedItem[]) =>
  items.flatMap((item) => (item.kind === "label" ? [item.message] : []));
const digest = (items: readonly SimulatedItem[]) =>
  items.reduce((hash, item) => hash.update(encodeItem(item)), createHash("sha256")).digest("hex");
const hasPattern = (items: readonly SimulatedItem[], pattern: string) =>
  transactions(items).filter(({ fraud }) => fraud === pattern);

describe("simulate", () => {
  it("gives the same bytes for the same options, and others for others", () => {
    const first = digest(take(3_000));
    expect(digest(take(3_000))).toBe(first);
    for (const other of [{ seed: 8 }, { runId: "s" }, { startMs: START_MS + 1 }, { accounts: 101 }])
      expect(digest(take(3_000, other))).not.toBe(first);
  });

  it("gives these bytes, on every machine: reports name a seed and can be made again", () => {
    expect(digest(take(3_000)).slice(0, 16)).toBe("0bb9019ba9cfd49a");
  });

  it("gives every transaction an id, hash and time of its own", () => {
    const all = transactions(take(5_000));
    expect(new Set(all.map(({ message }) => message.transactionId)).size).toBe(all.length);
    for (const { message } of all) expect(message.contentHash).toEqual(contentHash(message));
  });

  it("moves event time on by the step, never ahead of it, at most the jitter behind", () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 10, max: 5_000 }), (seed, accounts) => {
        let sent = 0;
        for (const item of take(400, { seed, accounts })) {
          if (item.kind === "label") continue;
          const latest = START_MS + sent++ * stepMs(accounts);
          expect(Number(item.message.eventTimeMs)).toBeLessThanOrEqual(latest);
        }
        const last = transactions(take(400, { seed, accounts })).at(-1)!;
        // Frauds come on top of the even stream, so the end lies a little before the last step.
        expect(Number(last.message.eventTimeMs)).toBeGreaterThan(START_MS + 0.8 * sent * stepMs(accounts) - 5_000);
      }),
      { numRuns: 30 },
    );
  });

  it("makes popular merchants really popular", () => {
    const counts = new Map<string, number>();
    const all = transactions(take(20_000));
    for (const { message } of all) counts.set(message.merchantId, (counts.get(message.merchantId) ?? 0) + 1);
    // By Zipf's law over 200: 17% and 8.5%.
    expect(counts.get("r-m1")! / all.length).toBeCloseTo(0.17, 1);
    expect(counts.get("r-m1")! / counts.get("r-m2")!).toBeGreaterThan(1.6);
    expect(counts.size).toBeGreaterThan(190);
  });

  it("has one to two percent of fraud, of every pattern", () => {
    const all = transactions(take(40_000, { accounts: 1_000 }));
    const share = all.filter(({ fraud }) => fraud !== undefined).length / all.length;
    expect(share).toBeGreaterThan(0.008);
    expect(share).toBeLessThan(0.025);
    for (const pattern of ["velocity-burst", "stolen-card", "compromised-merchant"])
      expect(hasPattern(all, pattern).length, pattern).toBeGreaterThan(50);
  });

  it("uses stolen cards far from where their account was last seen", () => {
    const all = transactions(take(40_000, { accounts: 1_000 }));
    const lastSeen = new Map<string, { latitude: number; longitude: number; name: string }>();
    let stolen = 0;
    for (const { message, fraud } of all) {
      if (message.location === undefined) continue;
      const here = {
        latitude: message.location.latitudeE6 / 1e6,
        longitude: message.location.longitudeE6 / 1e6,
        name: "",
      };
      if (fraud === "stolen-card") {
        expect(distanceKm(lastSeen.get(message.accountId)!, here)).toBeGreaterThan(1_400);
        stolen++;
      } else lastSeen.set(message.accountId, here);
    }
    expect(stolen).toBeGreaterThan(50);
  });

  it("labels most frauds after a delay, and clears false alarms by a second revision", () => {
    const items = take(40_000);
    const sent = new Map<string, { at: bigint; fraud: boolean }>();
    const first = new Map<string, bigint>();
    let cleared = 0;
    for (const item of items) {
      if (item.kind === "transaction") {
        sent.set(item.message.transactionId, { at: item.message.eventTimeMs, fraud: item.fraud !== undefined });
        continue;
      }
      const { transactionId, revision, verdict, effectiveAtMs, eventTimeMs } = item.message;
      const judged = sent.get(transactionId)!;
      expect(eventTimeMs).toBe(judged.at);
      expect(Number(effectiveAtMs! - eventTimeMs)).toBeGreaterThanOrEqual(3 * 3_600_000);
      if (revision === 1) {
        expect(verdict).toBe(Verdict.FRAUD);
        first.set(transactionId, effectiveAtMs!);
      } else {
        expect([revision, verdict, judged.fraud]).toEqual([2, Verdict.LEGITIMATE, false]);
        expect(effectiveAtMs! > first.get(transactionId)!).toBe(true);
        cleared++;
      }
    }
    expect(cleared).toBeGreaterThan(3);
    const frauds = [...sent.values()].filter(({ fraud }) => fraud).length;
    expect(labels(items).length / frauds).toBeGreaterThan(0.8);
  });
});
