import { describe, expect, it } from "vitest";

import { dashboardSettings } from "../dashboards/live/settings.js";
import { intakeSettings } from "../intake/settings.js";
import { planOf } from "../loadtest/k6/plan.ts";
import { browserProgram } from "./tools/index.js";
import { composeEnv } from "./compose/compose-env.js";
import { askLoopbackDirectly, childEnv, given, JAVA_VARIABLES, K6_VARIABLES } from "./environment.js";
import { partProgram } from "./parts/index.js";
import { cacheDir, clusterSettings } from "./settings.js";

describe("an empty variable", () => {
  it("is one that is not set", () => {
    expect(given({ A: "", B: " ", C: "0", D: undefined })).toEqual({ C: "0" });
  });

  it.each(["", "  "])("is one for everything that reads the environment (%j)", (empty) => {
    const all = (...names: string[]) => Object.fromEntries(names.map((name) => [name, empty]));
    expect(intakeSettings(all("HOST", "PORT", "KAFKA", "INTAKE_TOKEN", "INTAKE_MAX_AHEAD_MS", "INTAKE_KEEP_DECISIONS", "INTAKE_MAX_BACKLOG_SECONDS"))).toEqual(intakeSettings({}));
    expect(dashboardSettings(all("HOST", "PORT", "KAFKA", "INTAKE", "FLINK", "INTAKE_TOKEN", "DASHBOARD_TOKEN", "DASHBOARD_ALLOW_OPEN", "DASHBOARD_HOSTS", "DASHBOARD_KEEP_ALERTS", "DASHBOARD_KEEP_DECISIONS", "DASHBOARD_FAILURES", "DASHBOARD_FAILURES_TOKEN"))).toEqual(dashboardSettings({}));
    expect(planOf(all("INTAKE", "RATE", "DURATION"))).toEqual(planOf({}));
    expect(composeEnv("KAFKA_PORT=9092\n", all("KAFKA_PORT"))).toEqual({ KAFKA_PORT: "9092" });
    expect(browserProgram(all("CHROMIUM", "PATH"))).toBeUndefined();
    expect(cacheDir({ ...all("FRAUD_CACHE_DIR", "XDG_CACHE_HOME"), HOME: "/home/ada" })).toBe("/home/ada/.cache/stateful-fraud-detection");
    expect(cacheDir(all("FRAUD_CACHE_DIR", "XDG_CACHE_HOME", "HOME"))).toMatch(/^\/.*\/stateful-fraud-detection$/);
  });
});

describe("the cache folder", () => {
  it("is absolute, or refused with one that is", () => {
    expect(cacheDir({ FRAUD_CACHE_DIR: "/a b/cache/" })).toBe("/a b/cache/");
    expect(() => cacheDir({ FRAUD_CACHE_DIR: "cache" })).toThrow(/^FRAUD_CACHE_DIR is "cache": give it an absolute path, such as \/.*\/cache\.$/);
    expect(() => cacheDir({ FRAUD_CACHE_DIR: "~/cache" })).toThrow(/such as \/.*\/cache\.$/);
  });

  it("is not looked for in a relative XDG_CACHE_HOME, as that is defined, nor in a relative home", () => {
    expect(cacheDir({ XDG_CACHE_HOME: "cache", HOME: "/home/ada" })).toBe("/home/ada/.cache/stateful-fraud-detection");
    expect(cacheDir({ HOME: "." })).toMatch(/^\/.*\/stateful-fraud-detection$/);
  });

  it("is none that Java would take for two", () => {
    expect(() => cacheDir({ FRAUD_CACHE_DIR: "/a:b" })).toThrow(/Java's class path ends one path.* Name another one: FRAUD_CACHE_DIR=/);
    expect(() => cacheDir({ HOME: "/a:b" })).toThrow(/Java's class path/);
  });
});

describe("what children are given", () => {
  it("asks loopback directly, and whom the caller asked for, in both spellings", () => {
    const env = childEnv({}, undefined, { HTTP_PROXY: "http://proxy:3128", no_proxy: "intern.example, localhost", NO_PROXY: "other.example" });
    expect(env["HTTP_PROXY"]).toBe("http://proxy:3128");
    expect(env["no_proxy"]).toBe(env["NO_PROXY"]);
    expect(env["NO_PROXY"]!.split(",").sort()).toEqual(["127.0.0.1", "::1", "[::1]", "intern.example", "localhost", "other.example"]);
  });

  it("holds for this process too, where Node asks proxies itself", () => {
    const before = { ...process.env };
    try {
      Object.assign(process.env, { HTTP_PROXY: "http://proxy:3128", no_proxy: "intern.example" });
      askLoopbackDirectly();
      for (const name of ["NO_PROXY", "no_proxy"]) expect(process.env[name]!.split(",")).toEqual(expect.arrayContaining(["intern.example", "localhost", "127.0.0.1"]));
    } finally {
      for (const name of ["HTTP_PROXY", "NO_PROXY", "no_proxy"]) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
  });

  it("are names of files in UTF-8", () => {
    if (process.platform === "linux") expect(childEnv({}, undefined, { LC_ALL: "POSIX", LANG: "C" })["LC_ALL"]).toBe("C.UTF-8");
  });

  it("is nothing that would configure them otherwise", () => {
    const callers = { JAVA_TOOL_OPTIONS: "-XX:+UseG1GC", _JAVA_OPTIONS: "-Xmx9g", JDK_JAVA_OPTIONS: "-ea", CLASSPATH: "/x", K6_VUS: "1", K6_DURATION: "1s", K6_OUT: "cloud", JAVA_HOME: "/java", PATH: "/bin" };
    expect(Object.keys(childEnv({ K6_NO_USAGE_REPORT: "true" }, K6_VARIABLES, callers)).filter((name) => name.startsWith("K6_"))).toEqual(["K6_NO_USAGE_REPORT"]);
    expect(childEnv({}, JAVA_VARIABLES, callers)).toMatchObject({ JAVA_HOME: "/java", PATH: "/bin" });
    const settings = clusterSettings();
    for (const part of ["zookeeper", "kafka", "jobmanager", "taskmanager"] as const) {
      const { env, foreign } = partProgram(part, settings);
      const names = Object.keys(childEnv(env, foreign, callers));
      expect(names.filter((name) => /^_?JAVA_(TOOL_)?OPTIONS|^JDK_|^CLASSPATH/.test(name)), part).toEqual([]);
    }
    const flink = partProgram("taskmanager", settings);
    expect(childEnv(flink.env, flink.foreign, { FLINK_LIB_DIR: "/x", FLINK_PLUGINS_DIR: "/x" })).toMatchObject({ FLINK_PLUGINS_DIR: `${settings.dataDir}/conf/plugins` });
    for (const name of ["FLINK_LIB_DIR", "HTTP_PROXY", "https_proxy", "all_proxy"]) expect(childEnv(flink.env, flink.foreign, { [name]: "/x" })).not.toHaveProperty(name);
    const { env, foreign } = partProgram("minio", settings);
    expect(childEnv(env, foreign, { MINIO_DOMAIN: "example.org", MINIO_ROOT_USER: "other" })).not.toHaveProperty("MINIO_DOMAIN");
    expect(childEnv(env, foreign, { MINIO_ROOT_USER: "other" })["MINIO_ROOT_USER"]).toBe("fraud-demo");
  });
});
