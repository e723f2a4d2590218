import { readFileSync } from "node:fs";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { accountCounterOf } from "../functions/addresses.js";
import { fraudFunctions } from "../functions/fraud-functions.js";
import { groupBy, written } from "../functions/testing/outcome.js";
import { sampleDependencies } from "../functions/testing/samples.js";
import { parseModel } from "../functions/transaction-scorer/model.js";
import { marginOf, parseTrees, valueAt } from "../functions/transaction-scorer/trees.js";
import {
  DAY_SECONDS,
  HANDBOOK_START_MS,
  type HandbookDataSet,
  NEVER_LABELLED,
} from "../ingress-generator/handbook/data-set.js";
import { handbookItems } from "../ingress-generator/handbook/items.js";
import type { SimulatedItem } from "../ingress-generator/simulator.js";
import type { Evidence } from "../protos/gen/fraud/v1/decision.js";
import { FraudLabel, Transaction } from "../protos/gen/fraud/v1/transaction.js";
import { FEATURES } from "../protos/gen/features.js";
import { TestRuntime } from "../statefun/testing/test-runtime.js";
import { type FeatureMatrix, HANDBOOK_FEATURES, handbookFeatures, rowOf } from "./batch/features.js";
import { LEARNED_FEATURES, learnedFeatures } from "./batch/learned-features.js";
import { PLACES_FEATURES, placesFeatures } from "./batch/place-features.js";
import { placesTreesFileOf } from "./batch/places-trees.js";
import { treesFileOf } from "./batch/trees-of-week.js";
import { HANDBOOK_YARDSTICK, PLACES_YARDSTICK, type Yardstick } from "./stream/yardstick.js";
import { dataAndOne, everything, placesAndOne } from "./testing/small-data-sets.js";
import { OFFICIAL_WEEK } from "./weeks.js";

const MODEL = readFileSync(treesFileOf(OFFICIAL_WEEK));
const { trees, score } = parseTrees(MODEL.toString());

const PLACES_MODEL = readFileSync(placesTreesFileOf(OFFICIAL_WEEK));

/** The online feature's name for a batch feature. */
const onlineName = (batch: string) =>
  batch.replace(/^customer_/, "account.").replace(/^terminal_/, "merchant.") as keyof typeof FEATURES;

const valueOf = (evidence: Evidence, name: keyof typeof FEATURES): number | undefined => {
  const value = FEATURES[name].of(evidence);
  return value === undefined ? undefined : Number(value);
};

/** Transactions of one second become seconds apart, a second more each: so no order depends on who was first. */
function apart(data: HandbookDataSet): HandbookDataSet {
  let same = 0;
  const seconds = data.seconds.map((second, at) => {
    same = at > 0 && data.seconds[at - 1] === second ? same + 1 : 0;
    return second + same;
  });
  return { ...data, seconds };
}

/**
 * The evidence of every transaction, from the real functions: day after day, first the labels that become effective in
 * it, then its transactions, account by account in any order.
 *
 * @param soon - labels come on the day after their transaction, however much later they become effective
 */
async function streamed(
  data: HandbookDataSet,
  seed: number,
  events: number,
  { soon = false, places = false } = {},
): Promise<Evidence[]> {
  const settings = { account: { knownMerchants: places ? 256 : 0 }, learned: { events, places } };
  const dependencies = { ...sampleDependencies(settings), model: parseModel(places ? PLACES_MODEL : MODEL) };
  const runtime = new TestRuntime(fraudFunctions(dependencies), { seed, maxBatch: 1 + (seed % 7) });
  const days = groupBy(handbookItems(data, { runId: "r" }), (item) => String(soon ? soonDayOf(item) : dayOf(item)));
  for (const [, items] of [...days].sort(([a], [b]) => Number(a) - Number(b))) {
    for (const { kind, message } of items)
      if (kind === "label") runtime.ingress(accountCounterOf(message.accountId), FraudLabel, message);
    await runtime.run();
    for (const { kind, message } of items)
      if (kind === "transaction") runtime.ingress(accountCounterOf(message.accountId), Transaction, message);
    await runtime.run();
  }
  const found: Evidence[] = [];
  for (const { evidence } of written(runtime).decisions)
    found[Number(evidence!.transaction!.transactionId.split("-")[1])] = evidence!;
  expect(found).toHaveLength(data.seconds.length);
  return found;
}

const dayOf = ({ kind, message }: SimulatedItem): number => {
  const atMs = kind === "label" ? message.effectiveAtMs! : message.eventTimeMs;
  return Math.floor((Number(atMs) - HANDBOOK_START_MS) / (DAY_SECONDS * 1000));
};

const soonDayOf = ({ kind, message }: SimulatedItem): number => {
  const day = Math.floor((Number(message.eventTimeMs) - HANDBOOK_START_MS) / (DAY_SECONDS * 1000));
  return kind === "label" ? day + 1 : day;
};

/** How many values of these batch features the functions computed otherwise, told by name. */
function differences(
  found: readonly Evidence[],
  batch: FeatureMatrix,
  names: readonly string[] = LEARNED_FEATURES,
  yardstick: Yardstick = HANDBOOK_YARDSTICK,
): string[] {
  return found.flatMap((evidence, at) => {
    const row = rowOf(batch, at);
    return yardstick.names.flatMap((name, n) => {
      const online = valueOf(evidence, name) ?? yardstick.unknown;
      return !names.includes(name) || online === row[n] ? [] : [`${at} ${name}: ${online}, in batch ${row[n]}`];
    });
  });
}

/** Two months of a few busy customers at three terminals: more than a small ring keeps, but not in any window. */
function twoMonths(days = 75, terminalCount = 3): HandbookDataSet {
  const perDay = 9;
  let state = 7;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const seconds = Array.from(
    { length: days * perDay },
    (_, n) => Math.floor(n / perDay) * DAY_SECONDS + random(86_000),
  );
  seconds.sort((a, b) => a - b);
  const column = (value: (at: number) => number): number[] => seconds.map((_, at) => value(at));
  const compromised = (at: number): boolean => [2, 3, 6].includes(Math.floor(seconds[at]! / DAY_SECONDS / 8));
  const terminals = column(() => random(terminalCount));
  return {
    seconds: Uint32Array.from(seconds),
    customers: Uint16Array.from(column(() => random(3))),
    terminals: Uint16Array.from(terminals),
    amountsMinor: Uint32Array.from(column(() => 1 + random(20_000))),
    scenarios: Uint8Array.from(column((at) => (terminals[at] === 0 && compromised(at) ? 2 : random(20) === 0 ? 3 : 0))),
    newFrauds: [0, 0, 0],
  };
}

/**
 * Four months at sixty terminals: more transactions than are remembered of visits, or kept. Every fifth terminal is on
 * the web, the others are up to 600 km apart, on both sides of the equator and the prime meridian; labels come when
 * they come.
 */
function fourMonths(): HandbookDataSet {
  const data = apart(twoMonths(120, 60));
  return {
    ...data,
    places: Array.from({ length: 60 }, (_, n) =>
      n % 5 === 0
        ? undefined
        : {
            latitudeE6: ((n * 7_919_333) % 4_000_001) - 2_000_000,
            longitudeE6: ((n * 3_571_777) % 4_000_001) - 2_000_000,
          },
    ),
    labelledAt: data.seconds.map((second, at) =>
      data.scenarios[at] === 0 || at % 6 === 0
        ? NEVER_LABELLED
        : (Math.floor(second / DAY_SECONDS) + 1 + (at % 13)) * DAY_SECONDS,
    ),
  };
}

describe("the running functions", () => {
  it("compute every learned feature of every transaction as it is computed in batch", async () => {
    let known = 0;
    await fc.assert(
      fc.asyncProperty(dataAndOne, fc.nat(), async ([some], seed) => {
        const data = apart(some);
        const found = await streamed(data, seed, 192);
        expect(differences(found, HANDBOOK_YARDSTICK.batch(data, everything(data)), HANDBOOK_YARDSTICK.names)).toEqual(
          [],
        );
        expect(found.some(({ account, merchant }) => account!.learnedIncomplete || merchant!.learnedIncomplete)).toBe(
          false,
        );
        known += found.filter(({ merchant }) => (merchant!.features!.run ?? 0) > 1).length;
      }),
      { numRuns: 200, seed: 1 },
    );
    expect(known).toBeGreaterThan(80);
  });

  it("compute them so whenever labels come: on the same day, after a day or two weeks, never", async () => {
    let sooner = 0;
    let later = 0;
    await fc.assert(
      fc.asyncProperty(placesAndOne, fc.nat(), async ([some], seed) => {
        const data = apart(some);
        const found = await streamed(data, seed, 192, { soon: seed % 2 === 1 });
        const batch = HANDBOOK_YARDSTICK.batch(data, everything(data));
        expect(differences(found, batch, HANDBOOK_YARDSTICK.names)).toEqual([]);
        const { labelledAt: _, ...punctual } = data;
        const otherwise = learnedFeatures(punctual, everything(data));
        const more = (name: (typeof LEARNED_FEATURES)[number]): number =>
          found.filter((_, at) => {
            const column = LEARNED_FEATURES.indexOf(name);
            return rowOf(batch, at)[column]! > rowOf(otherwise, at)[column]!;
          }).length;
        later += more("account.genuine_count");
        sooner += more("merchant.run");
      }),
      { numRuns: 100, seed: 4 },
    );
    expect(Math.min(sooner, later)).toBeGreaterThan(15);
  });

  it("compute the features of places so, too, whenever labels come", async () => {
    const seen = new Map<string, Set<number>>(PLACES_YARDSTICK.names.map((name) => [name, new Set()]));
    await fc.assert(
      fc.asyncProperty(placesAndOne, fc.nat(), async ([some], seed) => {
        const data = apart(some);
        const found = await streamed(data, seed, 192, { soon: seed % 2 === 1, places: true });
        const batch = PLACES_YARDSTICK.batch(data, everything(data));
        expect(differences(found, batch, PLACES_YARDSTICK.names, PLACES_YARDSTICK)).toEqual([]);
        expect(found.some(({ account }) => account!.learnedIncomplete)).toBe(false);
        for (const at of found.keys())
          for (const [column, name] of PLACES_YARDSTICK.names.entries()) seen.get(name)!.add(rowOf(batch, at)[column]!);
      }),
      { numRuns: 100, seed: 5 },
    );
    for (const [name, values] of seen) expect(values.size, name).toBeGreaterThan(1);
  });

  it("call far what is more than 100,000 m from the usual place, to the metre, as in batch", async () => {
    const home = { latitudeE6: 47_000_000, longitudeE6: 8_000_000 };
    const day = (n: number): number => n * DAY_SECONDS;
    const data: HandbookDataSet = {
      seconds: Uint32Array.of(day(0), day(0), day(8), day(8)),
      customers: Uint16Array.of(0, 1, 0, 1),
      terminals: Uint16Array.of(0, 0, 1, 2),
      amountsMinor: Uint32Array.of(100, 100, 100, 100),
      scenarios: new Uint8Array(4),
      newFrauds: [0, 0, 0],
      places: [home, { ...home, latitudeE6: 47_899_068 }, { ...home, latitudeE6: 47_899_077 }],
      labelledAt: new Uint32Array(4).fill(NEVER_LABELLED),
    };
    const found = await streamed(data, 1, 192, { places: true });
    expect(found.slice(2).map(({ account }) => account!.features!.usualDistanceM)).toEqual([100_000n, 100_001n]);
    const names = PLACES_FEATURES.filter((name) => name.startsWith("account."));
    expect(differences(found, placesFeatures(data, everything(data)), names, PLACES_YARDSTICK)).toEqual([]);
  });

  it("compute those of places of transactions of one second, too", async () => {
    const ofPlaces = PLACES_FEATURES.filter((name) => !/^merchant\.(last|run|genuine)/.test(name));
    await fc.assert(
      fc.asyncProperty(placesAndOne, fc.nat(), async ([data, _], seed) => {
        const found = await streamed(data, seed, 192, { places: true });
        expect(differences(found, placesFeatures(data, everything(data)), ofPlaces, PLACES_YARDSTICK)).toEqual([]);
      }),
      { numRuns: 30, seed: 6 },
    );
  });

  it("compute those of places with all but the last transactions kept as sums, and score by them", async () => {
    const data = fourMonths();
    const batch = placesFeatures(data, everything(data));
    const { trees: placesTrees } = parseTrees(PLACES_MODEL.toString());
    for (const seed of [1, 2]) {
      const found = await streamed(data, seed, 160, { soon: seed === 2, places: true });
      expect(differences(found, batch, PLACES_FEATURES, PLACES_YARDSTICK)).toEqual([]);
      for (const [at, { scoring }] of found.entries())
        expect(scoring).toMatchObject({ marginE6: BigInt(marginOf(placesTrees, rowOf(batch, at))), error: "" });
    }
    const few = await streamed(data, 1, 20, { places: true });
    expect(differences(few, batch, PLACES_FEATURES, PLACES_YARDSTICK).some((one) => one.includes("far_7d"))).toBe(true);
  });

  it("score by them what the trees say in batch, and tell the reasons of what is suspicious", async () => {
    const data = apart(twoMonths());
    const batch = learnedFeatures(data, everything(data));
    const found = await streamed(data, 1, 192);
    for (const [at, { scoring }] of found.entries()) {
      const margin = marginOf(trees, rowOf(batch, at));
      expect(scoring).toMatchObject({ marginE6: BigInt(margin), score: valueAt(score, margin), error: "" });
      expect(scoring!.contributions.length > 0).toBe(scoring!.suspiciousSeq !== undefined);
    }
    expect(new Set(found.map(({ scoring }) => scoring!.outcome)).size).toBe(3);
  });

  it("compute them of transactions of one second too, but for which of a merchant's was the last", async () => {
    const names = LEARNED_FEATURES.filter((name) => !/^merchant\.(last|run|genuine)/.test(name));
    await fc.assert(
      fc.asyncProperty(dataAndOne, fc.nat(), async ([data], seed) => {
        const found = await streamed(data, seed, 192);
        expect(differences(found, learnedFeatures(data, everything(data)), names)).toEqual([]);
      }),
      { numRuns: 30, seed: 2 },
    );
  });

  it("compute them with all but the last transactions kept as sums", async () => {
    const data = apart(twoMonths());
    const { batch: batchOf, names } = HANDBOOK_YARDSTICK;
    const batch = batchOf(data, everything(data));
    for (const seed of [1, 2]) {
      const found = await streamed(data, seed, 140);
      expect(differences(found, batch, names)).toEqual([]);
      expect(
        found.filter(({ account, merchant }) => account!.learnedIncomplete || merchant!.learnedIncomplete),
      ).toEqual([]);
    }
    const few = await streamed(data, 1, 40);
    expect(differences(few, batch)).not.toEqual([]);
    expect(few.at(-1)).toMatchObject({ account: { learnedIncomplete: true }, merchant: { learnedIncomplete: true } });
  });

  it("compute the Handbook's fifteen, in cents and thousandths", async () => {
    const data = apart(twoMonths());
    const found = await streamed(data, 3, 140);
    const batch = handbookFeatures(data, everything(data));
    for (const [n, name] of HANDBOOK_FEATURES.entries()) {
      // In batch amounts are in euros and shares are fractions; here both are whole numbers, rounded down.
      const [online, scale] =
        name === "amount"
          ? ["amount_minor", 100]
          : name.includes("_mean_amount_")
            ? [name.replace("_mean_amount_", "_mean_minor_"), 100]
            : name.includes("_risk_")
              ? [`${name}_permille`, 1000]
              : [name, 1];
      for (const [at, evidence] of found.entries()) {
        const rest = rowOf(batch, at)[n]! * scale - valueOf(evidence, onlineName(online))!;
        expect(rest, `${at} ${name}`).toBeGreaterThan(-1e-6);
        expect(rest, `${at} ${name}`).toBeLessThan(scale === 1 ? 1e-6 : 1);
      }
    }
  });

  it("would be found out with another delay than in batch", async () => {
    const data = apart(twoMonths());
    const batch = learnedFeatures(data, everything(data), 6);
    const found = differences(await streamed(data, 1, 140), batch);
    for (const name of ["account.genuine_count", "merchant.count_7d", "merchant.run", "merchant.genuine_age_s"])
      expect(found.some((one) => one.includes(name))).toBe(true);
  });
});
