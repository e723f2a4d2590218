import { describe, expect, it } from "vitest";

import { composeEnv } from "../cluster/compose/compose-env.js";
import { partProgram } from "../cluster/parts/index.js";
import { clusterSettings } from "../cluster/settings.js";
import { dashboardSettings } from "../dashboards/live/settings.js";
import { intakeSettings } from "../intake/settings.js";
import { planOf } from "../loadtest/k6/plan.ts";
import { childEnv } from "../process/environment.js";
import { cacheDir } from "../tools/cache-folder.js";
import { browserProgram } from "../tools/index.js";

describe("an empty variable", () => {
  it.each(["", "  "])("is not set for everything that reads the environment (%j)", (empty) => {
    const all = (...names: string[]) => Object.fromEntries(names.map((name) => [name, empty]));
    expect(
      intakeSettings(
        all(
          "HOST",
          "PORT",
          "KAFKA",
          "INTAKE_TOKEN",
          "INTAKE_LABEL_TOKEN",
          "INTAKE_LABEL_USERS",
          "INTAKE_HOSTS",
          "INTAKE_MAX_AHEAD_MS",
          "INTAKE_KEEP_DECISIONS",
          "INTAKE_MAX_BACKLOG_SECONDS",
        ),
      ),
    ).toEqual(intakeSettings({}));
    expect(
      dashboardSettings(
        all(
          "HOST",
          "PORT",
          "KAFKA",
          "INTAKE",
          "FLINK",
          "INTAKE_LABEL_TOKEN",
          "DASHBOARD_TOKEN",
          "DASHBOARD_USERS",
          "DASHBOARD_ALLOW_OPEN",
          "DASHBOARD_HOSTS",
          "DASHBOARD_KEEP_ALERTS",
          "DASHBOARD_KEEP_DECISIONS",
          "DASHBOARD_KEEP_SCORES",
          "DASHBOARD_FAILURES",
          "DASHBOARD_FAILURES_TOKEN",
        ),
      ),
    ).toEqual(dashboardSettings({}));
    expect(planOf(all("INTAKE", "RATE", "DURATION"))).toEqual(planOf({}));
    expect(composeEnv("KAFKA_PORT=9092\n", all("KAFKA_PORT"))).toEqual({ KAFKA_PORT: "9092" });
    expect(browserProgram(all("CHROMIUM", "PATH"))).toBeUndefined();
    expect(cacheDir({ ...all("FRAUD_CACHE_DIR", "XDG_CACHE_HOME"), HOME: "/home/ada" })).toBe(
      "/home/ada/.cache/stateful-fraud-detection",
    );
    expect(cacheDir(all("FRAUD_CACHE_DIR", "XDG_CACHE_HOME", "HOME"))).toMatch(/^\/.*\/stateful-fraud-detection$/);
  });
});

describe("what the parts are given", () => {
  it("has nothing that would configure them differently", () => {
    const callers = {
      JAVA_TOOL_OPTIONS: "-XX:+UseG1GC",
      _JAVA_OPTIONS: "-Xmx9g",
      JDK_JAVA_OPTIONS: "-ea",
      CLASSPATH: "/x",
      K6_VUS: "1",
      K6_DURATION: "1s",
      K6_OUT: "cloud",
      JAVA_HOME: "/java",
      PATH: "/bin",
    };
    const settings = clusterSettings();
    for (const part of ["zookeeper", "kafka", "jobmanager", "taskmanager"] as const) {
      const { env, foreign } = partProgram(part, settings);
      const names = Object.keys(childEnv(env, foreign, callers));
      expect(
        names.filter((name) => /^_?JAVA_(TOOL_)?OPTIONS|^JDK_|^CLASSPATH/.test(name)),
        part,
      ).toEqual([]);
    }
    const flink = partProgram("taskmanager", settings);
    expect(childEnv(flink.env, flink.foreign, { FLINK_LIB_DIR: "/x", FLINK_PLUGINS_DIR: "/x" })).toMatchObject({
      FLINK_PLUGINS_DIR: `${settings.dataDir}/conf/plugins`,
    });
    for (const name of ["FLINK_LIB_DIR", "AWS_SESSION_TOKEN", "HTTP_PROXY", "https_proxy", "all_proxy"])
      expect(childEnv(flink.env, flink.foreign, { [name]: "/x" })).not.toHaveProperty(name);
    const { env, foreign } = partProgram("minio", settings);
    expect(childEnv(env, foreign, { MINIO_DOMAIN: "example.org", MINIO_ROOT_USER: "other" })).not.toHaveProperty(
      "MINIO_DOMAIN",
    );
    expect(childEnv(env, foreign, { MINIO_ROOT_USER: "other" })).not.toHaveProperty("MINIO_ROOT_USER");
  });
});
