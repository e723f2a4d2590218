import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { stopCluster } from "../../cluster/control.js";
import { type Cluster, clusterSettings, endpoints, flinkClient, startCluster } from "../../cluster/index.js";
import { type ModuleChanges, withModule } from "../../cluster/module-changes.js";
import { type ClusterOptions, FRAUD_DETECTION } from "../../cluster/settings.js";
import { TOPICS } from "../../contract/topics.js";
import { runGenerator } from "../../ingress-generator/producer.js";
import { readTopics } from "../../java/java-reader.js";
import { followTopics } from "../../kafka/consumer.js";
import { poll } from "../../process/poll.js";
import { silentStep } from "../../terminal/steps.js";
import { knownInputs } from "../../verifier/known.js";
import { readBack } from "../../verifier/read.js";
import { type Verification, verifyStored } from "../../verifier/verify.js";
import { PATIENCE_MS } from "../patience.js";

/*
 * What the proof rests on, taken away one at a time: the verifier must notice, or its silence elsewhere is worth
 * nothing.
 */

const RATE = 300;
let folder: string;
let cluster: Cluster | undefined;
let decisions: number;
let stop: (() => Promise<void>)[];

/** Longer than a checkpoint takes where nothing is stopped, and than the age that Flink's answer may have. */
const KEPT_WAITING_MS = 3_000;

const named = (options: ClusterOptions = {}) =>
  clusterSettings({ name: "e2e-controls", portOffset: 20_000, ...options });
const brokers = endpoints(named()).kafka;
const flink = flinkClient(named());

/** A cluster with this change, under load. */
async function start(options: ClusterOptions, module: ModuleChanges = {}): Promise<Cluster> {
  cluster = await startCluster(named({ ...options, application: withModule(FRAUD_DETECTION, folder, module) }), {
    step: silentStep,
    restart: true,
    fresh: true,
  });
  const reader = await followTopics({
    brokers,
    topics: [TOPICS.decisions.name],
    from: "beginning",
    onRecord: () => decisions++,
  });
  const end = new AbortController();
  const generating = runGenerator({
    brokers,
    seed: 3,
    runId: "controls",
    rate: RATE,
    accounts: 200,
    signal: end.signal,
  });
  stop.push(
    async () => {
      end.abort();
      await generating;
    },
    () => reader.stop(),
  );
  await poll("decisions to flow", () => decisions > RATE, { timeoutMs: PATIENCE_MS });
  return cluster;
}

/** Waits until decisions flow again, ends the load, lets everything settle, and judges. */
async function judge(): Promise<Verification> {
  await flink.waitForRunning(PATIENCE_MS);
  const before = decisions;
  await poll("decisions to flow again", () => decisions > before + RATE, { timeoutMs: PATIENCE_MS });
  await stop.shift()!();
  let settled = -1;
  await poll(
    "decisions to stop",
    async () => {
      const last = settled;
      await flink.waitForCheckpoints(2, PATIENCE_MS);
      return last === (settled = decisions);
    },
    { timeoutMs: PATIENCE_MS },
  );
  const { records } = await readBack(brokers);
  try {
    return await verifyStored(records, knownInputs());
  } finally {
    records.close();
  }
}

const broken = ({ properties }: Verification): string[] =>
  properties.filter(({ violations }) => violations > 0).map(({ name }) => name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fraud-controls-"));
  decisions = 0;
  stop = [];
});
afterEach(async () => {
  for (const end of stop) await end();
  await cluster?.stop();
  await stopCluster(named(), { wipe: true });
  rmSync(folder, { recursive: true, force: true });
});

describe("a negative control: the verifier fails", () => {
  it("an at-least-once egress, because of its duplicates, when a TaskManager is killed", async () => {
    const running = await start({}, { "io.statefun.kafka.v1/egress": { "deliverySemantic.type": "at-least-once" } });
    running.kill("taskmanager");
    await poll("the job to notice", async () => (await flink.jobState()) !== "RUNNING", { timeoutMs: PATIENCE_MS });
    const found = await judge();
    expect(broken(found)).toEqual(expect.arrayContaining(["duplicate", "event-sequence"]));
    expect(found).toMatchObject({ verdict: "fail", missing: 0 });
  });

  it("a JobManager without high availability, because everything is decided again, when it is killed", async () => {
    // The guard of the stores would not let it start.
    const running = await start({
      flinkConf: { "high-availability": "NONE", "statefun.module.global-config.guard": "off" },
    });
    running.kill("jobmanager");
    await poll("the JobManager to be gone", async () => (await flink.jobState()) !== "RUNNING", {
      timeoutMs: PATIENCE_MS,
      intervalMs: 50,
    });
    const found = await judge();
    expect(broken(found)).toEqual(expect.arrayContaining(["duplicate", "event-sequence"]));
    expect(found.duplicates).toBeGreaterThan(RATE);
  });

  it("an outage longer than the transactions live, because of what is missing", async () => {
    // A session that outlives the stopped ZooKeeper, also on a slow machine: Flink gives up its connection at two
    // thirds of it.
    const session = { "high-availability.zookeeper.client.session-timeout": "30000" };
    const running = await start(
      { flinkConf: session },
      { "io.statefun.kafka.v1/egress": { "deliverySemantic.transactionTimeout": "10s" } },
    );
    running.hold("taskmanager");
    const completed = Number(await flink.completedCheckpoints());
    // A checkpoint that has its number from ZooKeeper, and waits for its files (one that had them would complete at
    // once) …
    running.pause("minio");
    await poll(
      "a checkpoint that MinIO keeps waiting",
      async () => Date.now() - Number((await flink.pendingCheckpoint())?.triggeredAtMs) > KEPT_WAITING_MS,
      { timeoutMs: PATIENCE_MS, intervalMs: 100 },
    );
    // … and gets them, but no pointer to it. Its transactions are ready to be committed …
    running.pause("zookeeper");
    running.resume("minio");
    await poll(
      "a checkpoint that only ZooKeeper has not heard of",
      async () => (await flink.pendingCheckpoint())?.acknowledged,
      { timeoutMs: 15_000, intervalMs: 20 },
    );
    // … and nothing will commit them: the TaskManager never hears that it completed.
    running.pause("taskmanager");
    running.resume("zookeeper");
    await poll("that checkpoint to complete", async () => Number(await flink.completedCheckpoints()) > completed, {
      timeoutMs: PATIENCE_MS,
      intervalMs: 20,
    });
    running.kill("taskmanager");
    await poll(
      "Kafka to abort the transactions that were left",
      async () => {
        const { partitions } = await readTopics({
          brokers,
          topics: [{ topic: TOPICS.decisions.name }],
          isolation: "read_committed",
          limit: 1,
          timeoutMs: PATIENCE_MS,
        });
        return partitions.every(({ lastStableOffset, highWatermark }) => lastStableOffset === highWatermark);
      },
      { timeoutMs: PATIENCE_MS, intervalMs: 500 },
    );
    await running.release("taskmanager");
    const found = await judge();
    expect(broken(found)).toEqual(expect.arrayContaining(["missing", "event-sequence"]));
    expect(found.missing).toBeGreaterThan(0);
    expect(found.duplicates).toBe(0);
  });
});
