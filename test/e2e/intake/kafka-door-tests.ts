import { describe, expect, it } from "vitest";

import { flinkClient } from "../../../cluster/index.js";
import { configOf } from "../../../cluster/topics.js";
import { INTAKE_GROUP, TOPICS, type TopicSettings } from "../../../contract/topics.js";
import { consoleProducer } from "../../../java/console-producer.js";
import {
  CompressionCodecs,
  CompressionTypes,
  ConfigResourceTypes,
  ConfigSource,
  kafkaClient,
  withAdmin,
} from "../../../kafka/client.js";
import { PACKERS } from "../../../kafka/testing/packers.js";
import { isGood, runFuzz } from "../../../loadtest/fuzz/run.js";
import { retentionBytes } from "../../../kafka/retention.js";
import { poll } from "../../../process/poll.js";
import { startOwnCommand } from "../../../process/run-command.js";
import { PATIENCE_MS } from "../../patience.js";
import { brokers, ends, find, onCluster, post, settings, transaction, url } from "./intake-on-cluster.js";

const FUZZ_RECORDS = 5_000;
type Sent = ReturnType<typeof transaction>;

/** What the Kafka doors take, what they refuse, and what they keep. */
export function kafkaDoorTests(): void {
  describe("the Kafka doors", () => {
    it("take what Kafka's console producer sends", async () => {
      const byConsole = transaction({ accountId: "grace" });
      const { code, output } = await consoleProducer(brokers, TOPICS.transactions.name, [
        JSON.stringify(byConsole),
        "hello",
        "",
      ]);
      expect({ code, output: output.includes("Exception") }).toEqual({ code: 0, output: false });
      await poll("its decision", async () => (await find("grace", byConsole.transactionId))["status"] === "committed", {
        timeoutMs: PATIENCE_MS,
      });
    });

    it("take what producers have compressed, with any codec; what unpacks to too much is refused by its position, and stops nothing else", async () => {
      const codecs = ["gzip", "snappy", "lz4", "zstd"];
      const packed = codecs.map((codec) => transaction({ accountId: `by-${codec}` }));
      const sent = Promise.all(
        codecs.map((codec, n) =>
          consoleProducer(
            brokers,
            TOPICS.transactions.name,
            [JSON.stringify(packed[n])],
            ["--compression-codec", codec],
          ),
        ),
      );
      const [plain, block, behind] = ["plain", "block", "behind"].map((accountId) => transaction({ accountId })) as [
        Sent,
        Sent,
        Sent,
      ];
      const { pack } = PACKERS["snappy, one block"];
      CompressionCodecs[CompressionTypes.Snappy] = () => ({
        compress: ({ buffer }: { buffer: Buffer }) => Promise.resolve(pack(buffer)),
        decompress: (buffer: Buffer) => Promise.resolve(buffer),
      });
      const producer = kafkaClient(brokers, "test").producer();
      await producer.connect();
      const topic = TOPICS.transactions.name;
      const value = (one: Sent) => JSON.stringify(one);
      await producer.send({
        topic,
        compression: CompressionTypes.Snappy,
        messages: [{ partition: 0, value: value(block) }],
      });
      const [bomb] = await producer.send({
        topic,
        compression: CompressionTypes.GZIP,
        messages: [{ partition: 0, value: Buffer.alloc(32 * 1024 * 1024) }],
      });
      await producer.send({ topic, messages: [{ partition: 0, value: value(behind) }, { value: value(plain) }] });
      await producer.disconnect();
      for (const { code, output } of await sent)
        expect({ code, output: output.includes("Exception") }).toEqual({ code: 0, output: false });
      for (const { accountId, transactionId } of [...packed, plain, block, behind])
        await poll(
          `the decision of ${accountId}`,
          async () => (await find(accountId, transactionId))["status"] === "committed",
          { timeoutMs: PATIENCE_MS },
        );
      const { stdout } = await startOwnCommand([
        "rejected",
        "show",
        `${topic}-0-${bomb!.baseOffset}`,
        "--brokers",
        brokers,
      ]).finished;
      for (const part of ["TOO_LARGE", "unpacks to more than 16777216 bytes", "not kept"])
        expect(stdout).toContain(part);
      expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: "ok" });
    });

    it("keep what clients write within a bound once it is taken in, and remove nothing else", async () => {
      const { labels, labelsValid } = TOPICS;
      const MIB = 1024 * 1024;
      const bound = 5 * MIB;
      const RECORDS = 100;
      const record = "x".repeat(100 * 1024);
      const set = (topic: TopicSettings, bytes: number, more: readonly { name: string; value: string }[] = []) =>
        withAdmin(brokers, (admin) =>
          admin.alterConfigs({
            validateOnly: false,
            resources: [
              {
                type: ConfigResourceTypes.TOPIC,
                name: topic.name,
                configEntries: [...configOf(topic, bytes), ...more],
              },
            ],
          }),
        );
      const range = async () =>
        (await withAdmin(brokers, (admin) => admin.fetchTopicOffsets(labels.name))).find(
          ({ partition }) => partition === 0,
        )!;
      const metric = async (name: string) =>
        Number(
          (await (await fetch(`${url}/metrics`)).text()).split(`\n${name}{topic="${labels.name}"} `)[1]?.split("\n")[0],
        );
      const [before, refusedBefore] = [await range(), await ends(TOPICS.labelsRejected)];
      const kept = (await retentionBytes(brokers, [labelsValid.name])).get(labelsValid.name)!;
      await set(labels, kept, [{ name: "segment.bytes", value: String(MIB) }]);
      await set(labelsValid, bound);
      try {
        const producer = kafkaClient(brokers, "test").producer();
        await producer.connect();
        for (let n = 0; n < RECORDS; n++)
          await producer.send({ topic: labels.name, messages: [{ partition: 0, value: record }] });
        await producer.disconnect();
        await poll("the first of them to be removed", async () => (await range()).low !== before.low, {
          timeoutMs: PATIENCE_MS,
        });
        const after = await range();
        const [position] = await withAdmin(brokers, (admin) =>
          admin.fetchOffsets({ groupId: INTAKE_GROUP, topics: [labels.name] }),
        );
        const committed = position!.partitions.find(({ partition }) => partition === 0)!.offset;
        expect(Number(after.low)).toBeLessThanOrEqual(Number(committed));
        expect((Number(after.high) - Number(after.low)) * record.length).toBeGreaterThanOrEqual(bound);
        await poll(
          "the intake to count them",
          async () => (await metric("intake_cut_offsets_total")) >= Number(after.low) - Number(before.low),
          { timeoutMs: PATIENCE_MS },
        );
        await poll("Kafka to free their room", async () => (await metric("kafka_log_bytes")) < bound + 2 * MIB, {
          timeoutMs: PATIENCE_MS,
        });
        // What is removed was taken in: each of them stands where what is refused is kept.
        await poll(
          "all of them to be refused",
          async () => (await ends(TOPICS.labelsRejected)) === refusedBefore + BigInt(RECORDS),
          { timeoutMs: PATIENCE_MS },
        );
      } finally {
        await set(labels, kept);
        await set(labelsValid, kept);
      }
    });

    it("answer waiting clients also when decisions are compressed", async () => {
      const name = TOPICS.decisions.name;
      await withAdmin(brokers, async (admin) => {
        const { resources } = await admin.describeConfigs({
          includeSynonyms: false,
          resources: [{ type: ConfigResourceTypes.TOPIC, name }],
        });
        const set = resources[0]!.configEntries
          .filter(({ configSource }) => configSource === ConfigSource.TOPIC_CONFIG)
          .map((entry) => ({ name: entry.configName, value: entry.configValue }));
        await admin.alterConfigs({
          validateOnly: false,
          resources: [
            {
              type: ConfigResourceTypes.TOPIC,
              name,
              configEntries: [...set, { name: "compression.type", value: "zstd" }],
            },
          ],
        });
      });
      expect(await post(transaction(), "?wait=20s&for=committed")).toMatchObject({
        status: 200,
        body: { decision: { status: "committed" } },
      });
    });

    it(`find each of ${FUZZ_RECORDS} hostile records again, and keep the job running`, async () => {
      const report = await runFuzz(onCluster.cluster, {
        records: FUZZ_RECORDS,
        seed: 7,
        runId: "fuzz",
        onProgress: () => undefined,
      });
      expect(report).toMatchObject({
        unaccounted: 0,
        twice: 0,
        undecided: 0,
        decidedTwice: 0,
        jobRestarts: 0,
        notRunning: 0,
        surprises: [],
        examples: [],
      });
      expect(isGood(report)).toBe(true);
      expect(report.sent).toBe(FUZZ_RECORDS + 1);
      for (const count of [report.valid, report.rejected, report.decided, report.repeats, report.functionsRejected])
        expect(count).toBeGreaterThan(50);
      expect(Object.keys(report.byReason).sort()).toEqual([
        "CONTENT_TYPE",
        "DUPLICATE_FIELD",
        "EMPTY",
        "ENCODING",
        "INVALID_VALUE",
        "MISSING_FIELD",
        "TIME_AHEAD",
        "TOO_LARGE",
        "UNKNOWN_FIELD",
        "UNREADABLE",
        "WRONG_TYPE",
      ]);
    });

    it("are the only way in; what gets past them and cannot be read is set aside by the account counter", async () => {
      const producer = kafkaClient(brokers, "test").producer();
      await producer.connect();
      await producer.send({
        topic: TOPICS.transactionsValid.name,
        messages: [{ key: "past", value: Buffer.from([0x0a, 0xff, 0xff]) }],
      });
      await producer.disconnect();
      await poll(
        "the record in functions.rejected",
        async () =>
          (
            await startOwnCommand(["rejected", "list", "--reason", "UNREADABLE", "--brokers", brokers]).finished
          ).stdout.includes("functions.rejected-"),
        { timeoutMs: PATIENCE_MS },
      );
      expect(await flinkClient(settings).jobState()).toBe("RUNNING");
    });

    it("keep what they refuse, to be looked at, corrected and sent again", async () => {
      const incomplete = { ...transaction({ accountId: "alan" }), merchantId: undefined };
      const producer = kafkaClient(brokers, "test").producer();
      await producer.connect();
      await producer.send({
        topic: TOPICS.transactions.name,
        messages: [{ key: null, value: JSON.stringify(incomplete), headers: { trace: "17" } }],
      });
      await producer.disconnect();
      const rejected = async (...args: string[]) => {
        const { code, stdout, stderr } = await startOwnCommand(["rejected", ...args, "--brokers", brokers]).finished;
        expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
        return stdout;
      };
      let newest: { place: string; reason: string; field: string } | undefined;
      await poll(
        "the record among the rejected",
        async () =>
          (newest = JSON.parse((await rejected("list", "--json", "--limit", "1")).trim()) as typeof newest)?.field ===
          "merchantId",
        { timeoutMs: PATIENCE_MS },
      );
      expect(newest!.reason).toBe("MISSING_FIELD");
      expect(await rejected("list", "--reason", "missing_field")).toContain(`${newest!.place}`);
      const shown = await rejected("show", newest!.place);
      for (const part of ["merchantId is missing", "trace: 17", '"accountId": "alan"']) expect(shown).toContain(part);
      expect(await rejected("replay", newest!.place, "--set", "merchantId=shop")).toContain(
        "sent again: transactions-",
      );
      await poll("its decision", async () => (await find("alan", incomplete.transactionId))["status"] === "committed", {
        timeoutMs: PATIENCE_MS,
      });
      const { code, stderr } = await startOwnCommand([
        "rejected",
        "show",
        "transactions-0-999999",
        "--brokers",
        brokers,
      ]).finished;
      expect([code, stderr]).toEqual([
        1,
        "error: nothing was refused at transactions-0-999999. See: npm run rejected -- list\n",
      ]);
    });
  });
}
