import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";

import { LIMITS } from "../../contract/limits.js";
import { PIPELINE_GROUP, TOPICS } from "../../contract/topics.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { clusterSettings, DEFAULT_CHECKPOINT_INTERVAL_MS } from "../settings.js";
import { flinkOverrides, renderFlinkConf, renderModule, taskManagerMemoryMb } from "./render.js";

const settings = clusterSettings({ portOffset: 20_000 });
const moduleText = readFileSync(join(REPOSITORY_ROOT, "module.yaml"), "utf8");

interface Component {
  readonly kind: string;
  readonly spec: {
    readonly address?: string;
    readonly urlPathTemplate?: string;
    readonly topics?: { readonly topic: string }[];
    readonly maxNumBatchRequests?: number;
    readonly transport?: Readonly<Record<string, unknown>>;
    readonly consumerGroupId?: string;
    readonly autoOffsetResetPosition?: string;
  };
}
const components = (text: string) =>
  parseAllDocuments(text).map((document) => (document as { toJS(): unknown }).toJS() as Component);

describe("renderModule", () => {
  it("replaces the containers' endpoints with loopback ones and keeps the rest", () => {
    const rendered = components(renderModule(moduleText, settings));
    for (const { kind, spec } of rendered) {
      if (kind.includes("endpoints")) expect(spec.urlPathTemplate).toBe("http://127.0.0.1:28000/statefun");
      else expect(spec.address).toBe("127.0.0.1:29092");
    }
    const original = components(moduleText);
    expect(rendered.map(({ kind }) => kind)).toEqual(original.map(({ kind }) => kind));
    expect(rendered.flatMap(({ spec }) => spec.topics ?? [])).toEqual(
      original.flatMap(({ spec }) => spec.topics ?? []),
    );
  });

  it("refuses an address that it would not replace", () => {
    expect(() => renderModule(moduleText.replace("address: kafka:9092", "address: broker:9092"), settings)).toThrow(
      /address "broker:9092" holds none of kafka:9092/,
    );
    expect(() => renderModule("", settings)).toThrow(/module.yaml/);
  });
});

describe("module.yaml", () => {
  it("goes on at a log's beginning where an offset is gone: by default StateFun would skip all that waits", () => {
    for (const text of [moduleText, renderModule(moduleText, settings)]) {
      const ingresses = components(text).filter(({ kind }) => kind.endsWith("/ingress"));
      expect(ingresses.map(({ spec }) => spec.autoOffsetResetPosition)).toEqual(["earliest", "earliest"]);
    }
  });

  it("reads only the *.valid topics, and batches no more than the function server is made for", () => {
    const topics = components(moduleText).flatMap(({ spec }) => spec.topics ?? []);
    expect(topics.map(({ topic }) => topic)).toEqual([TOPICS.transactionsValid.name, TOPICS.labelsValid.name]);
    for (const { spec } of components(moduleText).filter(({ spec }) => spec.topics !== undefined))
      expect(spec.consumerGroupId).toBe(PIPELINE_GROUP);
    expect(components(moduleText)[0]!.spec.maxNumBatchRequests).toBe(LIMITS.batchRecords);
  });

  it("bounds what is under way, as flink-conf.yaml does", () => {
    const transport = {
      requests_in_flight: LIMITS.requestsInFlight,
      max_requests: LIMITS.requests,
      max_batch_calls: LIMITS.requestCalls,
      max_batch_bytes: LIMITS.requestBytes,
    };
    expect(components(moduleText)[0]!.spec.transport).toMatchObject(transport);
    const conf = parse(readFileSync(join(REPOSITORY_ROOT, "cluster/flink-conf.yaml"), "utf8")) as Readonly<
      Record<string, unknown>
    >;
    expect(conf["statefun.async.max-per-task"]).toBe(LIMITS.callsPerTask);
    expect(LIMITS.requestBytes).toBeLessThanOrEqual(LIMITS.bodyBytes);
  });
});

describe("renderFlinkConf", () => {
  it("lets the native values win and keeps what it does not name", () => {
    const text = renderFlinkConf("a.b: 1\nrest.port: 8081\nc: x;y\n", { "rest.port": 28_081, d: "new" });
    expect(text.split("\n")).toEqual(["a.b: 1", "rest.port: 28081", "c: x;y", "d: new", ""]);
  });

  it("leaves no container's address in the native settings", () => {
    const template = readFileSync(join(REPOSITORY_ROOT, "cluster/flink-conf.yaml"), "utf8");
    for (const role of ["jobmanager", "taskmanager"] as const) {
      const text = renderFlinkConf(template, flinkOverrides(settings, role));
      expect(text).not.toMatch(/: jobmanager|zookeeper:2181|minio:9000/);
      for (const line of [
        "high-availability: statefun.guard.GuardedServicesFactory",
        // Without it nothing is left of a job that has ended, and the next start begins from nothing.
        "job-result-store.delete-on-commit: false",
        "web.submit.enable: false",
        "web.access-control-allow-origin: none",
      ])
        expect(text.split("\n")).toContain(line);
    }
  });

  it("has a checkpoint as often as containers do", () => {
    const conf = parse(readFileSync(join(REPOSITORY_ROOT, "cluster/flink-conf.yaml"), "utf8")) as Record<
      string,
      string
    >;
    expect(conf["execution.checkpointing.interval"]).toBe(`${DEFAULT_CHECKPOINT_INTERVAL_MS}ms`);
    expect(flinkOverrides(clusterSettings(), "jobmanager")).toMatchObject({
      "execution.checkpointing.interval": conf["execution.checkpointing.interval"],
    });
  });

  it.each(["rocksdb", "hashmap"] as const)(
    "gives the TaskManager's heap what the other parts leave, on %s",
    (stateBackend) => {
      const sizes = taskManagerMemoryMb({ ...settings, stateBackend });
      expect(sizes.taskHeap).toBeGreaterThan(500);
      expect(sizes.managed > 0).toBe(stateBackend === "rocksdb");
      expect(sizes.heap + sizes.managed + sizes.direct + sizes.metaspace + sizes.overhead).toBe(
        settings.memoryMb.taskManager,
      );
    },
  );

  it("gives each generation its own place for high availability: none goes on from what is left of the one before", () => {
    expect(flinkOverrides(settings, "jobmanager")["high-availability.cluster-id"]).toBe("/fraud");
    expect(flinkOverrides({ ...settings, stateGeneration: 2 }, "jobmanager")["high-availability.cluster-id"]).toBe(
      "/fraud-2",
    );
  });

  it.each([1, 2, 4, 8])("leaves RocksDB room for the first block of each state with %i slots", (parallelism) => {
    const conf = parse(readFileSync(join(REPOSITORY_ROOT, "cluster/flink-conf.yaml"), "utf8")) as Record<
      string,
      string
    >;
    const kb = 1024;
    const buffer = Number(/^(\d+)mb$/.exec(conf["state.backend.rocksdb.writebuffer.size"]!)![1]) * kb;
    // Of each function that it calls StateFun keeps three, and five more; Flink gives write buffers a third of a slot's
    // managed memory, and RocksDB writes one to disk when the blocks of all have seven eighths of that.
    const states = 3 * 5 + 5;
    const { managed } = taskManagerMemoryMb({ ...settings, stateBackend: "rocksdb" });
    expect((states * buffer) / 8).toBeLessThan((((managed * kb) / parallelism / 3) * 7) / 8);
  });

  it("runs containers on the backend and in the place that new native clusters use", () => {
    const conf = parse(readFileSync(join(REPOSITORY_ROOT, "cluster/flink-conf.yaml"), "utf8")) as Record<
      string,
      string
    >;
    const native = flinkOverrides(settings, "taskmanager");
    for (const key of [
      "state.backend",
      "taskmanager.memory.managed.size",
      "taskmanager.memory.process.size",
      "high-availability.cluster-id",
      "high-availability.storageDir",
    ])
      expect(conf[key], key).toBe(native[key]);
  });
});
