import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
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
import { fakeTimeLibrary, OwnClock } from "../../tools/index.js";
import { PATIENCE_MS } from "../patience.js";

const CAN_JUMP = fakeTimeLibrary() !== undefined;
if (!CAN_JUMP)
  process.stderr.write(
    "skipped, a broker's clock that jumps: this machine lacks it (get it: apt-get install libfaketime)\n",
  );

const TOPIC = "decisions";
const HOUR_MS = 3_600_000;

describe.skipIf(!CAN_JUMP)("a broker's clock that jumps by a day", () => {
  const folder = mkdtempSync(join(tmpdir(), "fraud-clock-"));
  const clock = new OwnClock(join(folder, "clock"));
  const settings = clusterSettings({ name: "e2e-clock", portOffset: 23_000, kafkaEnv: clock.env });
  const brokers = endpoints(settings).kafka;
  let broker: StartedProgram;

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
    const program = partProgram("kafka", settings);
    program.prepare();
    await formatKafkaStorage(settings);
    broker = startProgram(program.command, program.args, childEnv(program.env));
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
    rmSync(folder, { recursive: true, force: true });
  });

  it("while transactions are ready to be committed: those of 72 h are, and one of 15 min is lost", async () => {
    const long = await begun("long", 72);
    const short = await begun("short", 0.25);
    expect((await open()).sort()).toEqual(["long", "short"]);
    clock.setAhead(1);
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
    clock.setAhead(2);
    await transaction.send({ topic: TOPIC, messages: [{ key: "ada", value: "after" }] });
    const committing = transaction.commit();
    clock.setAhead(3);
    await committing;
    expect(await committed()).toEqual(["long", "moments", "after"]);
    await end();
  });
});
