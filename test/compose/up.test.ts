import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";

import { ComposeCluster, removeProject } from "../../cluster/compose/compose-cluster.js";
import { docker, dockerOk } from "../../cluster/compose/docker.js";
import { composeArgs, composeProject } from "../../cluster/compose/project.js";
import { startedEngine } from "../../cluster/compose/engine.js";
import { serviceOf, SERVICES } from "../../cluster/compose/services.js";
import { authorizationOf } from "../../cluster/prometheus/login.js";
import { KILLABLE } from "../../cluster/failure-helper.js";
import { clusterSettings, endpoints, flinkClient } from "../../cluster/index.js";
import { TOPICS } from "../../contract/topics.js";
import type { AlertsPage, Meta } from "../../dashboards/live/wire.js";
import { dashboards, filledIn } from "../../dashboards/provisioned.js";
import { checkedTopics, checkRun } from "../../demo/check.js";
import { runGenerator } from "../../ingress-generator/producer.js";
import { readTopics } from "../../java/java-reader.js";
import { topicEnds } from "../../kafka/offsets.js";
import { reportOf } from "../../loadtest/failover/report.js";
import { type FailoverOptions, runFailover } from "../../loadtest/failover/run.js";
import { poll } from "../../process/poll.js";
import { knownInputs } from "../../verifier/known.js";
import { readBack } from "../../verifier/read.js";
import { verifyStored } from "../../verifier/verify.js";
import { BROWSER } from "../e2e/browser/browser.js";
import { attackByPages, openServer } from "../e2e/browser/strange-page.js";
import { attackedPaths, STRANGE, strangeBodies } from "../e2e/browser/strange-requests.js";
import { networkListeners } from "../e2e/listeners.js";
import { leaveTransactionOpen } from "../e2e/left-open.js";
import { CutLoad } from "../cut-load.js";
import { PATIENCE_MS } from "../patience.js";
import { endMachine, startMachine } from "./machine.js";

const SENT = 5_000;
/** What `docker compose kill` can hit, as the schedule of faults calls it. */
const KINDS = ["kill-taskmanager", "kill-jobmanager", "kill-functions", "kill-kafka", "kill-minio"] as const;

/** Only watch. */
const ASIDE = ["dashboard", "failures", "prometheus"] as const;

/** What is published at this machine's loopback, with the port inside the container. */
const PUBLISHED = {
  kafka: 29_092,
  minio: 9_000,
  flinkRest: 8_081,
  functions: 8_000,
  intake: 8_080,
  dashboard: 8_090,
  prometheus: 9_090,
} as const;
/** Services that listen for nobody. */
const SILENT: ReadonlySet<string> = new Set(["console", "generator", "tidy"]);

const settings = clusterSettings({
  name: "test-up",
  portOffset: 18_000,
  serverEnv: { GENERATOR_RATE: "100", DASHBOARD_FAILURES_TOKEN: "of-this-test-alone" },
});
const project = composeProject(settings);
const brokers = endpoints(settings).kafka;
const webApp = endpoints(settings).dashboard;
const flink = flinkClient(settings);
const compose = (...args: readonly string[]) =>
  docker(composeArgs(project, "--profile", "failures", "--profile", "prometheus", ...args), project.env);
/** Without what sends by itself, and what only watches. */
const scaleTo = (scale: Readonly<Record<"worker" | "functions", number>>, ...flags: readonly string[]) =>
  compose(
    "up",
    "--detach",
    ...flags,
    ...[...Object.entries(scale), ...["generator", ...ASIDE].map((service) => [service, 0] as const)].flatMap(
      ([service, count]) => ["--scale", `${service}=${count}`],
    ),
  );
interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** Their containers, networks and volumes, running or not. */
const leftovers = async (): Promise<string[]> => {
  const lists = await Promise.all(
    [
      ["ps", "--all"],
      ["network", "ls"],
      ["volume", "ls"],
    ].map((what) => dockerOk([...what, "--quiet", "--filter", `label=com.docker.compose.project=${project.name}`])),
  );
  return lists.flatMap((list) => list.split("\n").filter((line) => line !== ""));
};

describe.skipIf(inject("noContainers") !== "")("docker compose, as people use it", () => {
  const cluster = new ComposeCluster(settings, project);

  beforeAll(() => removeProject(project, { volumes: true }));
  afterAll(() => removeProject(project, { volumes: true }));

  it("has a file that compose accepts without a warning", async () => {
    const { code, stdout, stderr } = await compose("--profile", "*", "config");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).not.toMatch(/:latest|published: "\d+"\n\s+host_ip: (?!127\.0\.0\.1)/);
  });

  it("says which port is taken", async () => {
    const other = createServer();
    await new Promise<void>((resolve, reject) =>
      other.once("error", reject).listen(settings.ports.kafka, "127.0.0.1", resolve),
    );
    try {
      const { code, stderr } = await compose("up", "--detach", "kafka");
      expect(code).not.toBe(0);
      expect(stderr).toMatch(
        new RegExp(`127\\.0\\.0\\.1:${settings.ports.kafka}.*(address already in use|port is already allocated)`),
      );
    } finally {
      other.close();
    }
    await removeProject(project, { volumes: true });
  });

  it("is up, and the job runs", async () => {
    const { code, stderr } = await compose("up", "--detach", "--wait");
    expect(code, stderr).toBe(0);
    expect(await flink.jobState()).toBe("RUNNING");
  });

  it("keeps its data in named volumes: others would be left behind at each start", async () => {
    const ids = (
      await dockerOk(["ps", "--all", "--quiet", "--filter", `label=com.docker.compose.project=${project.name}`])
    )
      .trim()
      .split("\n");
    const mounted = await dockerOk([
      "inspect",
      "--format",
      '{{range .Mounts}}{{if eq .Type "volume"}}{{println .Name}}{{end}}{{end}}',
      ...ids,
    ]);
    const names = new Set(mounted.split("\n").filter((line) => line !== ""));
    expect([...names].sort()).toEqual(
      [
        "flink-key",
        "kafka-data",
        "keys",
        "minio-data",
        "prometheus-data",
        "prometheus-login",
        "transport",
        "zookeeper-data",
        "zookeeper-log",
      ].map((name) => `${project.name}_${name}`),
    );
  });

  it("lets nobody change its secrets, and none but those who must read them", async () => {
    const look = `
      const { readdirSync, statSync } = require("node:fs");
      const one = (path) => { const { uid, mode } = statSync(path); return [path, { uid, mode: (mode & 0o7777).toString(8) }]; };
      console.log(JSON.stringify(Object.fromEntries(["keys", "prometheus-login"].flatMap((volume) =>
        readdirSync("/volumes/" + volume, { recursive: true }).map((file) => one("/volumes/" + volume + "/" + file))))));`;
    const { code, stdout, stderr } = await compose("run", "--rm", "--no-deps", "-T", "keys", "node", "-e", look);
    expect(code, stderr).toBe(0);
    const files = Object.entries(JSON.parse(stdout) as Readonly<Record<string, { uid: number; mode: string }>>);
    // As whom MinIO and this repository's services run; Flink, Prometheus and Grafana run as others.
    expect(files.filter(([, { uid }]) => uid !== 1000)).toEqual([]);
    expect(files.filter(([, { mode }]) => mode === "600").map(([path]) => path)).toEqual([
      "/volumes/keys/minio.env",
      "/volumes/keys/object-store-keys.json",
    ]);
    expect(files.filter(([, { mode }]) => mode !== "600")).toEqual(
      ["/volumes/keys/aws-credentials", "/volumes/prometheus-login/password", "/volumes/prometheus-login/web.yml"].map(
        (path) => [path, { uid: 1000, mode: "644" }],
      ),
    );
    // In volumes that only these mount: docker-compose.yml names them.
    const mount = async (volume: string): Promise<string[]> =>
      (await dockerOk(["ps", "--all", "--filter", `volume=${project.name}_${volume}`, "--format", "{{.Names}}"]))
        .trim()
        .split("\n")
        .map((name) => name.replace(`${project.name}-`, "").replace(/-\d+$/, ""))
        .sort();
    expect(await mount("keys")).toEqual(["init", "keys", "master", "minio", "tidy", "worker"]);
    expect(await mount("flink-key")).toEqual(["flink-key", "master", "worker"]);
    expect(await mount("prometheus-login")).toEqual(["keys", "prometheus"]);
  });

  it("generates transactions by itself, raises alerts, and says where to look", async () => {
    const console = () => cluster.logOf("console");
    await poll("an alert on the console", async () => (await console()).includes("opened"), {
      timeoutMs: PATIENCE_MS,
      intervalMs: 1_000,
    });
    expect(await console()).toContain(`http://127.0.0.1:${settings.ports.intake}/v1/transactions`);
    expect(await console()).toContain(webApp);
  });

  it("shows alerts in the web app, through the published port", async () => {
    const page = await (await fetch(webApp)).text();
    const script = /src="(\/assets\/app\.\w+\.js)"/.exec(page)?.[1];
    expect((await fetch(webApp + script!)).status, page).toBe(200);
    const { rows } = await poll(
      "alerts in the web app",
      async () => {
        const answer = (await (await fetch(`${webApp}/api/alerts?limit=5`)).json()) as AlertsPage;
        return answer.rows.length > 0 && answer;
      },
      { timeoutMs: PATIENCE_MS },
    );
    expect(rows[0]!.score).toBeGreaterThan(0);
    expect((await fetch(`${webApp.replace("127.0.0.1", "localhost")}/api/meta`)).status).toBe(200);
    // Its image has the command, but no Java to read topics with.
    const trace = await fetch(`${webApp}/trace/a/t`);
    expect([trace.status, await trace.text()]).toEqual([
      501,
      expect.stringMatching(/There is no trace: missing: a Java/),
    ]);
  });

  it("kills the worker from the web app's failure menu, through a helper that alone has the engine, and it comes back", async () => {
    expect(((await (await fetch(`${webApp}/api/meta`)).json()) as Meta).failureParts).toEqual(KILLABLE);
    const before = cluster.containers("worker")[0]!;
    const kill = (part: string) =>
      fetch(`${webApp}/api/failures/${part}`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-dashboard-action": "1" },
      });
    expect((await kill("zookeeper")).status).toBe(404);
    expect((await kill("taskmanager")).status).toBe(202);
    await poll(
      "the worker to run again",
      () =>
        cluster
          .containers("worker")
          .some(({ id, state, pid }) => id === before.id && state === "running" && pid !== before.pid),
      { timeoutMs: PATIENCE_MS },
    );
    // The master takes a while to notice.
    await poll(
      "the job to be restarted",
      async () => Number(await flink.restarts()) > 0 && (await flink.jobState()) === "RUNNING",
      { timeoutMs: PATIENCE_MS },
    );
    const health = await dockerOk([
      "exec",
      cluster.containers("dashboard")[0]!.id,
      "node",
      "-e",
      "fetch('http://failures:8091/healthz').then(async (answer) => console.log(answer.status)); fetch('http://failures:8091/kill/kafka', { method: 'POST' }).then((answer) => console.log(answer.status))",
    ]);
    expect(health.trim().split("\n").sort()).toEqual(["200", "401"]);
    const sockets = await Promise.all(
      ["dashboard", "failures"].map(async (service) =>
        (
          await dockerOk([
            "inspect",
            "--format",
            "{{range .Mounts}}{{.Destination}} {{end}}",
            cluster.containers(service)[0]!.id,
          ])
        ).includes("/var/run/docker.sock"),
      ),
    );
    expect(sockets).toEqual([false, true]);
  });

  it.skipIf(BROWSER === undefined)(
    "gives a page of another origin nothing, on any port of any container, and does nothing that it asks",
    async () => {
      const { jobs } = (await (await fetch(`${endpoints(settings).flink}/jobs/overview`)).json()) as {
        jobs: { jid: string }[];
      };
      const paths = attackedPaths(jobs[0]!.jid, settings.objectStore.bucket);
      /** Each part's own port in its container; at the others nothing speaks HTTP. */
      const pathsAt: Readonly<Record<number, readonly string[]>> = {
        8081: paths.flink,
        9249: paths.metrics,
        9000: paths.minio,
        8000: paths.functions,
        8080: paths.intake,
        8090: paths.dashboard,
        8091: paths.failures,
        9090: paths.prometheus,
      };
      const services = (await compose("ps", "--services")).stdout.trim().split("\n");
      const running = services.flatMap((service) =>
        cluster
          .containers(service)
          .flatMap((container) => (container.state === "running" ? [{ service, ...container }] : [])),
      );
      const inside = running.flatMap(({ service, address, pid }) =>
        networkListeners(pid).flatMap(({ port, loopback }) => (loopback ? [] : [{ service, address, port }])),
      );
      // Pages reach the container network like everything else that this machine reaches.
      expect(new Set(inside.map(({ service }) => service))).toEqual(
        new Set(running.map(({ service }) => service).filter((service) => !SILENT.has(service))),
      );
      const published = Object.entries(PUBLISHED).map(([part, inside]) => ({
        port: settings.ports[part as keyof typeof PUBLISHED],
        paths: pathsAt[inside] ?? [],
      }));
      const restartsBefore = await flink.restarts();
      const open = await openServer();
      try {
        const { leaks, tried } = await attackByPages(
          [
            ...new Map(
              inside.map(({ address, port }) => [`${address}:${port}`, { address, port, paths: pathsAt[port] ?? [] }]),
            ).values(),
            ...published,
            { port: open.port, paths: [] },
          ],
          strangeBodies(Date.now() - 3_600_000),
        );
        expect(new Set(leaks.filter(({ port }) => port === open.port).map(({ by }) => by))).toEqual(
          new Set(["foreign page", "foreign name", "socket"]),
        );
        expect(
          leaks
            .filter(({ port }) => port !== open.port)
            .map((leak) => ({ ...leak, service: inside.find(({ address }) => address === leak.address)?.service })),
        ).toEqual([]);
        expect(tried).toBeGreaterThan(1_000);
      } finally {
        await open.close();
      }
      expect(await flink.restarts()).toBe(restartsBefore);
      const { records } = await readTopics({
        brokers,
        topics: [TOPICS.transactionsValid, TOPICS.labelsValid].map(({ name }) => ({ topic: name })),
        isolation: "read_committed",
        timeoutMs: PATIENCE_MS,
      });
      expect(records.length).toBeGreaterThan(0);
      expect(records.filter(({ value }) => value!.includes(STRANGE))).toEqual([]);
    },
  );

  it("has every part in Prometheus, and an answer for each of Grafana's dashboards", async () => {
    const password = await dockerOk(["exec", cluster.containers("prometheus")[0]!.id, "cat", "/login/password"]);
    const authorization = authorizationOf({ user: "fraud", password });
    const ask = async (expr: string): Promise<readonly Sample[]> => {
      const response = await fetch(
        `http://127.0.0.1:${settings.ports.prometheus}/api/v1/query?query=${encodeURIComponent(expr)}`,
        { headers: { authorization } },
      );
      return ((await response.json()) as { data: { result: readonly Sample[] } }).data.result;
    };
    const up = await poll(
      "every part to be scraped",
      async () => {
        const samples = await ask("up");
        return samples.length >= 4 && samples.every(({ value }) => value[1] === "1") && samples;
      },
      { timeoutMs: PATIENCE_MS, intervalMs: 1_000 },
    );
    expect(up.map(({ metric }) => metric["job"]).sort()).toEqual(["functions", "intake", "jobmanager", "taskmanager"]);
    for (const { title, panels } of dashboards()) {
      const { expr } = panels.flatMap(({ targets = [] }) => targets)[0]!;
      await poll(
        `a number for ${title}: ${expr}`,
        async () => (await ask(filledIn(expr, "20s"))).some(({ value }) => Number.isFinite(Number(value[1]))),
        { timeoutMs: PATIENCE_MS, intervalMs: 1_000 },
      );
    }
    // The rest is measured without them.
    expect((await compose("stop", ...ASIDE)).code).toBe(0);
  });

  it("has Flink's metrics for Prometheus, and for no page in a browser", async () => {
    const status = async (service: string, headers: string): Promise<string> => {
      const ask = `exec 3<>/dev/tcp/127.0.0.1/9249 && printf 'GET /metrics HTTP/1.1\\r\\n${headers}Connection: close\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && echo $status`;
      const { stdout } = await compose("exec", "-T", service, "bash", "-c", ask);
      return stdout.trim();
    };
    for (const service of ["master", "worker"])
      expect([
        await status(service, `Host: ${service}:9249\\r\\n`),
        await status(service, "Host: evil.example:9249\\r\\n"),
        await status(service, `Host: ${service}:9249\\r\\nOrigin: http://evil.example\\r\\n`),
      ]).toEqual(["200", "403", "403"]);
  });

  it(`decides ${SENT} transactions exactly once, sent and read through the published ports`, async () => {
    const starts = await topicEnds(brokers, checkedTopics);
    await runGenerator({ brokers, seed: 5, runId: "published", rate: 400, transactions: SENT, accounts: 500 });
    const decided = async () => (await checkRun(brokers, "published", starts)).judgement.decisions;
    await poll("every decision", async () => (await decided()) >= SENT, { timeoutMs: PATIENCE_MS, intervalMs: 2_000 });
    await flink.waitForCheckpoints(2, PATIENCE_MS);
    expect((await checkRun(brokers, "published", starts)).judgement).toMatchObject({
      accepted: SENT,
      decisions: SENT,
      missing: 0,
      duplicates: 0,
      outOfOrder: 0,
      violations: [],
    });
  });

  it("replaces each part that hangs, and none that is paused or waits; everything is decided once", async () => {
    const starts = await topicEnds(brokers, checkedTopics);
    const restarts = (): Readonly<Record<string, number>> =>
      Object.fromEntries(
        Object.values(SERVICES).map((service) => [service, cluster.containers(service)[0]?.restarts ?? 0]),
      );
    const before = restarts();
    const hanging = ["zookeeper", "taskmanager", "functions"] as const;
    const load = runGenerator({ brokers, seed: 8, runId: "hanging", rate: 40, transactions: 1_200, accounts: 200 });
    cluster.pause("intake");
    for (const part of hanging) cluster.kill(part, "SIGSTOP");

    await poll(
      "those that hang to be replaced",
      () => hanging.every((part) => restarts()[serviceOf(part)] === before[serviceOf(part)]! + 1),
      { timeoutMs: PATIENCE_MS, intervalMs: 500 },
    );
    for (const part of hanging)
      expect(await cluster.log(part)).toContain(
        `${serviceOf(part)} hangs, and is replaced: it was stopped by a signal, and did not go on for `,
      );
    cluster.resume("intake");
    await load;
    const decided = async () => (await checkRun(brokers, "hanging", starts)).judgement.decisions;
    await poll("every decision", async () => (await decided()) >= 1_200, { timeoutMs: PATIENCE_MS, intervalMs: 2_000 });
    await flink.waitForCheckpoints(2, PATIENCE_MS);
    expect((await checkRun(brokers, "hanging", starts)).judgement).toMatchObject({
      accepted: 1_200,
      decisions: 1_200,
      missing: 0,
      duplicates: 0,
      outOfOrder: 0,
      violations: [],
    });
    const replaced = Object.entries(restarts()).filter(([service, count]) => count !== before[service]);
    expect(new Set(replaced.map(([service]) => service))).toEqual(new Set(hanging.map(serviceOf)));
  });

  it("aborts a transaction that nobody ends, and removes savepoints that are left over", async () => {
    const { transactionalId, open } = await leaveTransactionOpen(brokers);
    expect(await open()).toMatchObject([{ timeoutMs: 72 * 3_600_000, topics: [TOPICS.decisions.name] }]);
    // The store's keys are in containers only.
    const store = (work: string) =>
      compose(
        "exec",
        "-T",
        "tidy",
        "node",
        "--import",
        "tsx",
        "--input-type=module",
        "-e",
        `import { clusterSettings } from "/app/cluster/settings.ts";
         import { readObject, writeObject } from "/app/cluster/state/object-store.ts";
         const defaults = clusterSettings();
         const settings = { ...defaults, endpoints: { minio: "http://minio:9000" }, objectStore: { ...defaults.objectStore, keysIn: "/volumes/keys" } };
         ${work}`,
      );
    const left = ["savepoints/restart-1/savepoint-1/_metadata", "savepoints/taken-by-hand/_metadata"];
    const written = await store(
      left.map((key) => `await writeObject(settings, ${JSON.stringify(key)}, "{}");`).join("\n"),
    );
    expect(written.code, written.stderr).toBe(0);
    expect((await compose("restart", "tidy")).code).toBe(0);
    await poll("the transaction that nobody ends to be aborted", async () => (await open()).length === 0, {
      timeoutMs: PATIENCE_MS,
    });
    // It says so when the broker has answered: others may see the end before that.
    for (const said of [
      `kafka: aborted a transaction that nobody would have ended: ${transactionalId}, begun at `,
      "minio: removed 1 ",
    ])
      await poll(`tidy to say "${said}"`, async () => (await cluster.logOf("tidy")).includes(said), {
        timeoutMs: PATIENCE_MS,
      });
    const { stdout } = await store(
      left
        .map((key) => `console.log(${JSON.stringify(key)}, await readObject(settings, ${JSON.stringify(key)}));`)
        .join("\n"),
    );
    expect(stdout.trim().split("\n")).toEqual([`${left[0]} undefined`, `${left[1]} {}`]);
    expect(await flink.jobState()).toBe("RUNNING");
  });

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
        const figures = await workDone(cluster);
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
    await poll(
      "the job to run on both workers",
      async () => (await flink.jobState()) === "RUNNING" && (await flink.parallelism()) === 2,
      { timeoutMs: PATIENCE_MS, intervalMs: 500 },
    );
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
    await poll(
      "the job to run on both workers",
      async () => (await flink.jobState()) === "RUNNING" && (await flink.parallelism()) === 2,
      { timeoutMs: PATIENCE_MS },
    );
  });

  it("goes on with the workers that are left when one is taken away, and says so", async () => {
    const starts = await topicEnds(brokers, checkedTopics);
    const { code, stderr } = await scaleTo({ worker: 1, functions: 2 });
    expect(code, stderr).toBe(0);
    await runGenerator({ brokers, seed: 9, runId: "fewer", rate: 200, transactions: 500, accounts: 50 });
    await poll(
      "the job to run on the worker that is left",
      async () => (await flink.parallelism()) === 1 && (await flink.jobState()) === "RUNNING",
      { timeoutMs: PATIENCE_MS, intervalMs: 1_000 },
    );
    expect(await cluster.logOf("master")).toMatch(
      /the job needs 2 slots, and for \d+ s there have been 1, of 1 workers: the master is started again/,
    );
    const decided = async () => (await checkRun(brokers, "fewer", starts)).judgement.decisions;
    await poll("every decision", async () => (await decided()) >= 500, { timeoutMs: PATIENCE_MS, intervalMs: 2_000 });
    await flink.waitForCheckpoints(2, PATIENCE_MS);
    expect((await checkRun(brokers, "fewer", starts)).judgement).toMatchObject({
      accepted: 500,
      decisions: 500,
      missing: 0,
      duplicates: 0,
      outOfOrder: 0,
      violations: [],
    });
  });

  it("does not begin anew with a job that someone has cancelled, and says why at each attempt", async () => {
    // What comes before kills parts.
    await poll("the job to run", async () => (await flink.jobState()) === "RUNNING", { timeoutMs: PATIENCE_MS });
    const job = await flink.jobId();
    const cancelled = await fetch(`${endpoints(settings).flink}/jobs/${job}?mode=cancel`, { method: "PATCH" });
    expect(cancelled.status).toBe(202);
    await poll(
      "the master to say so twice",
      async () =>
        ((await cluster.logOf("master")).match(
          /error: the job must not start: the job has ended for good \(CANCELED\).*in containers: docker compose run --rm from-latest.*in containers: docker compose down -v/g,
        )?.length ?? 0) >= 2,
      { timeoutMs: PATIENCE_MS, intervalMs: 1_000 },
    );
  });

  /** What was sent before, and what is sent now, is decided once: every record that stands in the topics is judged. */
  const goesOn = async (runId: string): Promise<void> => {
    await flink.waitForRunning(PATIENCE_MS);
    const starts = await topicEnds(brokers, checkedTopics);
    await runGenerator({ brokers, seed: 10, runId, rate: 200, transactions: 300, accounts: 50 });
    const decided = async () => (await checkRun(brokers, runId, starts)).judgement.decisions;
    await poll("every decision", async () => (await decided()) >= 300, { timeoutMs: PATIENCE_MS, intervalMs: 2_000 });
    await flink.waitForCheckpoints(2, PATIENCE_MS);
    const { records } = await readBack(brokers);
    try {
      const { duplicates, missing, properties } = await verifyStored(records, knownInputs());
      expect({ duplicates, missing, broken: properties.filter(({ violations }) => violations > 0) }).toEqual({
        duplicates: 0,
        missing: 0,
        broken: [],
      });
    } finally {
      records.close();
    }
  };
  const fromLatest = () => compose("run", "--rm", "from-latest");

  it("goes on from the newest checkpoint once it is told to, by itself; and is not told while the job runs", async () => {
    const told = await fromLatest();
    expect(told.code, told.stderr).toBe(0);
    expect(told.stdout).toMatch(/the master goes on from s3:\/\/statefun\/checkpoints\/0{32}\/chk-\d+/);
    await goesOn("cured");
    const again = await fromLatest();
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("the job is there (RUNNING)")]);
  });

  it("does the same where ZooKeeper has lost the pointer to it", async () => {
    // Otherwise this is done within five minutes.
    expect((await compose("restart", "tidy")).code).toBe(0);
    await poll(
      "the job to leave where it began",
      async () => (await compose("exec", "-T", "tidy", "cat", "/volumes/transport/generation")).stdout === "2\n",
      { timeoutMs: PATIENCE_MS, intervalMs: 1_000 },
    );
    expect((await compose("down")).code).toBe(0);
    await dockerOk(["volume", "rm", `${project.name}_zookeeper-data`, `${project.name}_zookeeper-log`]);
    const up = () => scaleTo({ worker: 1, functions: 1 }, "--wait");
    expect((await up()).code).not.toBe(0);
    expect(await cluster.logOf("init")).toMatch(
      /ZooKeeper has lost the pointer to their checkpoint: .* Go on from the newest checkpoint that is left: docker compose run --rm from-latest/,
    );
    const told = await fromLatest();
    expect(told.code, told.stderr).toBe(0);
    const after = await up();
    expect(after.code, after.stderr).toBe(0);
    await goesOn("pointed");
  });

  it("refuses to go on when its checkpoints are lost, and says why", async () => {
    expect((await compose("down")).code).toBe(0);
    await dockerOk(["volume", "rm", `${project.name}_minio-data`]);
    const { code } = await compose("up", "--detach", "--wait");
    expect(code).not.toBe(0);
    expect(await cluster.logOf("init")).toMatch(
      /checkpoint is gone: every transaction would be decided again\. .*; or start over with: docker compose down -v/,
    );
  });

  it("leaves nothing after down -v", async () => {
    expect(await leftovers()).not.toEqual([]);
    expect((await compose("down", "--volumes")).code).toBe(0);
    expect(await leftovers()).toEqual([]);
  });
});

/**
 * What each worker and each function server has done, according to its own metrics: messages to account counters, and
 * transactions numbered.
 */
async function workDone(cluster: ComposeCluster): Promise<Record<"workers" | "functions", readonly number[]>> {
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
