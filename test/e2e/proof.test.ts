import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { stopCluster } from "../../cluster/control.js";
import { type Cluster, clusterSettings, endpoints, type RunningCluster, startCluster } from "../../cluster/index.js";
import { TOPICS } from "../../contract/topics.js";
import { warmUp } from "../../ingress-generator/warm-up.js";
import { kafkaClient } from "../../kafka/client.js";
import { faultyCluster } from "../../loadtest/failover/cluster.js";
import { pageOf, reportOf } from "../../loadtest/failover/report.js";
import { type FailoverOptions, type FailoverResult, runFailover } from "../../loadtest/failover/run.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { startOwnCommand } from "../../process/run-command.js";
import { silentStep } from "../../terminal/steps.js";
import { PROPERTIES } from "../../verifier/property.js";
import { noOpenTransaction } from "../../verifier/read.js";

const KINDS = ["kill-taskmanager", "kill-kafka", "functions-truncated", "savepoint-restart"] as const;

// The intake asks for the tokens, and k6 sends them: both get them from here.
process.env["INTAKE_TOKEN"] = "the-token-of-the-proof";
process.env["INTAKE_LABEL_TOKEN"] = "the-proof-s-token-for-labels";

describe("the proof, in short", () => {
  const folder = mkdtempSync(join(tmpdir(), "fraud-proof-"));
  const settings = clusterSettings({
    name: "e2e-proof",
    portOffset: 19_000,
    // Messages between functions cross from one subtask to the other, and each has transactions of its own.
    parallelism: 2,
    ...faultyCluster(folder),
  });
  const brokers = endpoints(settings).kafka;
  const options: FailoverOptions = {
    kinds: KINDS,
    rate: 100,
    duration: 90,
    everyKind: true,
    seed: 7,
    runId: "proof",
    calmMs: 5_000,
    onProgress: () => undefined,
  };
  let cluster: Cluster;
  let result: FailoverResult;

  beforeAll(async () => {
    cluster = await startCluster(settings, { step: silentStep, restart: true, fresh: true });
    await warmUp({
      brokers,
      runId: "proof.warm",
      seed: 1,
      transactions: 1_000,
      onProgress: () => undefined,
      signal: new AbortController().signal,
    });
    result = await runFailover({ cluster, folder }, options);
  }, 2_400_000);
  afterAll(async () => {
    await (cluster as Cluster | undefined)?.stop();
    // Without them, what goes wrong once in many runs could not be found out.
    const passed = (result as FailoverResult | undefined) !== undefined && reportOf(result, options).verdict === "pass";
    if (!passed)
      cpSync(join(settings.dataDir, "logs"), join(REPOSITORY_ROOT, "reports/proof-logs"), { recursive: true });
    await stopCluster(settings, { wipe: true });
    rmSync(folder, { recursive: true, force: true });
  });

  it("decides every transaction exactly once and in order, whatever fails", () => {
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
    expect(report.accepted).toBe(report.decisions);
    expect(report.acknowledged).toBeGreaterThan(options.rate * options.duration * 0.5);
  });

  it("checked every property, on live transactions", () => {
    const { properties } = reportOf(result, options);
    expect(properties.map(({ name }) => name).sort()).toEqual(Object.keys(PROPERTIES).sort());
    for (const { name, checked } of properties) expect(checked, name).toBeGreaterThan(0);
  });

  it("recovered from each fault, and says how fast", () => {
    expect(new Set(result.faults.map(({ kind }) => kind))).toEqual(new Set(KINDS));
    for (const { kind, recoveryMs } of result.faults) expect(recoveryMs, kind).toBeGreaterThan(0);
    const page = pageOf(reportOf(result, options), result).text;
    for (const part of [...KINDS, "Timeline", "0 missing, 0 duplicates"]) expect(page).toContain(part);
  });

  it("is judged the same by npm run verify, on whatever the topics hold", async () => {
    const { code, stdout } = await startOwnCommand(["verify", "--brokers", brokers]).finished;
    expect(stdout).toContain("0 missing, 0 duplicates, 0 out of order, 0 mismatches");
    expect(code).toBe(0);
  });

  it("is only late under overload, also when it starts cold on a backlog", async () => {
    const overload = { overloadSeconds: 20, sustained: 150, busy: true, backlog: 3_000, drainSeconds: 900 };
    const again: FailoverOptions = {
      kinds: ["overload", "cold-backlog"],
      rate: 25,
      duration: 20,
      seed: 7,
      runId: "overload",
      calmMs: 3_000,
      overload,
      onProgress: () => undefined,
    };
    const report = reportOf(await runFailover({ cluster, folder }, again), again);
    expect(report.problems).toEqual([]);
    expect(report.brokenLimits).toEqual([]);
    expect(report.properties.filter(({ violations }) => violations > 0)).toEqual([]);
    expect(report).toMatchObject({
      verdict: "pass",
      thresholds: "passed",
      overloads: [
        { kind: "overload", sent: 6_000, jobRestarts: 0 },
        { kind: "cold-backlog", sent: 3_000, jobRestarts: 0 },
      ],
    });
    for (const { busyShare, samples, checkpoints, connections, limits } of report.overloads) {
      // These programs get only the processor time that others leave them.
      expect(busyShare).toBeGreaterThan(0);
      expect(samples.length).toBeGreaterThan(5);
      expect(checkpoints.completed).toBeGreaterThan(0);
      expect(connections).toBeGreaterThan(0);
      expect(limits.map(({ name }) => name)).toEqual(
        expect.arrayContaining(["restarts", "checkpoints-failed", "drained"]),
      );
    }
  }, 1_800_000);

  it("judges what there is when something else goes wrong, and says what", async () => {
    const refusing: RunningCluster = {
      settings: cluster.settings,
      kill: () => {
        throw new Error("nothing is killed today");
      },
      pause: (part) => cluster.pause(part),
      resume: (part) => cluster.resume(part),
      hold: (part) => cluster.hold(part),
      release: (part) => cluster.release(part),
      restartFlink: (changes) => cluster.restartFlink(changes),
      status: () => cluster.status(),
      log: (part) => cluster.log(part),
      stop: () => cluster.stop(),
    };
    const again: FailoverOptions = {
      kinds: ["kill-intake"],
      rate: 50,
      duration: 60,
      seed: 7,
      runId: "refused",
      calmMs: 2_000,
      onProgress: () => undefined,
    };
    const wrong = await runFailover({ cluster: refusing, folder }, again);
    const report = reportOf(wrong, again);
    expect(report.problems).toEqual([expect.stringContaining("nothing is killed today")]);
    expect(report.properties.filter(({ violations }) => violations > 0)).toEqual([]);
    expect(report).toMatchObject({ verdict: "fail", thresholds: "passed", faults: [] });
    expect(pageOf(report, wrong).text).toContain("nothing is killed today");
  });

  it("judges what there is when k6 is killed, and says so", async () => {
    let isKilled = false;
    const onProgress = (line: string): void => {
      if (isKilled || !line.includes("fault 1")) return;
      isKilled = true;
      for (const pid of childrenNamed("k6")) process.kill(pid, "SIGKILL");
    };
    const killed: FailoverOptions = {
      kinds: ["busy-machine"],
      everyKind: true,
      rate: 50,
      duration: 30,
      seed: 7,
      runId: "k6-killed",
      calmMs: 2_000,
      onProgress,
    };
    const wrong = await runFailover({ cluster, folder }, killed);
    const report = reportOf(wrong, killed);
    expect(report.problems).toEqual([
      expect.stringMatching(/^at \d+ s: k6 ended .* before it asked for the judgement/),
    ]);
    expect(report.properties.filter(({ violations }) => violations > 0)).toEqual([]);
    expect(report).toMatchObject({ verdict: "fail", thresholds: "failed", missing: 0, duplicates: 0 });
    expect(report.acknowledged).toBeGreaterThan(0);
  });

  it("ends when it is given up in the middle of a fault, together with k6 and the readers", async () => {
    const end = new AbortController();
    const given: FailoverOptions = {
      kinds: ["busy-machine"],
      everyKind: true,
      rate: 25,
      duration: 30,
      seed: 7,
      runId: "given-up",
      calmMs: 1_000,
      signal: end.signal,
      onProgress: (line) => line.includes("fault 1") && end.abort(new Error("given up")),
    };
    await expect(runFailover({ cluster, folder, signal: end.signal }, given)).rejects.toThrow(/given up|aborted/);
  });

  it("sees a transaction that is left open", async () => {
    const producer = kafkaClient(brokers, "test").producer({
      transactionalId: "left-open",
      maxInFlightRequests: 1,
      idempotent: true,
    });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic: TOPICS.evidence.name, messages: [{ key: "open", value: "open" }] });
    expect((await noOpenTransaction(brokers, 1_000)).violations).toBe(1);
    await transaction.abort();
    await producer.disconnect();
    expect((await noOpenTransaction(brokers)).violations).toBe(0);
  });
});

/** Processes that this one has started, by their program's name. */
function childrenNamed(name: string): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      try {
        const [, program, parent] = /^\d+ \((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
        return program === name && Number(parent) === process.pid ? [Number(pid)] : [];
      } catch {
        // It has ended.
        return [];
      }
    });
}
