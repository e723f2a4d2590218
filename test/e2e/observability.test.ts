import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { stopCluster } from "../../cluster/control.js";
import { type Cluster, clusterSettings, endpoints, startCluster } from "../../cluster/index.js";
import { authorizationOf } from "../../cluster/prometheus/login.js";
import { type RunningPrometheus, startPrometheus, writePrometheusFiles } from "../../cluster/prometheus/prometheus.js";
import { TOPICS } from "../../contract/topics.js";
import { dashboards, filledIn, metricsIn, rules } from "../../dashboards/provisioned.js";
import { newRunId, runGenerator } from "../../ingress-generator/producer.js";
import { kafkaClient } from "../../kafka/client.js";
import { poll } from "../../process/poll.js";
import { PROMETHEUS_FOLDER } from "../../process/repository-root.js";
import { runQuietly, startOwnCommand } from "../../process/run-command.js";
import { silentStep } from "../../terminal/steps.js";
import { hasPrometheus } from "../../tools/index.js";
import { PATIENCE_MS } from "../patience.js";
import { listenersBelow } from "./listeners.js";

const isThere = hasPrometheus();
if (!isThere)
  process.stderr.write(
    "skipped, what Prometheus says: this machine lacks Prometheus and promtool (get them: apt-get install prometheus)\n",
  );

/**
 * The interval that Grafana puts into a query when Prometheus scrapes every second, rounded up: a slow machine misses
 * some.
 */
const RATE_INTERVAL = "20s";
const RULE_FOR = "3s";

const questions = dashboards().flatMap(({ title, panels }) =>
  panels.flatMap(({ title: panel, targets = [] }) =>
    targets.map(({ refId, expr }) => ({ dashboard: title, panel, refId, expr: filledIn(expr, RATE_INTERVAL) })),
  ),
);
const allRules = rules();

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

describe.skipIf(!isThere)("Prometheus on the cluster", () => {
  const settings = clusterSettings({
    name: "e2e-observability",
    portOffset: 21_000,
    // Beside the default a model of trees, which decides nothing: only such have a reference for their scores.
    serverEnv: {
      FRAUD_SETTINGS: JSON.stringify({ learned: { events: 16 } }),
      FRAUD_MODEL: "models/points-v1.json,models/handbook/day-115.json",
    },
  });
  const brokers = endpoints(settings).kafka;
  const end = new AbortController();
  let cluster: Cluster | undefined;
  let prometheus: RunningPrometheus | undefined;
  let load: Promise<unknown> = Promise.resolve();
  let configFile: string;

  async function ask<T>(path: string): Promise<T> {
    const { url, login } = prometheus!;
    const response = await fetch(`${url}/api/v1/${path}`, {
      headers: { authorization: authorizationOf(login) },
      signal: AbortSignal.timeout(5_000),
    });
    const { status, data, error } = (await response.json()) as { status: string; data: T; error?: string };
    if (status !== "success") throw new Error(error);
    return data;
  }
  const query = async (expr: string): Promise<readonly Sample[]> =>
    (await ask<{ result: readonly Sample[] }>(`query?query=${encodeURIComponent(expr)}`)).result;
  /** The state of an alert, as Prometheus reports it now. */
  async function stateOf(name: string): Promise<"inactive" | "pending" | "firing"> {
    const { alerts } = await ask<{ alerts: readonly { labels: { alertname: string }; state: "pending" | "firing" }[] }>(
      "alerts",
    );
    const states = alerts.filter(({ labels }) => labels.alertname === name).map(({ state }) => state);
    return states.includes("firing") ? "firing" : (states[0] ?? "inactive");
  }

  beforeAll(async () => {
    cluster = await startCluster(settings, { step: silentStep, restart: true, fresh: true });
    configFile = writePrometheusFiles(settings, { interval: "1s" }, (text) =>
      text.replaceAll(/^(\s+for:) .*$/gm, `$1 ${RULE_FOR}`),
    );
    prometheus = await startPrometheus(settings, configFile);
    load = runGenerator({
      brokers,
      seed: 5,
      runId: newRunId(),
      rate: 100,
      accounts: 100,
      merchants: 20,
      labelDelayMs: 3_600_000,
      signal: end.signal,
    });
    // If it fails, so does the test.
    load.catch(() => undefined);
    const producer = kafkaClient(brokers, "test").producer();
    await producer.connect();
    await producer.send({ topic: TOPICS.transactions.name, messages: [{ key: "a", value: "no transaction" }] });
    await producer.disconnect();
    await poll(
      "decisions in Prometheus",
      async () => Number((await query("fraud:decisions:rate1m > 10"))[0]?.value[1]) > 0,
      { timeoutMs: PATIENCE_MS },
    );
  });
  afterAll(async () => {
    end.abort();
    await load;
    await prometheus?.stop();
    await cluster?.stop();
    await stopCluster(settings, { wipe: true });
  });

  it("scrapes every part", async () => {
    const up = await poll(
      "every part to be scraped",
      async () => {
        const samples = await query("up");
        return samples.every(({ value }) => value[1] === "1") && samples;
      },
      { timeoutMs: PATIENCE_MS },
    );
    expect(up.map(({ metric }) => metric["job"]).sort()).toEqual(["functions", "intake", "jobmanager", "taskmanager"]);
  });

  it("lets nobody look at Prometheus who has no login, whatever name it is asked by", async () => {
    const { url, login } = prometheus!;
    for (const path of ["/", "/metrics", "/api/v1/query?query=up", "/-/ready"]) {
      const without = await fetch(url + path, { redirect: "manual" });
      expect([path, without.status, (await without.text()).trim()]).toEqual([path, 401, "Unauthorized"]);
    }
    const foreign = await fetch(`${url}/api/v1/query?query=up`, {
      headers: { authorization: authorizationOf(login), origin: "http://evil.example" },
    });
    expect([foreign.status, foreign.headers.get("access-control-allow-origin")]).toEqual([200, null]);
  });

  it("listens on loopback only, every process of it, Prometheus too", () => {
    // This one is the supervisor.
    const found = listenersBelow(process.pid);
    const { kafka, minio, zookeeper, flinkRest, functions, intake, ...others } = settings.ports;
    const { jobManagerMetrics, taskManagerMetrics, prometheus } = others;
    const known = [kafka, minio, zookeeper, flinkRest, functions, intake];
    expect(found.map(({ port }) => port)).toEqual(
      expect.arrayContaining([...known, jobManagerMetrics, taskManagerMetrics, prometheus]),
    );
    expect(found.filter(({ loopback }) => !loopback)).toEqual([]);
  });

  it("knows each function by its label, and nothing by a name with a function in it", async () => {
    const functions = await query("sum by (function) (statefun_function_in)");
    const names = functions.map(({ metric }) => metric["function"]);
    // The waiting room has figures from when something waits there.
    expect(names.filter((name) => name !== "fraud/waiting_room").sort()).toEqual([
      "fraud/account_counter",
      "fraud/alerter",
      "fraud/merchant_model",
      "fraud/transaction_scorer",
    ]);
    expect(await query('{__name__=~"flink_taskmanager_job_task_operator_functions_fraud_.+"}')).toEqual([]);
  });

  describe("answers each panel", () => {
    it.each(questions)("$dashboard: $panel $refId", async ({ expr }) => {
      const numbers = await poll(
        `a number for ${expr}`,
        async () => {
          const samples = await query(expr);
          return samples.some(({ value }) => Number.isFinite(Number(value[1]))) && samples;
        },
        { timeoutMs: PATIENCE_MS },
      );
      expect(numbers.length).toBeGreaterThan(0);
    });
  });

  describe("has what each rule asks for", () => {
    it.each(allRules.map(({ alert, record, expr }) => ({ name: alert ?? record!, expr })))(
      "$name",
      async ({ expr }) => {
        // A comparison leaves nothing when it does not hold; with `bool` it says so.
        const asked = expr.replaceAll(/ (>|<|>=|<=|==|!=) (?!bool )/g, " $1 bool ");
        await poll(`an answer to ${asked}`, async () => (await query(asked)).length > 0, { timeoutMs: PATIENCE_MS });
        const names = metricsIn(expr);
        expect(names).not.toEqual([]);
        for (const name of names)
          await poll(`the metric ${name}`, async () => (await query(name)).length > 0, { timeoutMs: PATIENCE_MS });
      },
    );

    it("and no alert says that something is wrong", async () => {
      await poll(
        "all alerts to be silent",
        async () => {
          const firing = await query('ALERTS{alertstate="firing"}');
          if (firing.length > 0)
            throw new Error(`firing: ${firing.map(({ metric }) => metric["alertname"]).join(", ")}`);
          return true;
        },
        { timeoutMs: PATIENCE_MS },
      );
    });
  });

  it("has nothing for a metric that does not exist: an empty answer differs from a number", async () => {
    expect(await query("sum(rate(fraud_no_such_thing_total[1m]))")).toEqual([]);
    expect(await query("increase(fraud_no_such_thing_total[1m]) > bool 0")).toEqual([]);
  });

  it("counts the lag of both groups, and it is small", async () => {
    const lags = await query("group_topic:kafka_group_lag:sum");
    expect(lags.map(({ metric }) => `${metric["group"]} ${metric["topic"]}`).sort()).toEqual([
      "fraud-intake labels",
      "fraud-intake transactions",
      "fraud-pipeline labels.valid",
      "fraud-pipeline transactions.valid",
    ]);
    await poll(
      "the lag of each to be small",
      async () => (await query("group_topic:kafka_group_lag:sum")).every(({ value }) => Number(value[1]) < 5_000),
      { timeoutMs: PATIENCE_MS },
    );
  });

  it("accepts the configuration, the rules and their tests", async () => {
    for (const args of [
      ["check", "config", `${PROMETHEUS_FOLDER}/prometheus.yml`],
      ["check", "config", configFile],
      ["test", "rules", `${PROMETHEUS_FOLDER}/tests/fraud.yml`],
    ]) {
      const { code, output } = await runQuietly("promtool", args);
      expect(code, output).toBe(0);
    }
  });

  it("fires when the function server is gone, and is silent again when it is back", async () => {
    const seen = ["inactive"];
    const watch = async (wanted: string): Promise<boolean> => {
      const state = await stateOf("ServerDown");
      if (state !== seen.at(-1)) seen.push(state);
      return state === wanted;
    };
    expect(await stateOf("ServerDown")).toBe("inactive");
    cluster!.hold("functions");
    cluster!.kill("functions");
    await poll("ServerDown to fire", () => watch("firing"), { timeoutMs: PATIENCE_MS });
    // What was decided before counts in the rate for a minute.
    await poll("NoDecisions to fire", async () => (await stateOf("NoDecisions")) === "firing", {
      timeoutMs: PATIENCE_MS,
    });
    await poll("FunctionCallsFailing to fire", async () => (await stateOf("FunctionCallsFailing")) === "firing", {
      timeoutMs: PATIENCE_MS,
    });
    await cluster!.release("functions");
    await poll("ServerDown to be silent", () => watch("inactive"), { timeoutMs: PATIENCE_MS });
    await poll("NoDecisions to be silent", async () => (await stateOf("NoDecisions")) === "inactive", {
      timeoutMs: PATIENCE_MS,
    });
    expect(seen).toEqual(["inactive", "pending", "firing", "inactive"]);
    // When no server was reachable for 40 s the job restarts: that raises an alert too.
    expect(await stateOf("FlinkJobRestarting")).toBe("firing");
  });

  it("is what npm run cluster -- metrics runs, until Ctrl-C", async () => {
    const args = ["cluster", "metrics", "--name", settings.name, "--port-offset", "21000"];
    const taken = await startOwnCommand(args).finished;
    expect(taken.code).toBe(1);
    expect(taken.stderr.split("\n").filter((line) => line.startsWith("error:"))).toEqual([
      expect.stringContaining(`port ${settings.ports.prometheus}, which Prometheus needs, is taken`),
    ]);
    const { url } = prometheus!;
    await prometheus!.stop();
    const command = startOwnCommand(args);
    await poll("the command to be ready", () => command.output().includes(`Prometheus ${url}`), {
      timeoutMs: PATIENCE_MS,
    });
    await poll("its rules", async () => (await ask<{ groups: readonly unknown[] }>("rules")).groups.length > 0, {
      timeoutMs: PATIENCE_MS,
    });
    command.kill("SIGINT");
    expect((await command.finished).code).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
  });
});
