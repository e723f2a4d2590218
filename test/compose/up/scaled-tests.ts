import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { dockerOk } from "../../../cluster/compose/docker.js";
import { startedEngine } from "../../../cluster/compose/engine.js";
import { TOPICS } from "../../../contract/topics.js";
import { runGenerator } from "../../../ingress-generator/producer.js";
import { readTopics } from "../../../java/java-reader.js";
import { reportOf } from "../../../loadtest/failover/report.js";
import { type FailoverOptions, runFailover } from "../../../loadtest/failover/run.js";
import { poll } from "../../../process/poll.js";
import { CutLoad } from "../../cut-load.js";
import { PATIENCE_MS } from "../../patience.js";
import { endMachine, startMachine } from "../machine.js";
import { brokers, cluster, compose, flink, scaleTo, sendAndExpectDecisions, untilItRunsOn } from "./up-project.js";

/** What `docker compose kill` can hit, as the schedule of faults calls it. */
const KINDS = ["kill-taskmanager", "kill-jobmanager", "kill-functions", "kill-kafka", "kill-minio"] as const;

/** With two workers and two function servers, until one is taken away. */
export function scaledTests(): void {
  it("uses all of two workers and two function servers", async () => {
    const { code, stderr } = await scaleTo({ worker: 2, functions: 2 }, "--wait");
    expect(code, stderr).toBe(0);
    // The parallelism is that of the workers which the master finds when it starts.
    expect((await compose("restart", "master")).code).toBe(0);
    await poll(
      "the job to run on both workers",
      async () =>
        (await flink.jobState()) === "RUNNING" &&
        (await cluster.logOf("master")).includes("parallelism 2: 2 workers") &&
        (await flink.parallelism()) === 2,
      { timeoutMs: PATIENCE_MS, intervalMs: 500 },
    );
    // Before anything is killed: a counter starts again with its process.
    await runGenerator({ brokers, seed: 6, runId: "spread", rate: 200, transactions: 1_000, accounts: 500 });
    const { workers, functions } = await poll(
      "its transactions to be numbered",
      async () => {
        const figures = await workDone();
        return figures.functions.reduce((sum, count) => sum + count, 0) >= 1_000 && figures;
      },
      { timeoutMs: PATIENCE_MS, intervalMs: 1_000 },
    );
    expect([workers.length, functions.length]).toEqual([2, 2]);
    // Shares are not equal: accounts and merchants are spread by hash, calls go to the server with the fewest.
    for (const count of [...workers, ...functions]) expect(count).toBeGreaterThan(100);
  });

  it("decides every transaction exactly once and in order, whatever is killed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fraud-compose-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const options: FailoverOptions = {
      kinds: KINDS,
      rate: 75,
      duration: 90,
      everyKind: true,
      seed: 3,
      runId: "scaled",
      where: "containers",
      calmMs: 5_000,
      onProgress: () => undefined,
    };
    const result = await runFailover({ cluster, folder }, options);
    const report = reportOf(result, options);
    expect(report.properties.filter(({ violations }) => violations > 0)).toEqual([]);
    expect(report).toMatchObject({
      verdict: "pass",
      missing: 0,
      duplicates: 0,
      outOfOrder: 0,
      mismatches: 0,
      thresholds: "passed",
      notFitted: [],
    });
    expect(report.acknowledged).toBeGreaterThan(options.rate * options.duration * 0.5);
    expect(new Set(result.faults.map(({ kind }) => kind))).toEqual(new Set(KINDS));
  }, 2_400_000);

  it("comes back by itself when the machine is started again in the middle of a load, with all workers; everything is decided once", async ({
    skip,
  }) => {
    if (startedEngine() === undefined) skip("the engine is someone else's");
    const load = await CutLoad.begin(brokers, "machine");
    await endMachine();
    await load.cut();
    await startMachine();
    await untilItRunsOn(2);
    await load.isDecidedOnce(flink);
  });

  it("takes a load from k6 in a container, which takes no worker and no function server away", async () => {
    const scaled = () => ["worker", "functions"].map((service) => cluster.containers(service).map(({ id }) => id));
    const those = scaled();
    expect(those.map(({ length }) => length)).toEqual([2, 2]);
    const before = (
      await readTopics({
        brokers,
        topics: [{ topic: TOPICS.transactionsValid.name }],
        isolation: "read_committed",
        timeoutMs: PATIENCE_MS,
      })
    ).records.length;
    const { code, stdout, stderr } = await compose("run", "--rm", "-e", "RATE=100", "-e", "DURATION=10", "k6");
    expect(code, stdout + stderr).toBe(0);
    const sent = Number(/acknowledged\W+(\d+)/.exec(stdout)?.[1]);
    expect(sent).toBeGreaterThan(800);
    await poll(
      "what k6 sent to stand in the topic",
      async () =>
        (
          await readTopics({
            brokers,
            topics: [{ topic: TOPICS.transactionsValid.name }],
            isolation: "read_committed",
            timeoutMs: PATIENCE_MS,
          })
        ).records.length >=
        before + sent,
      { timeoutMs: PATIENCE_MS, intervalMs: 1_000 },
    );
    expect(scaled()).toEqual(those);
    await untilItRunsOn(2);
  });

  it("goes on with the workers that are left when one is taken away, and says so", async () => {
    const { code, stderr } = await scaleTo({ worker: 1, functions: 2 });
    expect(code, stderr).toBe(0);
    await sendAndExpectDecisions({ runId: "fewer", seed: 9, rate: 200, transactions: 500, accounts: 50 });
    await untilItRunsOn(1);
    expect(await cluster.logOf("master")).toMatch(
      /the job needs 2 slots, and for \d+ s there have been 1, of 1 workers: the master is started again/,
    );
  });
}

/**
 * What each worker and each function server has done, according to its own metrics: messages to account counters, and
 * transactions numbered.
 */
async function workDone(): Promise<Record<"workers" | "functions", readonly number[]>> {
  // Only containers reach these ports.
  const scrape = async (from: string, url: string): Promise<string> =>
    await dockerOk([
      "exec",
      from,
      "node",
      "-e",
      "fetch(process.argv[1]).then(async (answer) => console.log(await answer.text()))",
      url,
    ]);
  const sumOf = (text: string, name: RegExp): number =>
    [...text.matchAll(name)].reduce((sum, [, value]) => sum + Number(value), 0);
  const [intake] = cluster.containers("intake");
  const workers = await Promise.all(
    cluster
      .containers("worker")
      .map(async ({ address }) =>
        sumOf(
          await scrape(intake!.id, `http://${address}:9249/metrics`),
          /^flink_taskmanager_job_task_operator_functions_fraud_account_counter_in\{.*\} ([\d.eE+]+)$/gm,
        ),
      ),
  );
  const functions = await Promise.all(
    cluster
      .containers("functions")
      .map(async ({ id }) =>
        sumOf(await scrape(id, "http://127.0.0.1:8000/metrics"), /^fraud_transactions_total (\d+)$/gm),
      ),
  );
  return { workers, functions };
}
