import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { stopCluster } from "../../cluster/control.js";
import { type Cluster, clusterSettings, endpoints, flinkClient, startCluster } from "../../cluster/index.js";
import { configOf, createTopics } from "../../cluster/topics.js";
import { INTAKE_GROUP, TOPICS, type TopicSettings } from "../../contract/topics.js";
import { intakeHeaders } from "../../ingress-generator/intake-token.js";
import { runGenerator } from "../../ingress-generator/producer.js";
import { consoleProducer } from "../../java/console-producer.js";
import {
  CompressionCodecs,
  CompressionTypes,
  ConfigResourceTypes,
  ConfigSource,
  kafkaClient,
  withAdmin,
} from "../../kafka/client.js";
import { endOffsets } from "../../kafka/offsets.js";
import { PACKERS } from "../../kafka/testing/packers.js";
import { intakeStarts, readReconciliation } from "../../loadtest/fuzz/read-reconciliation.js";
import { isGood, runFuzz } from "../../loadtest/fuzz/run.js";
import { retentionBytes } from "../../kafka/retention.js";
import { poll } from "../../process/poll.js";
import { startModule, startOwnCommand } from "../../process/run-command.js";
import { Decision } from "../../protos/gen/fraud/v1/decision.js";
import { Any } from "../../protos/gen/google/protobuf/any.js";
import { silentStep } from "../../terminal/steps.js";
import { PATIENCE_MS } from "../patience.js";

const settings = clusterSettings({ name: "e2e-intake", portOffset: 18_000 });
const { kafka: brokers, intake: url } = endpoints(settings);
const FUZZ_RECORDS = 5_000;
const KILLS = 6;
/** Records that an intake must have sorted between two kills, so that it is at work when it is killed. */
const WORK = 300;
const BURST = 6_000;

let cluster: Cluster;
let next = 0;
type Sent = ReturnType<typeof transaction>;
const transaction = (fields: Record<string, unknown> = {}) => ({
  transactionId: `t-${++next}`,
  accountId: "ada",
  merchantId: "shop",
  amountMinor: 1999,
  currency: "EUR",
  eventTimeMs: Date.now() - 60_000,
  ...fields,
});

async function post(
  body: unknown,
  query = "",
  base = url,
  kind: "transactions" | "labels" = "transactions",
): Promise<{ status: number; retryAfter: string | null; body: Record<string, unknown> }> {
  const response = await fetch(`${base}/v1/${kind}${query}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...intakeHeaders(process.env, kind) },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  return {
    status: response.status,
    retryAfter: response.headers.get("retry-after"),
    body: (await response.json()) as Record<string, unknown>,
  };
}
async function find(accountId: string, transactionId: string, base = url): Promise<Record<string, unknown>> {
  return (await (
    await fetch(`${base}/v1/accounts/${accountId}/decisions/${transactionId}`, { headers: intakeHeaders() })
  ).json()) as Record<string, unknown>;
}
const ready = (base = url) =>
  poll("the intake to be ready", async () => (await fetch(`${base}/readyz`).catch(() => undefined))?.status === 200, {
    timeoutMs: PATIENCE_MS,
  });
/** How much was ever written to a topic. */
async function ends({ name }: TopicSettings): Promise<bigint> {
  return [...(await endOffsets(brokers, name)).values()].reduce((sum, end) => sum + end, 0n);
}
const sorted = () => ends(TOPICS.transactionsValid);

/** Runs an action with an intake beside the cluster's own, and stops that intake. @returns its exit code */
async function withSecondIntake(
  env: Readonly<Record<string, string>>,
  work: (base: string) => Promise<void>,
): Promise<number | null> {
  const port = settings.ports.intake + 10;
  const second = startModule("intake/server.ts", { HOST: "127.0.0.1", PORT: String(port), KAFKA: brokers, ...env });
  second.stdout.resume();
  const ended = new Promise<number | null>((resolve) => second.once("exit", resolve));
  try {
    await ready(`http://127.0.0.1:${port}`);
    await work(`http://127.0.0.1:${port}`);
  } finally {
    second.kill("SIGTERM");
  }
  return await ended;
}

beforeAll(async () => {
  cluster = await startCluster(settings, { step: silentStep, restart: true, fresh: true });
  await ready();
});
afterAll(async () => {
  await (cluster as Cluster | undefined)?.stop();
  await stopCluster(settings, { wipe: true });
});

describe("the HTTP door", () => {
  it("answers with the decision, provisional or committed", async () => {
    const one = transaction();
    const first = await post(one, "?wait=20s");
    expect(first).toMatchObject({ status: 200, body: { status: "decided", decision: { outcome: "APPROVE" } } });
    expect(await post(one, "?wait=20s&for=committed")).toMatchObject({
      status: 200,
      body: { decision: { status: "committed", accountSeq: "1" } },
    });
    expect(await post({ ...one, amountMinor: 1 }, "?wait=20s")).toMatchObject({
      status: 409,
      body: { reason: "ID_CONFLICT" },
    });
    expect(await find("ada", one.transactionId)).toMatchObject({ status: "committed", outcome: "APPROVE" });
  });

  it("takes nothing while Kafka has no room, and says why", async () => {
    await withSecondIntake({ INTAKE_MIN_FREE_MB: "1000000000" }, async (base) => {
      const refused = await poll(
        "the intake to know how much room there is",
        async () => {
          const answer = await post(transaction(), "", base);
          return answer.status === 503 && answer;
        },
        { timeoutMs: PATIENCE_MS },
      );
      expect(refused).toMatchObject({ retryAfter: "5", body: { title: "Service Unavailable" } });
      expect(refused.body["detail"]).toMatch(/^Kafka's disk is nearly full: \d+ MB are free/);
      const metrics = await (await fetch(`${base}/metrics`)).text();
      expect(metrics).toMatch(/\nkafka_disk_free_bytes \d+\n/);
      expect(metrics).toMatch(/\nkafka_undecided_share \d[.\de-]*\n/);
      expect(metrics).toMatch(/\nkafka_log_bytes\{topic="transactions.valid"\} [1-9]\d*\n/);
    });
    expect(
      [
        ...(await retentionBytes(
          brokers,
          Object.values(TOPICS).map(({ name }) => name),
        )),
      ].length,
    ).toBe(8);
    expect((await post(transaction())).status).toBe(202);
  });

  it("takes a compressed request, and decides on zero yen and on ten million million rials", async () => {
    const both = [
      transaction({ accountId: "verified", amountMinor: 0, currency: "JPY" }),
      transaction({ accountId: "rich", amountMinor: 10 ** 15, currency: "IRR", merchantName: "Caf\ufffd" }),
    ];
    const response = await fetch(`${url}/v1/transactions?wait=20s`, {
      method: "POST",
      headers: { "content-type": "application/x+json", "content-encoding": "gzip", ...intakeHeaders() },
      body: gzipSync(JSON.stringify(both)),
      signal: AbortSignal.timeout(30_000),
    });
    expect(await response.json()).toMatchObject({
      accepted: 2,
      refused: 0,
      results: [{ status: "decided" }, { status: "decided" }],
    });
  });

  it("reports the outcome of a label: one without a revision is the next, and a stale one is refused", async () => {
    const label = (labelId: string, verdict: string, fields: Record<string, unknown> = {}) => ({
      labelId,
      accountId: "judged",
      transactionId: "t",
      merchantId: "shop",
      verdict,
      eventTimeMs: Date.now() - 45 * 24 * 3_600_000,
      ...fields,
    });
    const outcome = async (labelId: string) =>
      (await (
        await fetch(`${url}/v1/labels/${labelId}?wait=30s`, { headers: intakeHeaders(process.env, "labels") })
      ).json()) as Record<string, unknown>;
    for (const one of [
      label("l-fraud", "FRAUD"),
      label("l-cleared", "LEGITIMATE"),
      label("l-stale", "FRAUD", { revision: 1 }),
      label("l-ahead", "FRAUD", { revision: 19 }),
    ])
      expect((await post(one, "", url, "labels")).status).toBe(202);
    expect(await outcome("l-fraud")).toMatchObject({ status: "recorded", revision: 1, fraudDelta: 1 });
    expect(await outcome("l-cleared")).toMatchObject({ status: "recorded", revision: 2, fraudDelta: -1 });
    expect(await outcome("l-stale")).toMatchObject({ status: "refused", reason: "STALE_REVISION" });
    expect(await outcome("l-ahead")).toMatchObject({ status: "refused", reason: "REVISION_AHEAD" });
  });

  it("decides a transaction again that its account has forgotten, waits for that decision, and says so", async () => {
    const day = Array.from({ length: 340 }, (_, n) =>
      transaction({ accountId: "daily", eventTimeMs: Date.now() - 3_600_000 + n }),
    );
    expect((await post(day)).status).toBe(202);
    await poll(
      "the day's last decision",
      async () => (await find("daily", day.at(-1)!.transactionId))["status"] === "committed",
      { timeoutMs: PATIENCE_MS },
    );
    expect(await post(day.at(-300)!, "?wait=20s")).toMatchObject({
      status: 200,
      body: { decision: { accountSeq: "41", possibleRepeat: false } },
    });
    expect(await post(day[0]!, "?wait=20s&for=committed")).toMatchObject({
      status: 200,
      body: { decision: { accountSeq: "341", possibleRepeat: true } },
    });
    expect(await find("daily", day[0]!.transactionId)).toMatchObject({ accountSeq: "341", possibleRepeat: true });
  });

  it("finds decisions right after a restart, and at another intake", async () => {
    const one = transaction();
    await post(one, "?wait=20s&for=committed");
    cluster.kill("intake");
    await ready();
    expect(await find("ada", one.transactionId)).toMatchObject({ status: "committed" });

    const code = await withSecondIntake({}, async (second) => {
      expect(await find("ada", one.transactionId, second)).toMatchObject({ status: "committed" });
      expect(await post(one, "?wait=20s", second)).toMatchObject({
        status: 200,
        body: { decision: { transactionId: one.transactionId } },
      });
    });
    expect(code).toBe(0);
  });

  it("turns clients away while Kafka is away, and takes them again afterwards", async () => {
    cluster.pause("kafka");
    const waiting = post(transaction());
    await poll("the intake to turn clients away", async () => (await post(transaction())).status === 429, {
      timeoutMs: PATIENCE_MS,
    });
    cluster.resume("kafka");
    await waiting;
    const one = transaction();
    await poll("the intake to take transactions again", async () => (await post(one)).status === 202, {
      timeoutMs: PATIENCE_MS,
    });
    expect((await post(one, "?wait=20s&for=committed")).status).toBe(200);
  });
});

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
        consoleProducer(brokers, TOPICS.transactions.name, [JSON.stringify(packed[n])], ["--compression-codec", codec]),
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
    for (const part of ["TOO_LARGE", "unpacks to more than 16777216 bytes", "not kept"]) expect(stdout).toContain(part);
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
    const report = await runFuzz(cluster, {
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
    expect(await rejected("replay", newest!.place, "--set", "merchantId=shop")).toContain("sent again: transactions-");
    await poll("its decision", async () => (await find("alan", incomplete.transactionId))["status"] === "committed", {
      timeoutMs: PATIENCE_MS,
    });
    const { code, stderr } = await startOwnCommand(["rejected", "show", "transactions-0-999999", "--brokers", brokers])
      .finished;
    expect([code, stderr]).toEqual([
      1,
      "error: nothing was refused at transactions-0-999999. See: npm run rejected -- list\n",
    ]);
  });

  it(`lose nothing and repeat nothing when the intake is killed ${KILLS} times under load, once within a burst of one account`, async () => {
    const starts = await intakeStarts(brokers);
    const end = new AbortController();
    const generating = runGenerator({ brokers, seed: 5, runId: "kills", rate: 250, accounts: 200, signal: end.signal });
    const acknowledged: string[] = [];
    const clients = Promise.all(
      Array.from({ length: 4 }, async (_, client) => {
        while (!end.signal.aborted) {
          const some = Array.from({ length: 5 }, () => transaction({ accountId: `http-${client}` }));
          // As a client should: again with the same ids, until it is acknowledged.
          let status = 0;
          while (status !== 202 && !end.signal.aborted) status = (await post(some).catch(() => delay(50)))?.status ?? 0;
          if (status === 202) acknowledged.push(...some.map(({ transactionId }) => transactionId));
        }
      }),
    );
    try {
      for (let kill = 0; kill < KILLS; kill++) {
        if (kill === KILLS / 2) await sendBurst();
        const before = await sorted();
        await poll(
          `the intake to be at work before kill ${kill + 1}`,
          async () => (await sorted()) > before + BigInt(WORK),
          { timeoutMs: PATIENCE_MS, intervalMs: 20 },
        );
        cluster.kill("intake");
        await ready();
      }
      // And one that is asked to stop.
      cluster.kill("intake", "SIGTERM");
      await poll(
        "the intake to stop",
        async () => (await fetch(`${url}/healthz`).catch(() => undefined)) === undefined,
        { timeoutMs: PATIENCE_MS, intervalMs: 20 },
      );
      await ready();
    } finally {
      end.abort();
      await clients;
    }
    const { sentTransactions } = await generating;

    const look = async () => {
      const { reconciliation, records } = await readReconciliation(brokers, starts);
      return {
        ...reconciliation,
        decisions: records.decisions.map(
          ({ value }) => Decision.decode(Any.decode(value!).value).evidence!.transaction!.transactionId,
        ),
      };
    };
    let seen: Awaited<ReturnType<typeof look>> | undefined;
    await poll(
      "every transaction to be decided",
      async () => (seen = await look()).unaccounted === 0 && seen.undecided === 0,
      { timeoutMs: PATIENCE_MS, intervalMs: 1_000 },
    );
    await flinkClient(settings).waitForCheckpoints(2, PATIENCE_MS);
    seen = await look();
    expect(seen).toMatchObject({ unaccounted: 0, undecided: 0, decidedTwice: 0, functionsRejected: 0, rejected: 0 });
    const decided = new Set(seen.decisions);
    expect(acknowledged.filter((id) => !decided.has(id))).toEqual([]);
    expect(seen.decisions.filter((id) => id.startsWith("burst-"))).toHaveLength(BURST);
    expect(seen.decisions.filter((id) => id.startsWith("kills-"))).toHaveLength(sentTransactions);
    // The kills hit: something was read twice, and recognised.
    expect(seen.twice).toBeGreaterThan(0);
  });
});

describe("a topic that is deleted and made again while the intake runs", () => {
  async function send(records: readonly object[]): Promise<void> {
    const producer = kafkaClient(brokers, "test").producer();
    await producer.connect();
    await producer.send({
      topic: TOPICS.transactions.name,
      messages: records.map((record) => ({ key: "remade", value: JSON.stringify(record) })),
    });
    await producer.disconnect();
  }
  const without = () => ({ ...transaction({ accountId: "remade" }), transactionId: undefined });
  const seqOf = (id: string, seq: number) =>
    poll(
      `decision ${seq} of the account, on ${id}`,
      async () => {
        const found = await find("remade", id);
        return found["status"] === "committed" && found["accountSeq"] === String(seq);
      },
      { timeoutMs: PATIENCE_MS },
    );

  async function makeAgain(topic: string): Promise<void> {
    await withAdmin(brokers, async (admin) => {
      await admin.deleteTopics({ topics: [topic] });
      await poll("the topic to be gone", async () => !(await admin.listTopics()).includes(topic), {
        timeoutMs: PATIENCE_MS,
      });
    });
    expect(await createTopics(settings)).toEqual([topic]);
  }

  it("has five records without an id and five with new ids decided, though their offsets were used before; none is dropped", async () => {
    const before = Array.from({ length: 4 }, () => transaction({ accountId: "remade" }));
    await send([without(), without(), ...before]);
    await seqOf(before.at(-1)!.transactionId, 6);

    await makeAgain(TOPICS.transactions.name);
    // More than there were before: the old offset is among them.
    const after = Array.from({ length: 5 }, () => transaction({ accountId: "remade" }));
    await send([...Array.from({ length: 5 }, without), ...after]);
    await seqOf(after.at(-1)!.transactionId, 16);

    // Sent again by a client whose topic was made again, they are known by their ids.
    const last = transaction({ accountId: "remade" });
    await send([...before, last]);
    await seqOf(last.transactionId, 17);
  });

  it("answers clients that wait for decisions when the topic held these, and for the outcome of a label", async () => {
    for (const { name } of [TOPICS.decisions, TOPICS.evidence]) await makeAgain(name);
    await flinkClient(settings).waitForRunning(PATIENCE_MS);
    for (const wait of ["?wait=20s", "?wait=20s&for=committed"])
      expect(await post(transaction({ accountId: "patient" }), wait)).toMatchObject({
        status: 200,
        body: { status: "decided" },
      });
    expect(
      (
        await post(
          {
            labelId: "l-patient",
            accountId: "patient",
            transactionId: "t",
            merchantId: "shop",
            verdict: "FRAUD",
            eventTimeMs: Date.now(),
          },
          "",
          url,
          "labels",
        )
      ).status,
    ).toBe(202);
    expect(
      await (
        await fetch(`${url}/v1/labels/l-patient?wait=30s`, { headers: intakeHeaders(process.env, "labels") })
      ).json(),
    ).toMatchObject({ status: "recorded", revision: 1 });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});

// After the hostile records: they must see no restart, and Flink reports one only seconds later.
describe("a TaskManager that dies", () => {
  it("finds the decision that holds after a provisional one was taken back", async () => {
    const one = transaction();
    expect(await post(one, "?wait=20s")).toMatchObject({ status: 200, body: { decision: { status: "provisional" } } });
    cluster.kill("taskmanager");
    await poll("its committed decision", async () => (await find("ada", one.transactionId))["status"] === "committed", {
      timeoutMs: PATIENCE_MS,
    });
    await flinkClient(settings).waitForRunning(PATIENCE_MS);
  });
});

describe("the HTTP door of an intake with a small bound", () => {
  it("turns transactions away while the pipeline stands still, and takes them again when it has caught up", async () => {
    await withSecondIntake({ INTAKE_MAX_BACKLOG_SECONDS: "3" }, async (second) => {
      const send = () => post(transaction(), "", second);
      await poll("transactions to be taken", async () => (await send()).status === 202, { timeoutMs: PATIENCE_MS });
      // Not the functions: what they cannot take is in checkpoints, up to a bound, and so no longer in Kafka.
      cluster.hold("taskmanager");
      cluster.kill("taskmanager");
      try {
        const away = await poll(
          "transactions to be turned away",
          async () => {
            const answer = await send();
            return answer.status === 429 && answer;
          },
          { timeoutMs: PATIENCE_MS },
        );
        expect(away.body["detail"]).toMatch(
          /^the pipeline is overloaded or stands still: a transaction would wait about \d+ s, and beyond 3 s none is taken$/,
        );
        expect(Number(away.retryAfter)).toBeGreaterThan(0);
        const label = {
          labelId: "while-behind",
          accountId: "ada",
          transactionId: "none",
          merchantId: "shop",
          verdict: "LEGITIMATE",
          eventTimeMs: Date.now() - 60_000,
        };
        expect((await post(label, "", second, "labels")).status).toBe(202);
        // The cluster's own intake allows a minute.
        expect((await post(transaction())).status).toBe(202);
      } finally {
        await cluster.release("taskmanager");
      }
      await poll("transactions to be taken again", async () => (await send()).status === 202, {
        timeoutMs: PATIENCE_MS,
      });
    });
  });
});

/** One account's transactions, more than the intake fetches at once. */
async function sendBurst(): Promise<void> {
  const producer = kafkaClient(brokers, "burst").producer();
  await producer.connect();
  const messages = Array.from({ length: BURST }, (_, n) => ({
    key: "burst",
    value: JSON.stringify(transaction({ transactionId: `burst-${n}`, accountId: "burst" })),
  }));
  await producer.send({ topic: TOPICS.transactions.name, messages });
  await producer.disconnect();
}
