import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { clusterStatus, stopCluster } from "../../cluster/control.js";
import { clusterSettings, endpoints, flinkClient } from "../../cluster/index.js";
import { readStateRecord } from "../../cluster/state/state-record.js";
import type { DemoReport } from "../../demo/report.js";
import { poll } from "../../process/poll.js";
import { identify, isAlive } from "../../process/process-identity.js";
import { startOwnCommand, startProgram } from "../../process/run-command.js";
import { CutLoad } from "../cut-load.js";
import { PATIENCE_MS } from "../patience.js";
import { endAtOnce, processTree } from "../process-tree.js";

const settings = clusterSettings({ name: "e2e-commands", portOffset: 14_000 });
const here = ["--name", settings.name, "--port-offset", "14000"];
const brokers = ["--brokers", endpoints(settings).kafka];

const running: ReturnType<typeof startOwnCommand>[] = [];
function command(args: readonly string[], env?: NodeJS.ProcessEnv) {
  const started = startOwnCommand(args, env);
  running.push(started);
  return started;
}
const finish = (args: readonly string[], env?: NodeJS.ProcessEnv) => command(args, env).finished;
const errorLines = (text: string) => text.split("\n").filter((line) => line.startsWith("error:"));

beforeAll(async () => {
  await stopCluster(settings, { wipe: true });
});

afterAll(async () => {
  for (const { kill } of running) kill("SIGKILL");
  await stopCluster(settings, { wipe: true });
});

describe("a command that cannot do what it is asked says why in one line", () => {
  it.each([
    { args: ["demo", "--rate", "fast"], why: /--rate.*whole number from 1 to 20000/ },
    { args: ["demo", "--rate", "0"], why: /--rate/ },
    { args: ["demo", "--exit"], why: /--exit needs --transactions/ },
    { args: ["generate", "--rate", "-1"], why: /--rate/ },
    {
      args: ["generate", "--transactions", "1", "--brokers", "127.0.0.1:1"],
      why: /no Kafka broker answers at 127.0.0.1:1/,
    },
    { args: ["topics", "decisions", "--brokers", "127.0.0.1:1"], why: /no Kafka broker answers/ },
    { args: ["cluster", "kill", "kafka", ...here], why: /kafka of the cluster "e2e-commands" does not run/ },
    { args: ["cluster", "logs", "nothing"], why: /must be one of zookeeper/ },
    { args: ["cluster", "up", "--state-backend", "disk"], why: /Allowed choices are rocksdb, hashmap/ },
    {
      args: ["cluster", "convert", "rocksdb", ...here],
      why: /the cluster "e2e-commands" has no state yet.*up --state-backend rocksdb/,
    },
    {
      args: ["cluster", "convert", "--parallelism", "2", ...here],
      why: /the cluster "e2e-commands" has no state yet.*up --parallelism 2 --name/,
    },
    { args: ["cluster", "convert", ...here], why: /name what to change: rocksdb or hashmap, or --parallelism/ },
    {
      args: ["generate", "--profile", "handbook-places", "--label-delay", "3"],
      why: /--label-delay can't be chosen with --profile handbook-places/,
    },
    { args: ["train", "--labels-at-once"], why: /--labels-at-once is for --data-set places/ },
    { args: ["nonsense"], why: /no command "nonsense"/ },
  ])("$args", async ({ args, why }) => {
    const { code, stderr } = await finish(args);
    expect(code).toBe(1);
    expect(errorLines(stderr)).toHaveLength(1);
    expect(stderr).toMatch(why);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it("no Java on PATH", async () => {
    const folder = mkdtempSync(join(tmpdir(), "no-java-"));
    try {
      symlinkSync(process.execPath, join(folder, "node"));
      const { code, stderr } = await finish(["demo", "--native", "--transactions", "1", "--exit", ...here], {
        ...process.env,
        PATH: folder,
      });
      expect(code).toBe(1);
      expect(errorLines(stderr)).toEqual([expect.stringMatching(/missing: a Java 17 JDK \(get it: .*\)/)]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("a port that is taken", async () => {
    const other = createServer();
    await new Promise<void>((resolve, reject) =>
      other.once("error", reject).listen(settings.ports.kafka, "127.0.0.1", resolve),
    );
    try {
      const { code, stderr } = await finish(["demo", "--native", "--transactions", "1", "--exit", ...here]);
      expect(code).toBe(1);
      expect(errorLines(stderr)).toEqual([
        expect.stringContaining(`port ${settings.ports.kafka}, which kafka needs, is taken`),
      ]);
      expect((await clusterStatus(settings)).parts.filter(({ pid }) => pid !== undefined)).toEqual([]);
    } finally {
      other.close();
    }
  });

  it.each([
    "demo",
    "cluster",
    "generate",
    "images",
    "topics",
    "rejected",
    "fuzz",
    "loadtest",
    "failover",
    "verify",
    "trace",
    "bench",
    "test",
  ])("%s --help", async (name) => {
    const { code, stdout } = await finish([name, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: npm (run )?/);
  });
});

describe("the demo", () => {
  const nothingRuns = async () => {
    const status = await clusterStatus(settings);
    expect(status.supervisorPid).toBeUndefined();
    expect(status.parts.filter(({ pid }) => pid !== undefined)).toEqual([]);
  };
  const untilItDecides = async () => {
    const demo = command(["demo", "--native", "--rate", "100", "--warm-up", "0", ...here]);
    let ended = false;
    void demo.finished.then(() => (ended = true));
    await poll("the demo to decide something", () => ended || /decided [1-9]/.test(demo.output()), {
      timeoutMs: PATIENCE_MS,
    });
    expect(ended, demo.output()).toBe(false);
    return demo;
  };

  it("can be killed (-9) in mid-run, takes its parts with it, and can be started again", async () => {
    const demo = await untilItDecides();
    const { parts } = await clusterStatus(settings);
    expect(parts.every(({ pid }) => pid !== undefined)).toBe(true);
    demo.kill("SIGKILL");
    await demo.finished;
    await poll("its parts to end", async () => (await nothingRuns(), true), { timeoutMs: PATIENCE_MS });

    const report = join(mkdtempSync(join(tmpdir(), "demo-report-")), "demo.json");
    onTestFinished(() => rmSync(dirname(report), { recursive: true }));
    const { code, stdout, stderr } = await finish([
      "demo",
      "--native",
      "--transactions",
      "500",
      "--rate",
      "100",
      "--seed",
      "3",
      "--warm-up",
      "200",
      "--exit",
      "--report",
      report,
      ...here,
    ]);
    expect(code, stdout + stderr).toBe(0);
    const figures = JSON.parse(readFileSync(report, "utf8")) as DemoReport;
    expect(figures).toMatchObject({
      sent: 500,
      decisions: 500,
      duplicates: 0,
      missing: 0,
      outOfOrder: 0,
      jobRestarts: 0,
      violations: [],
    });
    expect(figures.committedLatencyMs.p99).toBeGreaterThanOrEqual(figures.committedLatencyMs.p50);
    await nothingRuns();
  });

  it("stops cleanly at Ctrl-C", async () => {
    const demo = await untilItDecides();
    const second = await finish(["demo", "--native", ...here]);
    expect(errorLines(second.stderr)).toEqual([expect.stringContaining("already running")]);
    demo.kill("SIGINT");
    const { code } = await demo.finished;
    expect(code, demo.output()).toBe(0);
    await nothingRuns();
  });
});

describe("the cluster", () => {
  /** What a machine empties when it starts. */
  const temporary = mkdtempSync(join(tmpdir(), "fraud-machine-"));
  afterAll(() => rmSync(temporary, { recursive: true, force: true }));
  const up = () => finish(["cluster", "up", "--detach", ...here], { ...process.env, TMPDIR: temporary });
  const generate = async (runId: string) => {
    const generated = await finish(["generate", "--transactions", "20", "--rate", "20", "--run-id", runId, ...brokers]);
    expect(generated.stdout).toContain(`run ${runId}: 20 transactions`);
    await poll(
      "the 20 transactions to be decided",
      async () =>
        (await finish(["topics", "decisions", "--limit", "1000", "--compact", ...brokers])).stdout
          .split("\n")
          .filter((line) => line.includes(`"key":"${runId}-`)).length === 20,
      { timeoutMs: PATIENCE_MS },
    );
  };

  it("goes on in the background, heals a killed part, and shows its topics decoded", async () => {
    const started = await up();
    expect(started.code, started.stderr).toBe(0);
    expect((await finish(["cluster", "status", ...here])).code).toBe(0);
    // So that the next start gives the job its slots, and Kafka where it looks for it.
    expect(await readStateRecord(settings)).toMatchObject({
      parallelism: settings.parallelism,
      kafka: endpoints(settings).kafka,
    });
    const again = await finish(["cluster", "up", "--detach", ...here]);
    expect(errorLines(again.stderr)).toEqual([expect.stringMatching(/the cluster "e2e-commands" is already running/)]);
    expect([again.code, again.stdout]).toEqual([1, ""]);

    await generate("listed");
    const topics = await finish(["topics", "decisions", "--from-beginning", "--limit", "10", "--compact", ...brokers]);
    const records = topics.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records).toHaveLength(10);
    for (const record of records) {
      expect(record).toMatchObject({
        topic: "decisions",
        type: "fraud.v1.Decision",
        value: { evidence: { scoring: { model_id: "points-v3" } } },
      });
      expect(Object.keys(record)).toEqual(expect.arrayContaining(["key", "partition", "offset", "timestamp"]));
    }

    expect((await finish(["cluster", "kill", "taskmanager", ...here])).code).toBe(0);
    await poll("the job to notice", async () => !(await clusterStatus(settings)).running, { timeoutMs: PATIENCE_MS });
    await poll("the cluster to be whole again", async () => (await clusterStatus(settings)).running, {
      timeoutMs: PATIENCE_MS,
    });
  });

  it.runIf(process.platform === "linux")(
    "decides everything once when the machine is started again in the middle of a load, and minds nobody who has a number of before",
    async () => {
      const load = await CutLoad.begin(endpoints(settings).kafka, "machine");
      await endAtOnce(processTree((await clusterStatus(settings)).supervisorPid!));
      await load.cut();

      // What is on the disk is there, but for /tmp; and others run, one of them with the numbers of all that ran.
      rmSync(temporary, { recursive: true });
      mkdirSync(temporary);
      const other = startProgram(process.execPath, ["-e", "setInterval(() => undefined, 1000)"]);
      onTestFinished(() => other.kill("SIGKILL"));
      const itself = identify(other.pid)!;
      const pids = join(settings.dataDir, "pids");
      const left = readdirSync(pids);
      expect(left).toEqual(expect.arrayContaining(["supervisor.json", "kafka.json", "taskmanager.json"]));
      const before = { ...itself, started: itself.started.replace(/ .*/, ` ${"0".repeat(36)}`) };
      for (const file of left) writeFileSync(join(pids, file), JSON.stringify(before));

      const started = await up();
      expect(started.code, started.stderr).toBe(0);
      await load.isDecidedOnce(flinkClient(settings));
      await generate("rebooted");

      expect((await finish(["cluster", "down", ...here])).code).toBe(0);
      expect(isAlive(itself)).toBe(true);
      expect((await finish(["cluster", "status", ...here])).code).toBe(3);
    },
  );

  it("refuses to start when its checkpoints are gone, and starts over when told to", async () => {
    rmSync(join(settings.dataDir, "minio"), { recursive: true });
    const refused = await finish(["cluster", "up", "--detach", ...here]);
    expect(refused.code).toBe(1);
    expect(errorLines(refused.stderr).join()).toMatch(/checkpoint is gone.*down --name e2e-commands --wipe/);
    const fresh = await finish(["cluster", "up", "--detach", "--fresh", ...here]);
    expect(fresh.code, fresh.stderr).toBe(0);
    expect((await finish(["topics", "decisions", "--from-beginning", ...brokers])).stdout).toBe("");
    await generate("before");
    await flinkClient(settings).waitForCheckpoints(1, PATIENCE_MS);
    expect((await finish(["cluster", "status", ...here])).stdout).toMatch(
      /^state +hashmap, last checkpoint [\d.]+ MB$/m,
    );
    expect((await finish(["cluster", "down", ...here])).code).toBe(0);
  });

  it("keeps its state's backend and its parallelism until they are converted, and completes a conversion that was killed after its savepoint", async () => {
    const other = await finish(["cluster", "up", "--detach", "--state-backend", "rocksdb", ...here]);
    expect(other.code).toBe(1);
    expect(errorLines(other.stderr)).toEqual([
      expect.stringMatching(
        /the state is on hashmap, and checkpoints do not restore on rocksdb\..*cluster -- convert rocksdb --name e2e-commands/,
      ),
    ]);
    const wider = await finish(["cluster", "up", "--detach", "--parallelism", "2", ...here]);
    expect([wider.code, errorLines(wider.stderr)]).toEqual([
      1,
      [expect.stringMatching(/a parallelism of 1, .*cluster -- convert --parallelism 2 --name e2e-commands/)],
    ]);
    const savepoints = join(settings.dataDir, "minio", settings.objectStore.bucket, "savepoints");
    const converting = command(["cluster", "convert", "rocksdb", "--parallelism", "2", ...here]);
    await poll(
      "the conversion's savepoint",
      () => readdirSync(savepoints, { recursive: true }).some((file) => String(file).endsWith("_metadata/xl.meta")),
      { timeoutMs: PATIENCE_MS, intervalMs: 5 },
    );
    converting.kill("SIGKILL");
    await converting.finished;

    const up = await finish(["cluster", "up", "--detach", ...here]);
    expect(up.code, up.stderr).toBe(0);
    expect((await finish(["cluster", "status", ...here])).stdout).toMatch(/^state +rocksdb/m);
    expect(await flinkClient(settings).parallelism()).toBe(2);
    await generate("after");
    const { code, stdout } = await finish(["verify", ...brokers]);
    expect(stdout).toContain("0 missing, 0 duplicates, 0 out of order, 0 mismatches");
    expect(code).toBe(0);
    expect((await finish(["cluster", "down", "--wipe", ...here])).code).toBe(0);
  });
});
