import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { clusterSettings, endpoints } from "../../cluster/index.js";
import { formatKafkaStorage } from "../../cluster/kafka-storage.js";
import { partProgram } from "../../cluster/parts/index.js";
import { isHealthy } from "../../cluster/processes/health.js";
import { readTopics } from "../../java/java-reader.js";
import { kafkaClient, withAdmin } from "../../kafka/client.js";
import { openTransactions } from "../../kafka/transactions.js";
import { poll } from "../../process/poll.js";
import { childEnv } from "../../process/environment.js";
import { type StartedProgram, startProgram } from "../../process/run-command.js";
import { PATIENCE_MS } from "../patience.js";

/** Debian's package libfaketime: it tells a program another time than the system's. */
const LIBRARY = (existsSync("/usr/lib") ? readdirSync("/usr/lib") : [])
  .map((folder) => `/usr/lib/${folder}/faketime/libfaketimeMT.so.1`)
  .find(existsSync);
if (LIBRARY === undefined)
  process.stderr.write(
    "skipped, a broker's clock that jumps: this machine lacks it (get it: apt-get install libfaketime)\n",
  );

const TOPIC = "decisions";
const HOUR_MS = 3_600_000;

describe.skipIf(LIBRARY === undefined)("the broker's clock alone jumps by a day", () => {
  const settings = clusterSettings({ name: "e2e-clock", portOffset: 24_000 });
  const brokers = endpoints(settings).kafka;
  const clock = join(settings.dataDir, "clock");
  let broker: StartedProgram;

  const ahead = (days: number): void => writeFileSync(clock, `+${days}d\n`);
  const begun = async (transactionalId: string, hours: number) => {
    const producer = kafkaClient(brokers, "egress").producer({
      transactionalId,
      idempotent: true,
      maxInFlightRequests: 1,
      transactionTimeout: hours * HOUR_MS,
    });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic: TOPIC, messages: [{ key: "ada", value: transactionalId }] });
    return { transaction, end: () => producer.disconnect() };
  };
  const open = async (): Promise<string[]> => (await openTransactions(brokers)).map((one) => one.transactionalId);
  const committed = async (): Promise<(string | undefined)[]> => {
    const { records } = await readTopics({
      brokers,
      topics: [{ topic: TOPIC }],
      isolation: "read_committed",
      timeoutMs: PATIENCE_MS,
    });
    return records.map(({ value }) => value?.toString());
  };

  beforeAll(async () => {
    rmSync(settings.dataDir, { recursive: true, force: true });
    mkdirSync(settings.dataDir, { recursive: true });
    ahead(0);
    const program = partProgram("kafka", settings);
    program.prepare();
    await formatKafkaStorage(settings);
    broker = startProgram(
      program.command,
      program.args,
      childEnv({
        ...program.env,
        LD_PRELOAD: LIBRARY ?? "",
        FAKETIME_TIMESTAMP_FILE: clock,
        // Looked up once a second: a broker asks for the time very often.
        FAKETIME_CACHE_DURATION: "1",
        DONT_FAKE_MONOTONIC: "1",
        FAKETIME_DONT_FAKE_MONOTONIC: "1",
      }),
    );
    broker.finished.catch(() => undefined);
    await poll("the broker to answer", () => isHealthy("kafka", settings), { timeoutMs: PATIENCE_MS });
    await withAdmin(brokers, (admin) =>
      admin.createTopics({ waitForLeaders: true, topics: [{ topic: TOPIC, numPartitions: 1 }] }),
    );
  });
  afterAll(async () => {
    broker?.kill("SIGKILL");
    await broker?.finished;
    rmSync(settings.dataDir, { recursive: true, force: true });
  });

  it("while transactions are ready to be committed: those of 72 h are, and one of 15 min is lost", async () => {
    const long = await begun("long", 72);
    const short = await begun("short", 0.25);
    expect((await open()).sort()).toEqual(["long", "short"]);
    ahead(1);
    await poll("the broker to give the short one up", async () => (await open()).join() === "long", {
      timeoutMs: PATIENCE_MS,
    });
    await long.transaction.commit();
    await expect(short.transaction.commit()).rejects.toThrow();
    expect(await committed()).toEqual(["long"]);
    await Promise.all([long.end(), short.end()]);
  });

  it("in the moment of the commit, and between the records of one transaction", async () => {
    const { transaction, end } = await begun("moments", 72);
    ahead(2);
    await transaction.send({ topic: TOPIC, messages: [{ key: "ada", value: "after" }] });
    const committing = transaction.commit();
    ahead(3);
    await committing;
    expect(await committed()).toEqual(["long", "moments", "after"]);
    await end();
  });
});
