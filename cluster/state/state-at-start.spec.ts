import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { StateBackend } from "../../flink/flink.js";
import { clusterSettings, type ClusterSettings } from "../settings.js";
import { backendIn, chosen, stateAtStart } from "./state-at-start.js";
import { readStateRecord, type StateRecord, writeStateRecord } from "./state-record.js";

const ask = (
  asked: StateBackend | undefined,
  found: StateRecord | undefined,
  past: boolean,
  earlier: StateBackend = "rocksdb",
) => chosen(clusterSettings(asked === undefined ? {} : { stateBackend: asked }), found, { past, earlier });
const rocksdb: StateRecord = { stateBackend: "rocksdb", generation: 2 };

describe("the backend of a start", () => {
  it("is what was asked for, else the heap, where there is no state yet", () => {
    expect(ask(undefined, undefined, false)).toEqual({ stateBackend: "hashmap", generation: 1 });
    expect(ask("rocksdb", undefined, false)).toEqual({ stateBackend: "rocksdb", generation: 1 });
  });

  it("may still be chosen after a start that completed no checkpoint, and is otherwise the one chosen then", () => {
    expect(ask("hashmap", rocksdb, false)).toEqual({ stateBackend: "hashmap", generation: 2 });
    expect(ask(undefined, rocksdb, false)).toEqual(rocksdb);
  });

  it("is the one that the state is on, and no other", () => {
    expect(ask(undefined, rocksdb, true)).toEqual(rocksdb);
    expect(ask("rocksdb", rocksdb, true)).toEqual(rocksdb);
    expect(ask("hashmap", rocksdb, true)).toBeUndefined();
  });

  it("is that of the earlier version, which recorded nothing", () => {
    expect(ask(undefined, undefined, true)).toEqual({ stateBackend: "rocksdb", generation: 1 });
    expect(ask("hashmap", undefined, true)).toBeUndefined();
    expect(ask("hashmap", undefined, true, "hashmap")).toEqual({ stateBackend: "hashmap", generation: 1 });
  });
});

describe("backendIn", () => {
  it("finds what Flink's settings name, if it is one of the two", () => {
    expect(backendIn("a: b;c\nstate.backend: rocksdb\nstate.backend.incremental: true\n")).toBe("rocksdb");
    expect(backendIn("state.backend: filesystem\n")).toBeUndefined();
    expect(backendIn("")).toBeUndefined();
  });
});

describe("stateAtStart", () => {
  const FOLDER = "savepoints/restart-1";
  const SAVEPOINT = `${FOLDER}/savepoint-1`;
  const begun: StateRecord = {
    stateBackend: "rocksdb",
    generation: 1,
    next: { stateBackend: "hashmap", folder: `s3://statefun/${FOLDER}` },
  };
  const moved: StateRecord = { stateBackend: "hashmap", generation: 2, savepoint: `s3://statefun/${SAVEPOINT}` };
  /** The part of S3 that is used: keys are listed by prefix, read and written. */
  const objects = new Map<string, string>();
  let store: Server;
  let settings: ClusterSettings;

  beforeEach(async () => {
    objects.clear();
    store = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url!, "http://store");
      const key = decodeURIComponent(pathname.slice("/statefun/".length));
      if (request.method === "PUT") {
        let body = "";
        request.on("data", (chunk: Buffer) => (body += chunk.toString()));
        request.on("end", () => {
          objects.set(key, body);
          response.end();
        });
      } else if (searchParams.has("list-type")) {
        const found = [...objects.keys()].filter((one) => one.startsWith(searchParams.get("prefix")!));
        response.end(
          `<?xml version="1.0"?><ListBucketResult>${found.map((one) => `<Contents><Key>${one}</Key></Contents>`).join("")}</ListBucketResult>`,
        );
      } else if (objects.has(key)) response.end(objects.get(key));
      else response.writeHead(404).end("<Error><Code>NoSuchKey</Code></Error>");
    });
    await new Promise<void>((resolve) => store.listen(0, "127.0.0.1", resolve));
    const defaults = clusterSettings({ name: "spec-of-state" });
    settings = { ...defaults, ports: { ...defaults.ports, minio: (store.address() as AddressInfo).port } };
  });
  afterEach(() => {
    store.closeAllConnections();
    store.close();
  });

  const handles = (...ids: string[]) => ids.forEach((id) => objects.set(`ha/${id}/completedCheckpoint0f5e`, ""));
  const savepoint = () => objects.set(`${SAVEPOINT}/_metadata`, "");
  /** A start on topics that hold decisions. */
  const startOn = (options: Partial<ClusterSettings> = {}) =>
    stateAtStart(
      { ...settings, ...options },
      { pointer: true, createdTopics: [], holdsCommitted: () => Promise.resolve(true) },
    );

  it("records what new state is on before the job starts", async () => {
    expect(
      await stateAtStart(settings, {
        pointer: false,
        createdTopics: settings.application.ingressTopics.map(({ name }) => name),
      }),
    ).toEqual({ stateBackend: "hashmap", generation: 1 });
    expect(await readStateRecord(settings)).toEqual({ stateBackend: "hashmap", generation: 1 });
  });

  it("goes on from the savepoint of a restart that was killed, whatever is left of the checkpoints before it", async () => {
    await writeStateRecord(settings, begun);
    savepoint();
    handles("fraud");
    expect(await startOn()).toEqual(moved);
    // And again, if this start is killed too.
    expect(await startOn()).toEqual(moved);
    await expect(startOn({ stateBackend: "rocksdb", stateBackendAsked: true })).rejects.toThrow(
      /the state is on hashmap, and checkpoints do not restore on rocksdb/,
    );
  });

  it("goes on from the checkpoints when the restart was killed before its savepoint, and does not look for one later", async () => {
    await writeStateRecord(settings, begun);
    handles("fraud");
    expect(await startOn()).toEqual({ stateBackend: "rocksdb", generation: 1 });
    savepoint();
    expect(await startOn()).toEqual({ stateBackend: "rocksdb", generation: 1 });
  });

  it("refuses a generation whose checkpoints are gone, even if there are some of the one before", async () => {
    await writeStateRecord(settings, { stateBackend: "hashmap", generation: 2 });
    handles("fraud");
    savepoint();
    await expect(startOn()).rejects.toThrow(/checkpoint is gone/);
    handles("fraud-2");
    expect(await startOn()).toEqual({ stateBackend: "hashmap", generation: 2 });
  });

  it("begins a new generation at the newest checkpoint where all have one cluster id, and goes on as always once it has left that", async () => {
    const goOn = (fromLatest: boolean, pointer: boolean) =>
      stateAtStart(settings, {
        fromLatest,
        oneClusterId: true,
        pointer,
        createdTopics: [],
        holdsCommitted: () => Promise.resolve(true),
        cures: { startOver: "start over", goOn: "go on" },
      });
    const kept: StateRecord = { stateBackend: "hashmap", generation: 1 };
    await writeStateRecord(settings, kept);
    await expect(goOn(true, false)).rejects.toThrow(
      /no complete checkpoint to go on from\. Start over with: start over$/,
    );
    handles("fraud");
    // What Flink's metadata begin with: a number of its own, a version, and the checkpoint's number.
    objects.set("checkpoints/0/chk-7/_metadata", "I`g-\0\0\0\x03\0\0\0\0\0\0\0\x07");
    await expect(goOn(false, false)).rejects.toThrow(
      /ZooKeeper has lost the pointer .*: go on; or start over with: start over$/,
    );
    const next = { ...kept, generation: 2, savepoint: "s3://statefun/checkpoints/0/chk-7" };
    expect(await goOn(true, false)).toEqual(next);
    // The start that follows, on whatever is left of the one before.
    expect(await goOn(false, false)).toEqual(next);
    await writeStateRecord(settings, { ...kept, generation: 2 });
    expect(await goOn(false, true)).toEqual({ ...kept, generation: 2 });
    await expect(goOn(false, false)).rejects.toThrow(/ZooKeeper has lost the pointer/);
  });

  it("keeps the parallelism of a job that has run, and refuses another, which Flink would ignore", async () => {
    await writeStateRecord(settings, { stateBackend: "hashmap", generation: 1, parallelism: 3 });
    handles("fraud");
    expect(await startOn()).toEqual({ stateBackend: "hashmap", generation: 1, parallelism: 3 });
    expect(await startOn({ parallelism: 3, parallelismAsked: true })).toMatchObject({ parallelism: 3 });
    await expect(startOn({ parallelism: 2, parallelismAsked: true })).rejects.toThrow(
      /^the job of these data has a parallelism of 3, which Flink keeps, and not 2\. Go on with it: npm run cluster -- up --parallelism 3 --name spec-of-state; or change it: npm run cluster -- convert --parallelism 2 --name spec-of-state$/,
    );
    expect(await readStateRecord(settings)).toEqual({ stateBackend: "hashmap", generation: 1, parallelism: 3 });
  });

  it("goes on at the ports where the job expects Kafka, and names them when others are asked for", async () => {
    const kept: StateRecord = { stateBackend: "hashmap", generation: 1, parallelism: 2, kafka: "127.0.0.1:9092" };
    await writeStateRecord(settings, kept);
    handles("fraud");
    expect(await startOn()).toEqual(kept);
    await expect(startOn({ ports: { ...settings.ports, kafka: 24_092 } })).rejects.toThrow(
      /^the job of these data has Kafka at 127\.0\.0\.1:9092, which Flink keeps, and not at 127\.0\.0\.1:24092\. Go on at the ports of then: --port-offset 0; or run another cluster, by another --name; or start over with: npm run cluster -- down --name spec-of-state --wipe$/,
    );
    expect(await readStateRecord(settings)).toEqual(kept);
  });

  it("keeps state of a version that recorded nothing on RocksDB", async () => {
    handles("fraud");
    await expect(startOn({ stateBackendAsked: true })).rejects.toThrow(
      /the state is on rocksdb.*Go on without --state-backend; or change it: npm run cluster -- convert hashmap --name spec-of-state/,
    );
    expect(await startOn()).toEqual({ stateBackend: "rocksdb", generation: 1 });
  });
});
