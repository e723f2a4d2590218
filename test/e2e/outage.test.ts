import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { ClusterEvent } from "../../cluster/cluster.js";
import { stopCluster } from "../../cluster/control.js";
import { type Cluster, clusterSettings, endpoints, flinkClient, startCluster } from "../../cluster/index.js";
import { recorded } from "../../cluster/processes/managed-process.js";
import type { Part } from "../../cluster/settings.js";
import { kafkaClient, withAdmin } from "../../kafka/client.js";
import { openTransactions } from "../../kafka/transactions.js";
import { poll } from "../../process/poll.js";
import { silentStep } from "../../terminal/steps.js";
import { fakeTimeLibrary, OwnClock } from "../../tools/index.js";
import { PATIENCE_MS } from "../patience.js";
import { SentInputs } from "./sent-inputs.js";
import { bytesIn, transactionLogs, type TransactionState, transactionStates } from "./transaction-log.js";

/*
 * An outage of a day, as Kafka knows it: by the broker's clock alone. The whole pipeline runs; its job is at one of the
 * three moments of a commit in two phases. A checkpoint is held up there by an object store that stands still.
 */

const CAN_JUMP = fakeTimeLibrary() !== undefined;
if (!CAN_JUMP)
  process.stderr.write(
    "skipped, a pipeline whose broker's clock jumps: this machine lacks it (get it: apt-get install libfaketime)\n",
  );

/** Where a transaction of 15 minutes tells that the broker has looked for old ones, by its new clock. */
const WITNESS = "witness";
/** What is worked on writes something down more often. */
const QUIET_MS = 1_000;
/** A moment cannot be hit for sure: the second phase takes milliseconds. */
const TIMES_TRIED = 20;

describe.skipIf(!CAN_JUMP)("an outage of 24 h by the broker's clock loses and repeats nothing", () => {
  const folder = mkdtempSync(join(tmpdir(), "fraud-outage-"));
  const clock = new OwnClock(join(folder, "clock"));
  const settings = clusterSettings({
    name: "e2e-outage",
    portOffset: 23_000,
    // Each subtask has transactions of its own.
    parallelism: 2,
    kafkaEnv: clock.env,
    // However small a task's state: it is an object, and no task is done before the store has it.
    flinkConf: { "state.storage.fs.memory-threshold": "0b" },
  });
  const { kafka: brokers, flink: rest } = endpoints(settings);
  const flink = flinkClient(settings);
  const inputs = new SentInputs(settings);
  /** One that a checkpoint waits for, and one after it. */
  const READY = 2 * settings.parallelism;
  const died = new Set<Part>();
  let cluster: Cluster;
  let days = 0;

  beforeAll(async () => {
    const onEvent = (event: ClusterEvent): void => {
      if (event.kind === "died") died.add(event.part);
    };
    cluster = await startCluster(settings, { step: silentStep, restart: true, fresh: true, onEvent });
    await withAdmin(brokers, (admin) =>
      admin.createTopics({ waitForLeaders: true, topics: [{ topic: WITNESS, numPartitions: 1 }] }),
    );
    await inputs.send(200);
    await inputs.areDecidedOnce();
  });
  afterAll(async () => {
    await cluster?.stop();
    await stopCluster(settings, { wipe: true });
    rmSync(folder, { recursive: true, force: true });
  });

  /** Kills a part, which stays down until it is released. */
  async function down(part: Part, kill = () => cluster.kill(part)): Promise<void> {
    died.delete(part);
    cluster.hold(part);
    kill();
    await poll(`${part} to be gone`, () => died.has(part), { timeoutMs: PATIENCE_MS, intervalMs: 20 });
  }

  const open = async (): Promise<string[]> =>
    (await openTransactions(brokers)).map((one) => one.transactionalId).sort();
  const egress = async (): Promise<string[]> => (await open()).filter((id) => id !== WITNESS);
  /** Those of the egress that are in a state on the broker's disk. */
  const onDisk = async (wanted: TransactionState): Promise<string[]> =>
    [...(await transactionStates(settings))]
      .filter(([id, state]) => id !== WITNESS && state === wanted)
      .map(([id]) => id)
      .sort();

  /** Where the newest complete checkpoint is. */
  async function newest(): Promise<string | undefined> {
    const answer = await fetch(`${rest}/jobs/${await flink.jobId()}/checkpoints`);
    const { latest } = (await answer.json()) as {
      readonly latest: { readonly completed: { readonly external_path: string } | null };
    };
    return latest.completed?.external_path;
  }

  /**
   * Stops the object store so that every subtask has one transaction that it has made ready for a checkpoint, and one
   * for what came after, and all that was sent is worked off.
   *
   * @returns the last checkpoint before
   */
  async function readyToCommit(): Promise<string | undefined> {
    await witness();
    for (let tried = 0; tried < TIMES_TRIED; tried++) {
      await flink.waitForCheckpoints(1, PATIENCE_MS);
      // Before and behind the barrier of the next checkpoint.
      const sending = inputs.send(600);
      await poll("transactions to be begun", async () => (await egress()).length >= settings.parallelism, {
        timeoutMs: PATIENCE_MS,
        intervalMs: 20,
      });
      cluster.pause("minio");
      await sending;
      await quiet();
      if ((await egress()).length >= READY) return await newest();
      cluster.resume("minio");
    }
    throw new Error(`no checkpoint was held up with transactions that are ready, in ${TIMES_TRIED} attempts`);
  }

  /** Waits until no transaction is begun or ended any more. */
  async function quiet(): Promise<void> {
    let bytes = -1;
    await poll("transactions to stay as they are", () => bytes === (bytes = bytesIn(transactionLogs(settings))), {
      timeoutMs: PATIENCE_MS,
      intervalMs: QUIET_MS,
    });
  }

  /** Begins the transaction that the broker will give up, and leaves it alone. */
  async function witness(): Promise<void> {
    const producer = kafkaClient(brokers, WITNESS).producer({
      transactionalId: WITNESS,
      idempotent: true,
      maxInFlightRequests: 1,
      transactionTimeout: 15 * 60_000,
    });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic: WITNESS, messages: [{ value: "ready" }] });
    await producer.disconnect();
  }

  /** The broker looks for transactions that are too old every ten seconds. */
  const dayIsOver = (): Promise<unknown> =>
    poll("the broker to have looked by its new clock", async () => !(await open()).includes(WITNESS), {
      timeoutMs: PATIENCE_MS,
    });

  /** For the broker the producers of the intake, which has lived through it all, have said nothing for a day. */
  async function goesOn(): Promise<void> {
    await inputs.send(100);
    await inputs.areDecidedOnce();
  }

  it("in the first phase: the transactions are ready, and their checkpoint is not", async () => {
    const before = await readyToCommit();
    await down("taskmanager");
    const ids = await egress();
    expect(ids.length).toBeGreaterThanOrEqual(READY);
    await poll("the JobManager to miss it", async () => (await flink.jobState()) !== "RUNNING", {
      timeoutMs: PATIENCE_MS,
    });
    clock.setAhead(++days);
    await dayIsOver();
    expect(await egress()).toEqual(ids);
    cluster.resume("minio");
    await cluster.release("taskmanager");
    await flink.waitForRunning(PATIENCE_MS);
    expect(await flink.restoredFrom(PATIENCE_MS)).toBe(before);
    await goesOn();
  });

  it("between the phases: the checkpoint is complete, and the broker has heard nothing of it", async () => {
    const before = await readyToCommit();
    await down("kafka");
    const ids = await onDisk("Ongoing");
    expect(ids.length).toBeGreaterThanOrEqual(READY);
    cluster.resume("minio");
    const completed = await poll(
      "the checkpoint to complete",
      async () => {
        const path = await newest();
        return path !== before && path;
      },
      { timeoutMs: PATIENCE_MS, intervalMs: 20 },
    );
    await down("taskmanager");
    clock.setAhead(++days);
    await cluster.release("kafka");
    await dayIsOver();
    expect(await egress()).toEqual(ids);
    await cluster.release("taskmanager");
    await flink.waitForRunning(PATIENCE_MS);
    expect(await flink.restoredFrom(PATIENCE_MS)).toBe(completed);
    await goesOn();
  });

  it("in the second phase: the broker has written down that it commits, and nothing more", async () => {
    let committing: readonly string[] = [];
    for (let tried = 0; committing.length === 0; tried++) {
      expect(tried).toBeLessThan(TIMES_TRIED);
      await readyToCommit();
      const { pid } = recorded(settings, "kafka")!;
      const files = transactionLogs(settings);
      const bytes = bytesIn(files);
      await down("kafka", () => {
        cluster.resume("minio");
        // What is written next is that a commit begins, and milliseconds later that it is complete.
        for (const endMs = Date.now() + PATIENCE_MS; bytesIn(files) === bytes && Date.now() < endMs;);
        process.kill(pid, "SIGKILL");
      });
      committing = await onDisk("PrepareCommit");
      if (committing.length === 0) await cluster.release("kafka");
    }
    clock.setAhead(++days);
    await cluster.release("kafka");
    await dayIsOver();
    await flink.waitForRunning(PATIENCE_MS);
    await goesOn();
  });
});
