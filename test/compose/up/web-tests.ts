import { expect, it } from "vitest";

import { dockerOk } from "../../../cluster/compose/docker.js";
import { KILLABLE } from "../../../cluster/failure-helper.js";
import { endpoints } from "../../../cluster/index.js";
import { authorizationOf } from "../../../cluster/prometheus/login.js";
import { TOPICS } from "../../../contract/topics.js";
import type { AlertsPage, Meta } from "../../../dashboards/live/wire.js";
import { dashboards, filledIn } from "../../../dashboards/provisioned.js";
import { readTopics } from "../../../java/java-reader.js";
import { poll } from "../../../process/poll.js";
import { BROWSER } from "../../e2e/browser/browser.js";
import { attackByPages, openServer } from "../../e2e/browser/strange-page.js";
import { attackedPaths, STRANGE, strangeBodies } from "../../e2e/browser/strange-requests.js";
import { networkListeners } from "../../e2e/listeners.js";
import { PATIENCE_MS } from "../../patience.js";
import { ASIDE, brokers, cluster, compose, flink, settings, webApp } from "./up-project.js";

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

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** What people see of it, and what pages in their browsers do not. */
export function webTests(): void {
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
}
