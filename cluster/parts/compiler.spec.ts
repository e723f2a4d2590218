import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { clusterSettings, type Part } from "../settings.js";
import { partProgram } from "./index.js";
import { QUICK_START } from "./part-program.js";

const PARTS = ["zookeeper", "kafka", "jobmanager", "taskmanager"] as const satisfies readonly Part[];
const read = (file: string): unknown =>
  parse(readFileSync(join(REPOSITORY_ROOT, file), "utf8"), { merge: true, maxAliasCount: -1 });

describe("the quick compiler", () => {
  it("is the only one of every Java program that lives for minutes", () => {
    for (const part of PARTS) expect(partProgram(part, clusterSettings()).args, part).toContain(QUICK_START);
  });

  it("is not the only one of a broker and a TaskManager that live for hours", () => {
    const settings = clusterSettings({ compiler: "optimising" });
    expect(PARTS.filter((part) => !partProgram(part, settings).args.includes(QUICK_START))).toEqual([
      "kafka",
      "taskmanager",
    ]);
  });

  it("is not the only one of theirs in containers either", () => {
    const conf = read("cluster/flink-conf.yaml") as Record<string, string>;
    const ofFlink = (role: string) => `${conf["env.java.opts"]} ${conf[`env.java.opts.${role}`]}`.split(" ");
    expect(ofFlink("taskmanager")).not.toContain(QUICK_START);
    expect(ofFlink("jobmanager")).toContain(QUICK_START);
    const { services } = read("docker-compose.yml") as {
      readonly services: Readonly<Record<string, { readonly environment: Readonly<Record<string, string>> }>>;
    };
    const ofKafka = services["kafka"]!.environment["KAFKA_JVM_PERFORMANCE_OPTS"]!.split(" ");
    expect(ofKafka).toContain("-XX:+ExitOnOutOfMemoryError");
    expect(ofKafka).not.toContain(QUICK_START);
  });
});
