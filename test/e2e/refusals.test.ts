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
import { stopCluster } from "../../cluster/control.js";
import { endpoints, type Cluster, clusterSettings, flinkClient, startCluster } from "../../cluster/index.js";
import { TOPICS } from "../../contract/topics.js";
import { runGenerator } from "../../ingress-generator/producer.js";
import { poll } from "../../process/poll.js";
import { runCommand } from "../../process/run-command.js";
import { withAdmin } from "../../kafka/client.js";
import { readTopics } from "../../java/java-reader.js";
import { silentStep } from "../../terminal/steps.js";
import { kafkaClasspath } from "../../tools/index.js";
import { knownInputs } from "../../verifier/known.js";
import { readBack } from "../../verifier/read.js";
import { verifyStored } from "../../verifier/verify.js";
import { PATIENCE_MS } from "../patience.js";

/*
 * What ends a job for good, loses where it was, or what it was to read: each is refused by name at the JobManager's
 * next start, which the supervisor makes by itself, and after the cure everything is decided once.
 */

const settings = clusterSettings({ name: "e2e-refusals", portOffset: 20_000 });
const { kafka: brokers, flink: rest, minio, zookeeper } = endpoints(settings);
const flink = flinkClient(settings);
const { bucket: Bucket, accessKey: accessKeyId, secretKey: secretAccessKey } = settings.objectStore;
const store = new S3Client({
  endpoint: minio,
  region: "us-east-1",
  forcePathStyle: true,
  credentials: { accessKeyId, secretAccessKey },
});
let cluster: Cluster;
let events: ClusterEvent[];
let batches = 0;
let sent = 0;

async function start(options: { fresh?: boolean; fromLatest?: boolean }): Promise<void> {
  events = [];
  cluster = await startCluster(settings, {
    step: silentStep,
    restart: true,
    onEvent: (event) => events.push(event),
    ...options,
  });
}

/** Sends transactions, and waits until the intake has taken them. */
async function send(transactions: number): Promise<void> {
  await runGenerator({ brokers, seed: 5, runId: `refusals-${++batches}`, rate: 500, accounts: 50, transactions });
  sent += transactions;
  await poll(`${sent} transactions to be taken`, async () => (await endOf(TOPICS.transactionsValid.name)) >= sent, {
    timeoutMs: PATIENCE_MS,
  });
}

const endOf = async (topic: string): Promise<number> =>
  (await withAdmin(brokers, (admin) => admin.fetchTopicOffsets(topic))).reduce(
    (sum, { high }) => sum + Number(high),
    0,
  );

async function decided(): Promise<number> {
  const { records } = await readTopics({
    brokers,
    topics: [{ topic: TOPICS.decisions.name }],
    isolation: "read_committed",
    timeoutMs: PATIENCE_MS,
  });
  return records.length;
}

/** Waits until all that was sent is decided, and judges every record. */
async function everythingIsDecidedOnce(): Promise<void> {
  await poll(`${sent} decisions`, async () => (await decided()) >= sent, { timeoutMs: PATIENCE_MS, intervalMs: 1_000 });
  await flink.waitForCheckpoints(2, PATIENCE_MS);
  const { records } = await readBack(brokers);
  try {
    const { duplicates, missing, properties } = await verifyStored(records, knownInputs());
    expect({ duplicates, missing, broken: properties.filter(({ violations }) => violations > 0) }).toEqual({
      duplicates: 0,
      missing: 0,
      broken: [],
    });
  } finally {
    records.close();
  }
  expect(await decided()).toBe(sent);
}

/** Why the supervisor does not start the JobManager again. */
async function refusal(): Promise<string> {
  const found = await poll(
    "the JobManager to be refused",
    () => events.find((event) => event.kind === "gave-up" && event.part === "jobmanager"),
    { timeoutMs: PATIENCE_MS },
  );
  return (found as Extract<ClusterEvent, { kind: "gave-up" }>).reason;
}

/** Does something while there is no JobManager, and has it started again. */
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

/** Starts the JobManager that was refused, after what it had missed was brought back. */
async function again(): Promise<void> {
  events = [];
  await cluster.release("jobmanager");
}

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

beforeAll(async () => {
  await start({ fresh: true });
  await send(200);
  await everythingIsDecidedOnce();
});
afterAll(async () => {
  store.destroy();
  await cluster?.stop();
  await stopCluster(settings, { wipe: true });
});

describe("Flink's REST interface", () => {
  it("ends no job by a GET, and answers no page of another origin and no foreign name", async () => {
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

describe("a job is not started from nothing", () => {
  it("after somebody has cancelled it, and goes on from its newest checkpoint", async () => {
    const { jobs } = (await (await fetch(`${rest}/jobs/overview`)).json()) as { jobs: { jid: string }[] };
    await fetch(`${rest}/jobs/${jobs[0]!.jid}?mode=cancel`, { method: "PATCH" });
    expect(await refusal()).toMatch(/ended for good \(CANCELED\).*--from-latest/);
    await cluster.stop();
    await expect(start({})).rejects.toThrow(/would be decided again\..*up --name e2e-refusals --from-latest/);
    await start({ fromLatest: true });
    await send(100);
    await everythingIsDecidedOnce();
  });

  it("after somebody has stopped it with a savepoint", async () => {
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
    // Until somebody has asked what came of it, the JobManager stays for five minutes.
    await poll(
      "the savepoint to be complete",
      async () => {
        const answer = await fetch(`${rest}/jobs/${job}/savepoints/${id}`).catch(() => undefined);
        return answer === undefined || (await answer.text()).includes("COMPLETED");
      },
      { timeoutMs: PATIENCE_MS },
    );
    expect(await refusal()).toMatch(/ended for good .*--from-latest/);
    await cluster.stop();
    await start({ fromLatest: true });
    await send(100);
    await everythingIsDecidedOnce();
  });

  it("after ZooKeeper has lost the pointer to its checkpoint", async () => {
    await betweenJobManagers(async () => {
      const code = await runCommand("java", [
        "-cp",
        kafkaClasspath(),
        "org.apache.zookeeper.ZooKeeperMain",
        "-server",
        zookeeper,
        "deleteall",
        "/flink",
      ]);
      expect(code).toBe(0);
    });
    expect(await refusal()).toMatch(/ZooKeeper has lost the pointer.*--from-latest/);
    await cluster.stop();
    await start({ fromLatest: true });
    await send(100);
    await everythingIsDecidedOnce();
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
    await send(100);
    await everythingIsDecidedOnce();
  });

  it("from a checkpoint that is not its newest", async () => {
    const [old] = await metadata();
    const { Body } = await store.send(new GetObjectCommand({ Bucket, Key: old! }));
    const bytes = await Body!.transformToByteArray();
    await send(100);
    await everythingIsDecidedOnce();
    await betweenJobManagers(async () => {
      for (const key of await metadata()) await move(key, `aside/${key}`);
      await store.send(new PutObjectCommand({ Bucket, Key: old!, Body: bytes }));
    });
    await refusal();
    await cluster.stop();
    await expect(start({ fromLatest: true })).rejects.toThrow(/it is not the newest/);
  });

  it("where Kafka no longer holds what it has to read", async () => {
    sent = 0;
    await start({ fresh: true });
    await send(100);
    await everythingIsDecidedOnce();
    const { name, partitions } = TOPICS.transactionsValid;
    await betweenJobManagers(async () => {
      await send(100);
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
    expect(await decided()).toBe(100);
  });
});
