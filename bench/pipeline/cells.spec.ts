import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ALL_ACCOUNTS, cellName, cellsOf, type Choice, PHASES, stateBackendFor } from "./cells.js";
import { KEYS } from "./transactions.js";
import { PEERS, VARIANT_NAMES } from "./variants/variants.js";

const ALL: Choice = {
  variants: VARIANT_NAMES,
  accounts: ALL_ACCOUNTS,
  keys: KEYS,
  only: PHASES,
  rounds: 3,
  quick: false,
};

describe("what is measured", () => {
  it("is the peers in turns, and once what ours does alone", () => {
    const cells = cellsOf(ALL);
    const peers = cells.filter(
      ({ accounts, keys, variant }) => accounts === 5_000 && keys === "uniform" && variant !== "at-least-once",
    );
    expect(peers.map(({ variant, round }) => `${variant} ${round}`)).toEqual([
      ...PEERS.map((one) => `${one} 1`),
      ...PEERS.toReversed().map((one) => `${one} 2`),
      ...PEERS.map((one) => `${one} 3`),
    ]);
    expect(peers.every(({ phases }) => phases.includes("sustained") && phases.includes("drain"))).toBe(true);
    const alone = cells.filter((cell) => !peers.includes(cell));
    expect(alone.map(cellName)).toEqual([
      "at-least-once, round 1",
      "batching, 1,000 accounts, round 1",
      "batching, zipf keys, round 1",
      "batching, 100,000 accounts, round 1",
      "batching, 1,000,000 accounts, round 1",
    ]);
    // When the time is over early, rounds are missing, and nothing else.
    expect(cells.slice(PEERS.length, PEERS.length + alone.length)).toEqual(alone);
  });

  it("is at 10, 50 and 80 % of what ours holds in each round, and of the others' at 50 % in the first of a whole run", () => {
    const shares = (choice: Choice) =>
      cellsOf(choice)
        .filter(({ phases }) => phases.includes("latency"))
        .map(({ variant, round, shares }) => `${variant} ${round}: ${shares.join()}`);
    expect(shares({ ...ALL, quick: true, rounds: 2 })).toEqual([
      "batching 1: 0.1,0.5,0.8",
      "at-least-once 1: 0.5",
      "batching 2: 0.1,0.5,0.8",
    ]);
    expect(shares({ ...ALL, rounds: 1 })).toEqual([
      ...PEERS.map((one) => `${one} 1: ${one === "batching" ? "0.1,0.5,0.8" : "0.5"}`),
      "at-least-once 1: 0.5",
    ]);
  });

  it("is only what was asked for", () => {
    fc.assert(
      fc.property(
        fc.record({
          variants: fc.subarray([...VARIANT_NAMES]),
          accounts: fc.subarray([...ALL_ACCOUNTS]),
          keys: fc.subarray([...KEYS]),
          only: fc.subarray([...PHASES]),
          rounds: fc.integer({ min: 1, max: 4 }),
          quick: fc.boolean(),
        }),
        (choice) => {
          const cells = cellsOf(choice);
          for (const { variant, accounts, keys, phases } of cells) {
            expect(choice.variants).toContain(variant);
            expect(choice.accounts).toContain(accounts);
            expect(choice.keys).toContain(keys);
            expect(phases.length).toBeGreaterThan(0);
            for (const phase of phases) expect(choice.only).toContain(phase);
          }
          expect(new Set(cells.map(cellName)).size).toBe(cells.length);
        },
      ),
    );
  });
});

describe("the state backend", () => {
  it("is the heap for few accounts, and RocksDB for many", () => {
    expect(ALL_ACCOUNTS.map(stateBackendFor)).toEqual(["hashmap", "hashmap", "rocksdb", "rocksdb"]);
  });
});
