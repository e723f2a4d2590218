import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { stopCluster } from "../../../cluster/control.js";
import { type Cluster, clusterSettings, endpoints, flinkClient, startCluster } from "../../../cluster/index.js";
import { type Application, nodeServer } from "../../../cluster/settings.js";
import { LIMITS } from "../../../contract/limits.js";
import type { RawRecord } from "../../../contract/raw-record.js";
import { readTopics } from "../../../java/java-reader.js";
import { kafkaClient, Partitioners } from "../../../kafka/client.js";
import { followTopics } from "../../../kafka/consumer.js";
import { given } from "../../../process/environment.js";
import { poll } from "../../../process/poll.js";
import { Any } from "../../../protos/gen/google/protobuf/any.js";
import { Counter, Program } from "../../../protos/gen/statefun/testing/v1/program.js";
import { silentStep } from "../../../terminal/steps.js";
import { PATIENCE_MS } from "../../patience.js";
import { question, SmokePrograms } from "./programs.js";

const ADDRESSES = 1_000;
const COMMANDS = 100_000;
const SEED = Number(given()["SMOKE_SEED"] ?? 20_260_101);
const OUT = "smoke.out";
const IN = "smoke.programs";

const topic = (name: string) => ({ name, partitions: 4, retentionMs: 86_400_000 });
const application: Application = {
  moduleFile: fileURLToPath(new URL("module.yaml", import.meta.url)),
  servers: { functions: nodeServer(fileURLToPath(new URL("server.ts", import.meta.url))) },
  ingressTopics: [{ ...topic(IN), batchBytes: LIMITS.recordBytes }],
  outputTopics: [topic(OUT)],
};
const settings = clusterSettings({ name: "e2e-smoke", portOffset: 12_000, application });
const brokers = endpoints(settings).kafka;
const flink = flinkClient(settings);

const sum = (values: Iterable<bigint>): bigint => [...values].reduce((total, value) => total + value, 0n);

describe(`random programs on the cluster (seed ${SEED}; set SMOKE_SEED to repeat), with three kills on the way`, () => {
  const programs = new SmokePrograms(SEED, ADDRESSES);
  const { expected } = programs;
  /** What addresses answered to the questions with a given prefix. */
  const answers = (prefix: string, from: readonly Pick<RawRecord, "key" | "value">[]) =>
    new Map(
      from.flatMap(({ key, value }): [string, bigint][] =>
        key!.toString().startsWith(prefix)
          ? [[key!.toString().slice(prefix.length), Counter.decode(Any.decode(value!).value).value]]
          : [],
      ),
    );
  let cluster: Cluster;
  let records: RawRecord[];

  beforeAll(async () => {
    cluster = await startCluster(settings, { step: silentStep, restart: true, fresh: true });
    const seen: Pick<RawRecord, "key" | "value">[] = [];
    const live = await followTopics({ brokers, topics: [OUT], from: "end", onRecord: (record) => seen.push(record) });
    const producer = kafkaClient(brokers, "smoke").producer({
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    const send = async (batch: { address: string; program: Program }[]) =>
      void (await producer.send({
        topic: IN,
        messages: batch.map(({ address, program }) => ({
          key: address,
          value: Buffer.from(Program.encode(program).finish()),
        })),
      }));
    // Half of what Kafka takes at once: programs differ in length.
    const some = (): { address: string; program: Program }[] => {
      const batch = [];
      for (let bytes = 0; bytes < LIMITS.recordBytes / 2 && expected.commands < COMMANDS;) {
        const next = programs.next();
        bytes += Program.encode(next.program).finish().length + 100;
        batch.push(next);
      }
      return batch;
    };

    for (const [part, share] of [
      ["taskmanager", 0.25],
      ["functions", 0.5],
      ["jobmanager", 0.75],
      [undefined, 1],
    ] as const) {
      while (expected.commands < COMMANDS * share) await send(some());
      if (part === undefined) break;
      const before = seen.length;
      await poll("records to come out", () => seen.length > before, { timeoutMs: PATIENCE_MS });
      cluster.kill(part);
      if (part !== "functions")
        await poll(`the job to notice that ${part} is gone`, async () => (await flink.jobState()) !== "RUNNING", {
          timeoutMs: PATIENCE_MS,
          intervalMs: 50,
        });
      await flink.waitForRunning(PATIENCE_MS);
    }
    await poll(`${expected.keys.size} records`, () => seen.length >= expected.keys.size, { timeoutMs: PATIENCE_MS });

    const ask = async (prefix: string): Promise<bigint> => {
      for (const [address] of expected.counts) await send([{ address, program: question(prefix + address) }]);
      await poll("an answer from every address", () => answers(prefix, seen).size >= expected.counts.size, {
        timeoutMs: PATIENCE_MS,
        intervalMs: 300,
      });
      return sum(answers(prefix, seen).values());
    };
    // Chains of delayed messages may still be under way; once everything has been counted, there must be none.
    let round = 0;
    await poll(
      "everything to be counted",
      async () => (await ask(`round ${++round} `)) >= sum(expected.counts.values()),
      { timeoutMs: PATIENCE_MS },
    );
    await ask("final ");
    await flink.waitForCheckpoints(5, PATIENCE_MS);
    await ask("later ");
    await producer.disconnect();
    await live.stop();
    records = (
      await readTopics({ brokers, topics: [{ topic: OUT }], isolation: "read_committed", timeoutMs: PATIENCE_MS })
    ).records;
  }, 600_000);

  afterAll(async () => {
    await (cluster as Cluster | undefined)?.stop();
    await stopCluster(settings, { wipe: true });
  });

  it(`ran ${COMMANDS} commands over ${ADDRESSES} addresses`, () => {
    expect(expected.commands).toBeGreaterThanOrEqual(COMMANDS);
    expect(expected.counts.size).toBeGreaterThan(ADDRESSES * 0.99);
    expect(expected.keys.size).toBeGreaterThan(5_000);
  });

  it("wrote every record once, and none that was taken back", () => {
    const written = records.map(({ key }) => key!.toString()).filter((key) => !/^(round \d+|final|later) /.test(key));
    expect(written.length).toBe(expected.keys.size);
    expect(new Set(written)).toEqual(expected.keys);
  });

  it("counted at every address what was expected", () => {
    expect(answers("final ", records)).toEqual(expected.counts);
  });

  it("still does so some checkpoints later", () => {
    expect(answers("later ", records)).toEqual(expected.counts);
  });
});
