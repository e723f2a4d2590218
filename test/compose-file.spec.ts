import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { composeEnv, IMAGE_NAMES, OWN_IMAGE_NAMES, PIPELINE_IMAGES } from "../cluster/compose/compose-env.js";
import { kafkaProperties } from "../cluster/parts/kafka.js";
import { log4j } from "../cluster/parts/part-program.js";
import { authorizationOf } from "../cluster/prometheus/login.js";
import { clusterSettings } from "../cluster/settings.js";
import { BASE_PORTS } from "../contract/ports.js";
import { dashboardSettings } from "../dashboards/live/settings.js";
import { REPOSITORY_ROOT } from "../process/repository-root.js";
import { given } from "../process/environment.js";
import { runQuietly } from "../process/run-command.js";
import { VERSIONS } from "../tools/versions.js";

interface Service {
  readonly image: string;
  readonly build?: unknown;
  readonly user?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly mem_limit?: string;
  readonly logging?: { readonly driver: string; readonly options: Readonly<Record<string, string>> };
  readonly environment?: Readonly<Record<string, string | number | null>>;
  readonly healthcheck?: unknown;
  readonly entrypoint?: readonly string[];
  readonly depends_on?: Readonly<Record<string, unknown>>;
  readonly restart?: string;
  readonly init?: boolean;
  readonly profiles?: readonly string[];
  readonly networks?: readonly string[] | Readonly<Record<string, { readonly aliases?: readonly string[] }>>;
}

interface HealthCheck {
  readonly test: readonly string[];
  readonly timeout: string;
  readonly start_period: string;
}

const read = (file: string): string => readFileSync(join(REPOSITORY_ROOT, file), "utf8");
const { services } = parse(read("docker-compose.yml"), { merge: true, maxAliasCount: -1 }) as {
  readonly services: Readonly<Record<string, Service>>;
};
const HEALTH_SCRIPT = read("cluster/compose/health.sh");
const env = composeEnv(read(".env"), {});
const BUILT_FROM = ["NODE_IMAGE", "JDK_IMAGE"];

describe("docker-compose.yml", () => {
  it("takes every image from .env, pinned", () => {
    for (const [name, { image }] of Object.entries(services)) expect(image, name).toMatch(/^\$\{[A-Z0-9_]+_IMAGE\}$/);
    for (const name of [...IMAGE_NAMES, ...OWN_IMAGE_NAMES])
      expect(env[name], name).toMatch(/:(?!latest$)[\w.-]*\d[\w.-]*$/);
    const named = new Set(Object.values(services).map(({ image }) => image.slice(2, -1)));
    // These are what this repository's own images are built from.
    expect([...named, ...BUILT_FROM].sort()).toEqual([...IMAGE_NAMES, ...OWN_IMAGE_NAMES].sort());
  });

  it("opens ports on loopback only, limits memory, and checks the health of every lasting service", () => {
    for (const [name, { ports = [], mem_limit, healthcheck, restart }] of Object.entries(services)) {
      for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:/);
      expect(mem_limit, name).toMatch(/^\d+[mg]$/);
      // These have no port to check.
      if (restart === "unless-stopped" && !["generator", "console", "tidy"].includes(name))
        expect(healthcheck, name).toBeDefined();
    }
  });

  it("keeps less than 100 MB of logs of every service, and has none of them write more beside", () => {
    for (const [name, { logging }] of Object.entries(services)) {
      expect(logging?.driver, name).toBe("json-file");
      const { "max-size": size, "max-file": files } = logging!.options;
      expect(Number(/^(\d+)m$/.exec(size!)?.[1]) * Number(files), name).toBeLessThan(100);
    }
    // By its image's own start `-name kafkaServer -loggc`.
    expect(services["kafka"]!.environment!["EXTRA_ARGS"]).toBe("-name kafkaServer");
    // Flink's scripts give it the name of a file; this one writes none.
    for (const name of ["worker", "master"])
      expect(services[name]!.volumes).toContainEqual(
        expect.stringMatching(/:\/opt\/flink\/conf\/log4j-console\.properties:ro$/),
      );
    expect(read("cluster/compose/log4j-console.properties")).not.toMatch(/file/i);
  });

  it("mounts only what exists", () => {
    for (const { volumes = [] } of Object.values(services))
      for (const volume of volumes)
        if (volume.startsWith("./"))
          expect(existsSync(join(REPOSITORY_ROOT, volume.split(":")[0]!)), volume).toBe(true);
  });

  it("has the ports and versions of the native cluster", () => {
    expect(env).toMatchObject({
      INTAKE_PORT: String(BASE_PORTS.intake),
      FUNCTIONS_PORT: String(BASE_PORTS.functions),
      FLINK_PORT: String(BASE_PORTS.flinkRest),
      KAFKA_PORT: String(BASE_PORTS.kafka),
      MINIO_PORT: String(BASE_PORTS.minio),
      DASHBOARD_PORT: String(BASE_PORTS.dashboard),
      PROMETHEUS_PORT: String(BASE_PORTS.prometheus),
      GRAFANA_PORT: String(BASE_PORTS.grafana),
      KAFKA_IMAGE: `apache/kafka:${VERSIONS.kafka}`,
      STATEFUN_IMAGE: `apache/flink-statefun:${VERSIONS.statefun}-java11`,
      ZOOKEEPER_IMAGE: `zookeeper:${VERSIONS.zookeeper}`,
      K6_IMAGE: `grafana/k6:${VERSIONS.k6.slice(1)}`,
    });
  });

  it("gives the engine's socket only to the helper of the failure menu, which must be asked for", () => {
    const withSocket = Object.entries(services).filter(([, { volumes = [] }]) =>
      volumes.some((volume) => /DOCKER_SOCKET|docker\.sock/.test(volume)),
    );
    expect(withSocket.map(([name, { profiles, ports, networks }]) => ({ name, profiles, ports, networks }))).toEqual([
      { name: "failures", profiles: ["failures"], ports: undefined, networks: ["failures"] },
    ]);
  });

  it("gives Flink's key to master and workers alone, and none of them starts without it", () => {
    const withKey = Object.entries(services).flatMap(([name, { volumes = [] }]) =>
      volumes.filter((volume) => volume.startsWith("flink-key:")).map((volume) => `${name} ${volume}`),
    );
    expect(withKey).toEqual([
      "flink-key flink-key:/volumes/flink-key",
      "worker flink-key:/volumes/flink-key:ro",
      "master flink-key:/volumes/flink-key:ro",
    ]);
    for (const name of ["master", "worker"]) {
      const { entrypoint, volumes } = services[name]!;
      expect(entrypoint).toEqual(["bash", "-c", "source <(tr -d '\\r' </opt/fraud/flink.sh)", "flink.sh"]);
      expect(volumes).toContain("./cluster/compose/flink.sh:/opt/fraud/flink.sh:ro");
    }
    expect(services["worker"]!.depends_on).toHaveProperty("flink-key");
    expect(services["master"]!.depends_on).toHaveProperty("worker");
  });

  it("starts without a profile everything that need not be asked for, and nothing else", () => {
    const optional = Object.entries(services).filter(([, { profiles }]) => profiles !== undefined);
    expect(optional.map(([name]) => name).sort()).toEqual(["failures", "from-latest", "grafana", "k6", "prometheus"]);
    const needed = new Set(
      Object.entries(services)
        .filter(([, { profiles }]) => profiles === undefined)
        .map(([, { image }]) => image.slice(2, -1)),
    );
    expect([...needed, ...BUILT_FROM].sort()).toEqual([...PIPELINE_IMAGES, ...OWN_IMAGE_NAMES].sort());
  });

  it("lets Prometheus scrape services that exist", () => {
    const scrapes = (
      parse(read("dashboards/prometheus/prometheus.yml")) as {
        scrape_configs: { static_configs?: { targets: string[] }[]; dns_sd_configs?: { names: string[] }[] }[];
      }
    ).scrape_configs;
    const names = scrapes.flatMap(({ static_configs: fixed = [], dns_sd_configs: looked = [] }) => [
      ...fixed.flatMap(({ targets }) => targets.map((target) => target.split(":")[0]!)),
      ...looked.flatMap((one) => one.names),
    ]);
    const aliases = (networks: Service["networks"] = []): string[] =>
      Array.isArray(networks)
        ? []
        : Object.values(networks as Record<string, { aliases?: string[] }>).flatMap((network) => network.aliases ?? []);
    const known = Object.entries(services).flatMap(([name, { networks }]) => [name, ...aliases(networks)]);
    expect(names.filter((name) => !known.includes(name))).toEqual([]);
    expect(names).toHaveLength(4);
  });

  it("uses no proxy of the engine's user between services, and has no health check that would", () => {
    const aliases = (networks: Service["networks"] = []): string[] =>
      Array.isArray(networks)
        ? []
        : Object.values(networks as Record<string, { aliases?: string[] } | null>).flatMap(
            (network) => network?.aliases ?? [],
          );
    // Those that receive no requests, and those that have no network.
    const silent = ["keys", "flink-key", "readable", "init", "generator", "console", "tidy", "k6", "from-latest"];
    const inside = Object.entries(services).flatMap(([name, { networks }]) =>
      silent.includes(name) ? [] : [name, ...aliases(networks)],
    );
    for (const [name, { environment = {}, healthcheck }] of Object.entries(services)) {
      for (const variable of ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"])
        expect([environment[variable], environment[variable.toLowerCase()]], `${name} ${variable}`).toEqual(["", ""]);
      for (const variable of ["NO_PROXY", "no_proxy"])
        expect(new Set(String(environment[variable]).split(",")), name).toEqual(
          new Set(["localhost", "127.0.0.1", "::1", ...inside]),
        );
      // BusyBox knows no NO_PROXY.
      const { test } = (healthcheck ?? { test: [] }) as { readonly test: readonly string[] };
      if (test.join(" ").includes("wget")) expect(test.join(" "), name).toContain("wget -q -Y off ");
    }
  });

  it("checks health often in a container's first minute, then seldom, in every service and whichever shell it has", async () => {
    const checks = Object.values(services).flatMap(({ healthcheck, environment = {} }) =>
      healthcheck === undefined ? [] : [{ ...(healthcheck as HealthCheck), pace: String(environment["HEALTH_PACE"]) }],
    );
    expect(checks.length).toBeGreaterThan(10);
    for (const { test, timeout, start_period } of checks) {
      const paced = test[0] === "CMD" ? HEALTH_SCRIPT : test.at(-1);
      expect(paced).toMatch(/eval "(\$\$|\$)HEALTH_PACE"/);
      // A rest of 12 s and an answer within 2 s.
      expect([timeout, start_period]).toEqual(["16s", "60s"]);
    }
    const [pace] = new Set(checks.map((check) => check.pace.replaceAll("$$", "$")));
    const folder = mkdtempSync(join(tmpdir(), "pace-"));
    try {
      mkdirSync(join(folder, "1"));
      const rests = async (shell: string, ageSeconds: number): Promise<string> => {
        writeFileSync(join(folder, "uptime"), `${70_000 + ageSeconds}.27 139000.11\n`);
        const stat = ["1", "(a (b) c)", "S", ...Array.from({ length: 18 }, (_, n) => n), 7_000_000, 999, 998];
        writeFileSync(join(folder, "1/stat"), `${stat.join(" ")}\n`);
        const script = `sleep() { echo "rests $1"; }; ${pace!.replaceAll("/proc/", `${folder}/`)}; echo checks`;
        return (await runQuietly(shell, ["-c", script])).output;
      };
      for (const shell of ["bash", "sh"]) {
        for (const age of [0, 59]) expect(await rests(shell, age), shell).toBe("checks\n");
        for (const age of [60, 1_000_000]) expect(await rests(shell, age), shell).toBe("rests 12\nchecks\n");
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("asks Prometheus with its login, which is in no process' arguments, and believes a 200 alone", async () => {
    const { test } = services["prometheus"]!.healthcheck as HealthCheck;
    const folder = mkdtempSync(join(tmpdir(), "login-"));
    try {
      mkdirSync(join(folder, "bin"));
      writeFileSync(join(folder, "password"), "a-password");
      const ask = async (shell: string, answer: string) => {
        // A program of its own in place of each; what they are called with is noted.
        for (const program of ["nc", "base64"])
          writeFileSync(
            join(folder, "bin", program),
            `#!/bin/sh\necho "$0 $@" >>${folder}/called\n${program === "nc" ? `cat >${folder}/request\nprintf '${answer}'` : `PATH=${given()["PATH"]!} exec base64`}\n`,
            { mode: 0o755 },
          );
        const script = test[1]!
          .replaceAll("$$", "$")
          .replace("/login/", `${folder}/`)
          .replace('eval "$HEALTH_PACE"', `PATH=${folder}/bin:$PATH`);
        return (await runQuietly(shell, ["-c", script])).code;
      };
      for (const shell of ["bash", "sh"]) {
        expect(await ask(shell, "HTTP/1.0 200 OK\\r\\n\\r\\nReady.\\n"), shell).toBe(0);
        expect(readFileSync(join(folder, "request"), "utf8")).toBe(
          `GET /-/ready HTTP/1.0\r\nAuthorization: ${authorizationOf({ user: "fraud", password: "a-password" })}\r\n\r\n`,
        );
        expect(readFileSync(join(folder, "called"), "utf8")).not.toContain("password");
        for (const bad of [
          "HTTP/1.0 503 Service Unavailable\\r\\n\\r\\n",
          "HTTP/1.0 401 Unauthorized\\r\\n\\r\\n 200 ",
          "",
        ])
          expect(await ask(shell, bad), `${shell} ${bad}`).not.toBe(0);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("ends each of its own parts that hangs: by a health check that has the script, and an init that it can survive", async () => {
    const watched = Object.entries(services).filter(([, { healthcheck }]) => healthcheck !== undefined);
    const parts = watched.flatMap(([name, service]) => {
      const { test } = service.healthcheck as HealthCheck;
      if (test[0] !== "CMD") return [];
      // By bash itself, whatever mode and line ends a checkout gave the script.
      expect(test.slice(0, 6), name).toEqual(["CMD", "bash", "-c", 'eval "$$HEALTH"', "health", name]);
      expect(service.volumes, name).toContain("./cluster/compose/health.sh:/opt/fraud/health.sh:ro");
      expect([service.init, service.restart], name).toEqual([true, "unless-stopped"]);
      return name;
    });
    expect(watched.map(([name]) => name).filter((name) => !parts.includes(name))).toEqual(["prometheus", "grafana"]);
    const folder = mkdtempSync(join(tmpdir(), "health-"));
    try {
      writeFileSync(join(folder, "health.sh"), 'case $1 in\r\n  kafka) echo "asks $2" ;;\r\nesac\r\n');
      const health = String(services["kafka"]!.environment!["HEALTH"]).replaceAll("$$", "$");
      const script = health.replace("/opt/fraud", folder);
      expect((await runQuietly("bash", ["-c", script, "health", "kafka", "9092"])).output).toBe("asks 9092\n");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("takes an empty variable as not set: then .env applies", () => {
    for (const [, name, otherwise] of read("docker-compose.yml").matchAll(/\$\{([A-Z0-9_]+)(?::([-+])([^}]*))?\}/g)) {
      if (name!.endsWith("_IMAGE") || name === "COMPOSE_PROJECT_NAME") continue;
      expect(otherwise, name).toBeDefined();
    }
    for (const [, name, value] of read("docker-compose.yml").matchAll(/\$\{([A-Z0-9_]+):-([^}]*)\}/g))
      if (env[name!] !== undefined) expect(value, name).toBe(env[name!]);
  });

  it("lets no command that runs once reach what may be scaled: `run` brings what it depends on back to one", () => {
    const reached = (name: string): string[] =>
      Object.keys(services[name]!.depends_on ?? {}).flatMap((one) => [one, ...reached(one)]);
    const once = Object.entries(services).filter(
      ([, { profiles, restart }]) => profiles !== undefined && restart === undefined,
    );
    expect(once.map(([name]) => name)).toEqual(["k6", "from-latest"]);
    const scaled = ["worker", "functions"];
    for (const [name] of once)
      expect(
        reached(name).filter((one) => scaled.includes(one)),
        name,
      ).toEqual([]);
  });

  it("gives k6 no variable that would replace its profile", () => {
    expect(Object.keys(services["k6"]!.environment!).filter((name) => name.startsWith("K6_"))).toEqual([
      "K6_NO_USAGE_REPORT",
    ]);
  });

  it("makes everything that it mounts from the checkout readable before it is read, and relies on no script's mode", () => {
    const { readable, ...others } = services;
    const made = readable!.volumes!.map((volume) => volume.split(":")[0]!);
    const waits = (name: string): boolean =>
      name === "readable" || Object.keys(services[name]!.depends_on ?? {}).some(waits);
    for (const [name, { volumes = [], entrypoint = [] }] of Object.entries(others)) {
      const mounted = volumes.filter((volume) => volume.startsWith("./")).map((volume) => volume.split(":")[0]!);
      for (const path of mounted)
        expect(
          made.some((one) => `${path}/`.startsWith(`${one}/`)),
          `${name} ${path}`,
        ).toBe(true);
      if (mounted.length > 0) expect(waits(name), name).toBe(true);
      expect(entrypoint[0] ?? "bash", name).toBe("bash");
    }
  });

  it("gives Kafka the native broker's settings", () => {
    const settings = services["kafka"]!.environment!;
    const native = kafkaProperties(clusterSettings());
    // Its address and its data folder differ.
    const places = /listener|log\.dirs|voters/;
    for (const [key, value] of Object.entries(native))
      if (!places.test(key))
        expect(String(settings[`KAFKA_${key.toUpperCase().replaceAll(".", "_")}`]), key).toBe(String(value));
  });

  it("passes the intake's tokens to the intake and to all that use its door, to each only what it needs", () => {
    const users = Object.entries(services).filter(
      ([name, { environment = {} }]) => name === "intake" || "INTAKE" in environment,
    );
    expect(users.map(([name]) => name).sort()).toEqual(["dashboard", "intake", "k6"]);
    const tokens = users.map(([name, { environment = {} }]) => [
      name,
      // Without a value it is the caller's, and left out where the caller has none.
      ["INTAKE_TOKEN", "INTAKE_LABEL_TOKEN"].filter((token) => environment[token] === null),
    ]);
    expect(Object.fromEntries(tokens)).toEqual({
      intake: ["INTAKE_TOKEN", "INTAKE_LABEL_TOKEN"],
      k6: ["INTAKE_TOKEN", "INTAKE_LABEL_TOKEN"],
      dashboard: ["INTAKE_LABEL_TOKEN"],
    });
    expect(services["dashboard"]!.environment).not.toHaveProperty("INTAKE_TOKEN");
  });

  it("gives each of our servers the names by which it is asked inside, and on this machine", () => {
    const names = (service: string, variable: string) => String(services[service]!.environment![variable]);
    expect(names("functions", "FUNCTIONS_HOSTS")).toBe(
      "functions:8000,function-servers:8000,127.0.0.1:${FUNCTIONS_PORT:-8000},localhost:${FUNCTIONS_PORT:-8000},${FUNCTIONS_HOSTS:-}",
    );
    expect(names("intake", "INTAKE_HOSTS")).toBe(
      "intake:8080,127.0.0.1:${INTAKE_PORT:-8080},localhost:${INTAKE_PORT:-8080},${INTAKE_HOSTS:-}",
    );
    expect(names("failures", "FAILURES_HOSTS")).toBe("failures:8091");
    const urls = Object.values(services).flatMap(({ environment = {} }) =>
      Object.values(environment).flatMap((value) =>
        [...String(value).matchAll(/http:\/\/(intake|failures|functions):\d+/g)].map(([url]) => url.slice(7)),
      ),
    );
    const module = [...read("module.yaml").matchAll(/http:\/\/([^/]+)\//g)].map(([, name]) => name!);
    const known = [...names("functions", "FUNCTIONS_HOSTS").split(","), ...names("intake", "INTAKE_HOSTS").split(",")];
    expect([...urls, ...module].filter((name) => ![...known, "failures:8091"].includes(name))).toEqual([]);
  });

  it("passes on the web app's additional names", () => {
    const given = String(services["dashboard"]!.environment!["DASHBOARD_HOSTS"]);
    expect(given).toBe("127.0.0.1:${DASHBOARD_PORT:-8090},localhost:${DASHBOARD_PORT:-8090},${DASHBOARD_HOSTS:-}");
    const hostsOf = (value: string) =>
      dashboardSettings({
        DASHBOARD_HOSTS: given.replaceAll("${DASHBOARD_PORT:-8090}", "8090").replace("${DASHBOARD_HOSTS:-}", value),
      }).names.hosts;
    expect(hostsOf("")).toEqual(["127.0.0.1:8090", "localhost:8090"]);
    expect(hostsOf("fraud.example, localhost:9000")).toEqual([
      "127.0.0.1:8090",
      "localhost:8090",
      "fraud.example",
      "localhost:9000",
    ]);
  });

  it("logs as the native processes do", () => {
    expect(read("cluster/compose/log4j-console.properties")).toContain(`\n${log4j("info")}`);
  });
});

describe("the images", () => {
  it("get every folder that the Dockerfile copies: .dockerignore lets them in", () => {
    const copied = [...read("Dockerfile").matchAll(/^COPY --from=sources (.+) \S+$/gm)]
      .flatMap(([, sources]) => sources!.split(" "))
      .map((source) => source.replace("/app/", "").split("/")[0]!)
      .filter((source) => source !== "" && source !== ".");
    expect(copied.length).toBeGreaterThan(15);
    const allowed = new Set([...read(".dockerignore").matchAll(/^!(.+)$/gm)].map(([, name]) => name));
    expect(copied.filter((name) => !allowed.has(name))).toEqual([]);
  });
});
