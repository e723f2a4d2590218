import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { stopCluster } from "../../cluster/control.js";
import { type Cluster, clusterSettings, endpoints, flinkClient, startCluster } from "../../cluster/index.js";
import { parityWith, useModelAt } from "../../evaluation/stream/evaluate-stream.js";
import type { StreamOutcome } from "../../evaluation/stream/outcome.js";
import { streamDataSet } from "../../evaluation/stream/stream-data-set.js";
import { evaluationEnv, HANDBOOK_YARDSTICK, PLACES_YARDSTICK } from "../../evaluation/stream/yardstick.js";
import { subsetOf } from "../../evaluation/subset.js";
import { placesTreesFileOf } from "../../evaluation/batch/places-trees.js";
import { treesFileOf } from "../../evaluation/batch/trees-of-week.js";
import { ALL_WEEKS } from "../../evaluation/weeks.js";
import { placesDataSet } from "../../ingress-generator/handbook-places/data-set.js";
import { dayOffsets, handbookDataSet } from "../../ingress-generator/handbook/data-set.js";
import { poll } from "../../process/poll.js";
import { startOwnCommand } from "../../process/run-command.js";
import { silentStep } from "../../terminal/steps.js";
import { PATIENCE_MS } from "../patience.js";

/** A month and the week until labels are known, and another: whatever a window holds has come and gone. */
const DAYS = 45;
const CUSTOMERS = 500;
const KILLED_ON = 38;
const OTHER_MODEL_ON = 41;
const OTHER_WEEK = { firstDay: 157 };

const ENV = evaluationEnv(HANDBOOK_YARDSTICK);
const PLACES_ENV = evaluationEnv(PLACES_YARDSTICK);

const modelOf = (day: number): string | undefined => (day === OTHER_MODEL_ON ? treesFileOf(OTHER_WEEK) : undefined);

/** Has the verifier compute everything again. */
async function verify(brokers: string, env: Readonly<Record<string, string>>, ...more: string[]): Promise<void> {
  const args = ["verify", "--brokers", brokers, "--settings", env["FRAUD_SETTINGS"]!, ...more];
  const { code, stdout } = await startOwnCommand(args).finished;
  expect(stdout).toContain("0 missing, 0 duplicates, 0 out of order, 0 mismatches");
  expect(code).toBe(0);
}

describe("the Handbook's data set in short, streamed, with a TaskManager killed on the way", () => {
  const settings = clusterSettings({ name: "e2e-evaluate", portOffset: 23_000, serverEnv: ENV });
  const brokers = endpoints(settings).kafka;
  const data = subsetOf(handbookDataSet(), { customers: CUSTOMERS, days: DAYS });
  let cluster: Cluster;
  let outcome: StreamOutcome;
  let restarts: number;

  beforeAll(async () => {
    cluster = await startCluster(settings, { step: silentStep, restart: true, fresh: true });
    outcome = await streamDataSet(data, {
      yardstick: HANDBOOK_YARDSTICK,
      brokers,
      runId: "short",
      modelOf(day) {
        if (day === KILLED_ON) cluster.kill("taskmanager");
        return modelOf(day);
      },
      useModel: useModelAt(settings),
    });
    restarts = await poll("Flink to count the restart", async () => Number(await flinkClient(settings).restarts()), {
      timeoutMs: PATIENCE_MS,
    });
  });
  afterAll(async () => {
    await (cluster as Cluster | undefined)?.stop();
    await stopCluster(settings, { wipe: true });
  });

  it("comes out whole, and once", () => {
    const { decisions, labels, duplicates, errors, errorTexts, incomplete } = outcome;
    expect({ decisions, labels, duplicates, errors, errorTexts, incomplete }).toEqual({
      decisions: data.seconds.length,
      // Those of the last three days are not sent.
      labels: data.scenarios.subarray(0, dayOffsets(data)[DAYS - 3]).filter((scenario) => scenario !== 0).length,
      duplicates: 0,
      errors: 0,
      errorTexts: [],
      incomplete: 0,
    });
    expect(restarts).toBeGreaterThan(0);
  });

  it("has every feature and every score that the data set itself gives", () => {
    expect(parityWith(HANDBOOK_YARDSTICK, data, outcome, modelOf)).toEqual({
      features: 30,
      transactions: data.seconds.length,
      mismatches: 0,
      first: [],
    });
  });

  it("is scored by the model that holds from a day on", () => {
    const change = dayOffsets(data)[OTHER_MODEL_ON]!;
    const names = Array.from(outcome.modelOf, (model) => outcome.models[model]);
    expect(new Set(names.slice(0, change))).toEqual(new Set(["handbook-day-101"]));
    expect(new Set(names.slice(change))).toEqual(new Set(["handbook-day-157"]));
  });

  it("is replayed by the verifier, bit for bit", async () => {
    await verify(brokers, ENV);
  });
});

describe("the data set with places in short, streamed", () => {
  const settings = clusterSettings({ name: "e2e-places", portOffset: 22_500, serverEnv: PLACES_ENV });
  const brokers = endpoints(settings).kafka;
  // Two weeks, half of which knows what is usual, and five days of labels that count from midnights on.
  const places = subsetOf(placesDataSet(), { customers: 200, days: 20 });
  const changeOn = 13;
  const [before, after] = [ALL_WEEKS[0]!, OTHER_WEEK].map((week) => placesTreesFileOf(week)) as [string, string];
  const modelOfDay = (day: number): string | undefined => (day === changeOn ? after : undefined);
  let cluster: Cluster;
  let outcome: StreamOutcome;

  beforeAll(async () => {
    cluster = await startCluster(settings, { step: silentStep, restart: true, fresh: true });
    outcome = await streamDataSet(places, {
      yardstick: PLACES_YARDSTICK,
      brokers,
      runId: "places",
      modelOf: modelOfDay,
      useModel: useModelAt(settings, before),
    });
  });
  afterAll(async () => {
    await (cluster as Cluster | undefined)?.stop();
    await stopCluster(settings, { wipe: true });
  });

  it("has every feature and every score that the data set itself gives", () => {
    const { decisions, duplicates, errors, errorTexts, incomplete } = outcome;
    expect({ decisions, duplicates, errors, errorTexts, incomplete }).toEqual({
      decisions: places.seconds.length,
      duplicates: 0,
      errors: 0,
      errorTexts: [],
      incomplete: 0,
    });
    expect(outcome.labels).toBeGreaterThan(20);
    expect(parityWith(PLACES_YARDSTICK, places, outcome, modelOfDay)).toEqual({
      features: 39,
      transactions: places.seconds.length,
      mismatches: 0,
      first: [],
    });
  });

  it("gets another model on the way, and the one before as its challenger, without a restart of the job", async () => {
    const change = dayOffsets(places)[changeOn]!;
    const names = Array.from(outcome.modelOf, (model) => outcome.models[model]);
    expect(new Set(names.slice(0, change))).toEqual(new Set(["places-day-101"]));
    expect(new Set(names.slice(change))).toEqual(new Set(["places-day-157"]));
    expect(outcome.challenged).toBe(places.seconds.length - change);
    expect(Number(await flinkClient(settings).restarts())).toBe(0);
  });

  it("is replayed by the verifier, bit for bit, what the challenger said included", async () => {
    await verify(brokers, PLACES_ENV, "--model", before, "--model", after);
  });
});
