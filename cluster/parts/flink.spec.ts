import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { clusterSettings } from "../settings.js";
import { jobManager, taskManager } from "./flink.js";
import { QUICK_START } from "./part-program.js";

describe("the TaskManager's compiler", () => {
  it("is the quick one unless it is to live for hours", () => {
    expect(taskManager(clusterSettings()).args).toContain(QUICK_START);
    expect(taskManager(clusterSettings({ compiler: "optimising" })).args).not.toContain(QUICK_START);
    expect(jobManager(clusterSettings({ compiler: "optimising" })).args).toContain(QUICK_START);
  });

  it("is the optimising one in containers, and there too the TaskManager's alone", () => {
    const conf = parse(readFileSync(join(REPOSITORY_ROOT, "cluster/flink-conf.yaml"), "utf8")) as Record<
      string,
      string
    >;
    const optionsOf = (role: string) => `${conf["env.java.opts"]} ${conf[`env.java.opts.${role}`]}`.split(" ");
    expect(optionsOf("taskmanager")).not.toContain(QUICK_START);
    expect(optionsOf("jobmanager")).toContain(QUICK_START);
  });
});
