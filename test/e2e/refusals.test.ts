import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { ClusterEvent } from "../../cluster/cluster.js";
import { recorded } from "../../cluster/processes/managed-process.js";
import { type Part, partsOf } from "../../cluster/settings.js";
import { stopCluster } from "../../cluster/control.js";
import { endpoints, type Cluster, clusterSettings, flinkClient, startCluster } from "../../cluster/index.js";
import { objectStoreKeys, type ObjectStoreKeys } from "../../cluster/state/object-store-keys.js";
import { PIPELINE_GROUP, TOPICS } from "../../contract/topics.js";
import { poll } from "../../process/poll.js";
import { runQuietly } from "../../process/run-command.js";
import { withAdmin } from "../../kafka/client.js";
import { silentStep } from "../../terminal/steps.js";
import { kafkaClasspath } from "../../tools/index.js";
import { PATIENCE_MS } from "../patience.js";
import { expectStrangersToGetNothing, keyIn } from "./inner-ports.js";
import { leaveTransactionOpen } from "./left-open.js";
import { listenersBelow } from "./listeners.js";
import { SentInputs } from "./sent-inputs.js";

/*
 * Whatever ends a job for good, or loses where it was or what it has to read, is refused by name at the JobManager's
 * next start, which the supervisor makes by itself; after the cure everything is decided once.
 */

const settings = clusterSettings({ name: "e2e-refusals", portOffset: 20_000 });
const { kafka: brokers, flink: rest, minio, zookeeper } = endpoints(settings);
const flink = flinkClient(settings);
const { bucket: Bucket } = settings.objectStore;
let store: S3Client;
let cluster: Cluster;
let events: ClusterEvent[];
let inputs = new SentInputs(settings);

async function start(options: { fresh?: boolean; fromLatest?: boolean }): Promise<void> {
  events = [];
  cluster = await startCluster(settings, {
    step: silentStep,
    restart: true,
    onEvent: (event) => events.push(event),
    ...options,
  });
  // Fresh data have their own keys.
  store?.destroy();
  store = storeClient();
}

/** The reason why the supervisor does not start the JobManager again. */
async function refusal(): Promise<string> {
  const found = await poll(
    "the JobManager to be refused",
    () => events.find((event) => event.kind === "gave-up" && event.part === "jobmanager"),
    { timeoutMs: PATIENCE_MS },
  );
  return (found as Extract<ClusterEvent, { kind: "gave-up" }>).reason;
}

/** Does something while there is no JobManager, then has it started again. */
async function betweenJobManagers(work: () => Promise<void>): Promise<void> {
  events = [];
  cluster.hold("jobmanager");
  if (!events.some(({ kind }) => kind === "gave-up")) cluster.kill("jobmanager");
  await poll("the JobManager to be gone", () => events.some(({ kind }) => kind === "died"), {
    timeoutMs: PATIENCE_MS,
    intervalMs: 50,
  });
  await work();
  events = [];
  await cluster.release("jobmanager");
}

/** The cure that keeps everything. */
async function goOnFromLatest(): Promise<void> {
  await cluster.stop();
  await start({ fromLatest: true });
  await inputs.send(100);
  await inputs.areDecidedOnce();
}

/** Starts the JobManager that was refused, after what it had missed was brought back. */
async function again(): Promise<void> {
  events = [];
  await cluster.release("jobmanager");
}

/** @returns what ZooKeeper's own shell printed */
async function askZooKeeper(...command: readonly string[]): Promise<string> {
  const shell = ["-cp", kafkaClasspath(), "org.apache.zookeeper.ZooKeeperMain", "-server", zookeeper];
  const { code, output } = await runQuietly("java", [...shell, ...command]);
  expect(code, output).toBe(0);
  return output;
}

/** Where Flink keeps the pointers to a job's checkpoints, beside its graph. */
const checkpointsInZooKeeper = async (): Promise<string[]> =>
  (await askZooKeeper("ls", "-R", "/flink")).split("\n").filter((line) => /^\/flink\/.*\/checkpoints$/.test(line));

/** Nodes that disappear with the session of a leading JobManager. */
const sessionNodes = (listing: string): string[] => listing.split("\n").filter((line) => /\/latch\/./.test(line));

const timesThatTheJobBegan = async (): Promise<number> =>
  (await cluster.log("jobmanager")).match(/Job .* switched from state CREATED to RUNNING/g)?.length ?? 0;

/** The newest complete checkpoint's objects first. */
async function metadata(): Promise<string[]> {
  const { Contents = [] } = await store.send(new ListObjectsV2Command({ Bucket, Prefix: "checkpoints/" }));
  return Contents.filter(({ Key = "" }) => Key.endsWith("/_metadata"))
    .toSorted((a, b) => Number(b.LastModified) - Number(a.LastModified))
    .map(({ Key = "" }) => Key);
}

async function move(from: string, to: string): Promise<void> {
  await store.send(new CopyObjectCommand({ Bucket, CopySource: `${Bucket}/${from}`, Key: to }));
  await store.send(new DeleteObjectCommand({ Bucket, Key: from }));
}

function storeClient({ accessKey, secretKey } = objectStoreKeys(settings.objectStore.keysIn)): S3Client {
  return new S3Client({
    endpoint: minio,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
  });
}

beforeAll(async () => {
  await start({ fresh: true });
  await inputs.send(200);
  await inputs.areDecidedOnce();
});
afterAll(async () => {
  store?.destroy();
  await cluster?.stop();
  await stopCluster(settings, { wipe: true });
});

describe("Flink's REST interface", () => {
  it("ends no job on a GET, and answers no page of another origin and no foreign name", async () => {
    const { jobs } = (await (await fetch(`${rest}/jobs/overview`)).json()) as { jobs: { jid: string }[] };
    const job = jobs[0]!.jid;
    const statuses = await Promise.all(
      [
        [`/jobs/${job}/yarn-cancel`, {}],
        [`/jobs/${job}/yarn-stop`, {}],
        ["/jobs/overview", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }],
        ["/jobs/overview", { origin: "http://evil.example" }],
      ].map(async ([path, headers]) => {
        const { status } = await fetch(`${rest}${path as string}`, { headers: headers as Record<string, string> });
        return status;
      }),
    );
    expect(statuses).toEqual([403, 403, 403, 403]);
    const { headers } = await fetch(`${rest}/jobs/overview`);
    expect(headers.get("access-control-allow-origin")).not.toBe("*");
    expect(await flink.jobState()).toBe("RUNNING");
  });
});

describe("the ports where Flink's processes talk to each other", () => {
  it("give nothing to strangers, and keep nothing of theirs", async () => {
    const flinkPids = (["jobmanager", "taskmanager"] as const).map((part) => recorded(settings, part)!.pid);
    const { flinkRest, jobManagerRpc, jobManagerBlob, jobManagerMetrics, taskManagerMetrics } = settings.ports;
    const ports = flinkPids
      .flatMap((pid) => listenersBelow(pid))
      .filter(({ port }) => ![flinkRest, jobManagerMetrics, taskManagerMetrics].includes(port));
    // And the TaskManager's, and one in each of them for its figures, anywhere.
    expect(ports.map(({ port }) => port)).toEqual(expect.arrayContaining([jobManagerRpc, jobManagerBlob]));
    expect(ports).toHaveLength(5);
    await expectStrangersToGetNothing({
      ports: ports.map(({ port }) => ({ address: "127.0.0.1", port })),
      rest,
      own: keyIn(settings.dataDir),
      taskManagers: flinkPids.slice(1),
      filesWith: async (text) =>
        (await runQuietly("grep", ["-rls", text, settings.dataDir])).output.split("\n").filter((line) => line !== ""),
    });
  });

  it("open to a key of which nobody is told the password: no argument has it, no log, and no answer of Flink's", async () => {
    const { passphrase } = keyIn(settings.dataDir);
    for (const part of ["jobmanager", "taskmanager"] as const) {
      const args = readFileSync(`/proc/${recorded(settings, part)!.pid}/cmdline`, "utf8").split("\0");
      expect(args.filter((arg) => arg.includes("flink-key.p12"))).toHaveLength(2);
      expect(args.filter((arg) => arg.includes(passphrase))).toEqual([]);
      expect(await cluster.log(part)).not.toContain(passphrase);
      expect(statSync(join(settings.dataDir, "conf", part, "flink-conf.yaml")).mode & 0o777).toBe(0o600);
    }
    const config = (await (await fetch(`${rest}/jobmanager/config`)).json()) as { key: string; value: string }[];
    expect(config.find(({ key }) => key === "security.ssl.internal.key-password")?.value).toBe("******");
    expect(JSON.stringify(config)).not.toContain(passphrase);
  });
});

describe("the supervisor", () => {
  const unhealthy = async (): Promise<Part[]> =>
    (await cluster.status()).parts.flatMap(({ part, healthy }) => (healthy ? [] : [part]));

  it("sees of every part that it was stopped, though the system still takes connections for it", async () => {
    const parts = partsOf(settings);
    await poll("every part to be well", async () => (await unhealthy()).length === 0, { timeoutMs: PATIENCE_MS });
    for (const part of parts) cluster.pause(part);
    try {
      expect(await unhealthy()).toEqual(parts);
    } finally {
      for (const part of parts) cluster.resume(part);
    }
    await poll("every part to be well", async () => (await unhealthy()).length === 0, { timeoutMs: PATIENCE_MS });
  });

  it("replaces each part that hangs, and none that was paused or waits; everything is decided once", async () => {
    await flink.waitForRunning(PATIENCE_MS);
    const hanging = ["zookeeper", "kafka", "taskmanager", "functions"] as const;
    await inputs.send(100);
    cluster.pause("intake");
    for (const part of hanging) {
      events = [];
      cluster.kill(part, "SIGSTOP");
      await poll(
        `${part} to be replaced`,
        () => events.some((event) => event.kind === "restarted" && event.part === part),
        { timeoutMs: PATIENCE_MS },
      );
      // What others do meanwhile, on a slow machine, is theirs; who was replaced is asked at the end.
      expect(events.filter((event) => "part" in event && event.part === part)).toMatchObject([
        { kind: "hung", part, why: expect.stringContaining("it was stopped by a signal") as unknown },
        { kind: "died", part, exit: { signal: "SIGKILL" } },
        { kind: "restarted", part },
      ]);
      await poll(`${part} to be well`, async () => !(await unhealthy()).includes(part), { timeoutMs: PATIENCE_MS });
    }
    cluster.resume("intake");
    await inputs.send(100);
    await inputs.areDecidedOnce();
    const { parts } = await cluster.status();
    expect(parts.flatMap(({ part, replaced }) => Array<Part>(replaced?.count ?? 0).fill(part)).sort()).toEqual(
      [...hanging].sort(),
    );
  });
});

describe("the object store", () => {
  it("answers only with the keys of its data folder, and Flink shows them to nobody", async () => {
    const list = (keys: ObjectStoreKeys): Promise<unknown> => {
      const client = storeClient(keys);
      return client.send(new ListObjectsV2Command({ Bucket })).finally(() => client.destroy());
    };
    const { accessKey, secretKey } = objectStoreKeys(settings.objectStore.keysIn);
    await expect(list({ accessKey: "fraud-demo", secretKey: "fraud-demo-secret" })).rejects.toThrow(
      /Access Key Id .* does not exist/,
    );
    await expect(list({ accessKey, secretKey: "fraud-demo-secret" })).rejects.toThrow(/signature/);
    expect((await fetch(`${minio}/${Bucket}/`)).status).toBe(403);
    const shown = await (await fetch(`${rest}/jobmanager/config`)).text();
    expect(shown).toContain("s3.endpoint");
    expect(shown).not.toContain(accessKey);
    expect(shown).not.toContain(secretKey);
  });
});

describe("a transaction that nobody ends", () => {
  it("is aborted once the next start has completed checkpoints, long before the broker would", async () => {
    const { transactionalId, open } = await leaveTransactionOpen(brokers);
    expect(await open()).toMatchObject([{ timeoutMs: 72 * 3_600_000, topics: [TOPICS.decisions.name] }]);
    await cluster.stop();
    await start({});
    await poll("it to be aborted", async () => (await open()).length === 0, { timeoutMs: PATIENCE_MS });
    // It says so when the broker has answered: others may see the end before that.
    const aborted = () => events.filter(({ kind }) => kind === "aborted");
    await poll("the cluster to say so", () => aborted().length > 0, { timeoutMs: PATIENCE_MS });
    expect(aborted()).toMatchObject([{ transactionalId }]);
    await inputs.send(100);
    await inputs.areDecidedOnce();
  });
});

describe("a job is not started from nothing", () => {
  it("after someone has cancelled it, and goes on from its newest checkpoint", async () => {
    const { jobs } = (await (await fetch(`${rest}/jobs/overview`)).json()) as { jobs: { jid: string }[] };
    await fetch(`${rest}/jobs/${jobs[0]!.jid}?mode=cancel`, { method: "PATCH" });
    expect(await refusal()).toMatch(/ended for good \(CANCELED\).*--from-latest/);
    await cluster.stop();
    await expect(start({})).rejects.toThrow(/would be decided again\..*up --name e2e-refusals --from-latest/);
    await goOnFromLatest();
  });

  it("after someone has stopped it with a savepoint", async () => {
    const { jobs } = (await (await fetch(`${rest}/jobs/overview`)).json()) as {
      jobs: { jid: string; state: string }[];
    };
    const job = jobs.find(({ state }) => state === "RUNNING")!.jid;
    const asked = await fetch(`${rest}/jobs/${job}/savepoints`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ "cancel-job": true }),
    });
    const { "request-id": id } = (await asked.json()) as { "request-id": string };
    // The JobManager stays for five minutes, unless someone asks for the outcome.
    await poll(
      "the savepoint to be complete",
      async () => {
        const answer = await fetch(`${rest}/jobs/${job}/savepoints/${id}`).catch(() => undefined);
        return answer === undefined || (await answer.text()).includes("COMPLETED");
      },
      { timeoutMs: PATIENCE_MS },
    );
    expect(await refusal()).toMatch(/ended for good .*--from-latest/);
    await goOnFromLatest();
  });

  it("after ZooKeeper has lost the pointer to its checkpoint, and the job's graph or not", async () => {
    const began = await timesThatTheJobBegan();
    await betweenJobManagers(async () => {
      for (const path of await checkpointsInZooKeeper()) await askZooKeeper("deleteall", path);
    });
    expect(await refusal()).toMatch(/ZooKeeper has lost the pointer.*--from-latest/);
    await askZooKeeper("deleteall", "/flink");
    await again();
    expect(await refusal()).toMatch(/ZooKeeper has lost the pointer.*--from-latest/);
    // Not even for the moment before it was refused.
    expect(await timesThatTheJobBegan()).toBe(began);
    await goOnFromLatest();
  });

  it("after a JobManager that lost its lead found no pointer when it led again", async () => {
    const began = await timesThatTheJobBegan();
    expect(began).toBeGreaterThan(0);
    const leads = sessionNodes(await askZooKeeper("ls", "-R", "/flink"));
    expect(leads).not.toEqual([]);
    events = [];
    cluster.pause("jobmanager");
    try {
      for (const path of await checkpointsInZooKeeper()) await askZooKeeper("deleteall", path);
      await poll(
        "the session of the JobManager to end",
        async () => {
          const left = sessionNodes(await askZooKeeper("ls", "-R", "/flink"));
          return !leads.some((node) => left.includes(node));
        },
        { timeoutMs: PATIENCE_MS, intervalMs: 500 },
      );
    } finally {
      cluster.resume("jobmanager");
    }
    // It was told to begin from the checkpoint of the previous start.
    expect(await refusal()).toMatch(/it is not the newest.*--from-latest/);
    expect(await timesThatTheJobBegan()).toBe(began);
    await goOnFromLatest();
  });

  it("while its checkpoint is gone, and goes on once that is back", async () => {
    let gone: string[] = [];
    await betweenJobManagers(async () => {
      gone = await metadata();
      for (const key of gone) await move(key, `aside/${key}`);
    });
    expect(await refusal()).toMatch(/is not in the object store\. Bring it back/);
    for (const key of gone) await move(`aside/${key}`, key);
    await again();
    await flink.waitForRunning(PATIENCE_MS);
    await inputs.send(100);
    await inputs.areDecidedOnce();
  });

  it("after someone has moved its offsets in Kafka ahead; where they are moved back, it goes on all the same", async () => {
    const { name: topic } = TOPICS.transactionsValid;
    const move = (where: (end: number) => number): Promise<void> =>
      withAdmin(brokers, async (admin) => {
        const partitions = (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => ({
          partition,
          offset: String(where(Number(high))),
        }));
        await admin.setOffsets({ groupId: PIPELINE_GROUP, topic, partitions });
      });
    await betweenJobManagers(() => move((end) => end + 10));
    expect(await refusal()).toMatch(
      /has said so to Kafka, but the checkpoint only up to \d+: .*or someone has reset the group's offsets/,
    );
    await move(() => 0);
    await again();
    await flink.waitForRunning(PATIENCE_MS);
    await inputs.send(100);
    await inputs.areDecidedOnce();
  });

  it("from a checkpoint that is not its newest", async () => {
    const [old] = await metadata();
    const { Body } = await store.send(new GetObjectCommand({ Bucket, Key: old! }));
    const bytes = await Body!.transformToByteArray();
    await inputs.send(100);
    await inputs.areDecidedOnce();
    await betweenJobManagers(async () => {
      for (const key of await metadata()) await move(key, `aside/${key}`);
      await store.send(new PutObjectCommand({ Bucket, Key: old!, Body: bytes }));
    });
    expect(await refusal()).toMatch(/is not in the object store\. Bring it back/);
    await cluster.stop();
    // Where the newest can't be brought back either, it is started over, below.
    await expect(start({ fromLatest: true })).rejects.toThrow(/it is not the newest/);
  });

  it("where Kafka no longer holds what it has to read", async () => {
    inputs = new SentInputs(settings);
    await start({ fresh: true });
    await inputs.send(100);
    await inputs.areDecidedOnce();
    const { name, partitions } = TOPICS.transactionsValid;
    await betweenJobManagers(async () => {
      await inputs.send(100);
      await withAdmin(brokers, async (admin) => {
        const ends = await admin.fetchTopicOffsets(name);
        await admin.deleteTopicRecords({
          topic: name,
          partitions: ends.map(({ partition, high }) => ({ partition, offset: high })),
        });
      });
    });
    expect(await refusal()).toMatch(/transactions\.valid\[\d\] begins at offset \d+, .* were removed/);
    await withAdmin(brokers, (admin) => admin.deleteTopics({ topics: [name] }));
    await again();
    expect(await refusal()).toMatch(/transactions\.valid\[\d\], which the checkpoint has read, is gone from Kafka/);
    await withAdmin(brokers, (admin) => admin.createTopics({ topics: [{ topic: name, numPartitions: partitions }] }));
    await again();
    expect(await refusal()).toMatch(/transactions\.valid\[\d\] up to offset \d+, but that ends at 0/);
    expect(await inputs.decided()).toBe(100);
    // What is lost is lost: the cure is to start over.
    await cluster.stop();
    inputs = new SentInputs(settings);
    await start({ fresh: true });
    await inputs.send(100);
    await inputs.areDecidedOnce();
  });
});
