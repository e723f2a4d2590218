import { readFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { stopCluster } from "../../cluster/control.js";
import { type Cluster, clusterSettings, endpoints, flinkClient, startCluster } from "../../cluster/index.js";
import { TOPICS } from "../../contract/topics.js";
import { intakeHeaders } from "../../ingress-generator/intake-token.js";
import { runGenerator } from "../../ingress-generator/producer.js";
import { withAdmin } from "../../kafka/client.js";
import { followTopics, type LiveRecord } from "../../kafka/consumer.js";
import { partitionOf } from "../../kafka/partition.js";
import { idempotentProducer } from "../../kafka/record-writer.js";
import { poll } from "../../process/poll.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { startOwnCommand } from "../../process/run-command.js";
import { Decision } from "../../protos/gen/fraud/v1/decision.js";
import { Any } from "../../protos/gen/google/protobuf/any.js";
import { pack } from "../../statefun/index.js";
import { silentStep } from "../../terminal/steps.js";
import type { Trace } from "../../trace/types.js";
import { decisionIn } from "../../verifier/records.js";
import { PATIENCE_MS } from "../patience.js";

const settings = clusterSettings({ name: "e2e-trace", portOffset: 22_000 });
const brokers = endpoints(settings).kafka;
const RUN = "e2etrace";
const TRANSACTIONS = 1_500;

let cluster: Cluster | undefined;
const arrived = new Map<string, LiveRecord>();

const trace = (...args: readonly string[]) => startOwnCommand(["trace", ...args, "--port-offset", "22000"]).finished;
const report = (): Trace => JSON.parse(readFileSync(join(REPOSITORY_ROOT, "reports/trace.json"), "utf8")) as Trace;
const errorLines = (text: string) => text.split("\n").filter((line) => line.startsWith("error:"));

async function post(transactionId: string, accountId: string, more: object = {}): Promise<number> {
  const body = {
    transactionId,
    accountId,
    merchantId: "corner-shop",
    amountMinor: 1999,
    currency: "EUR",
    eventTimeMs: Date.now(),
    ...more,
  };
  const { status } = await fetch(`${endpoints(settings).intake}/v1/transactions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...intakeHeaders() },
    body: JSON.stringify(body),
  });
  return status;
}

beforeAll(async () => {
  cluster = await startCluster(settings, { step: silentStep, restart: true, fresh: true });
  const reader = await followTopics({
    brokers,
    topics: [TOPICS.decisions.name],
    from: "end",
    onRecord: (record) => {
      const { accountId, transactionId } = decisionIn(record)!.evidence!.transaction!;
      arrived.set(`${accountId} ${transactionId}`, record);
    },
  });
  // With this seed ten are suspicious, and thirty labels come.
  await runGenerator({
    brokers,
    seed: 7,
    runId: RUN,
    rate: 150,
    accounts: 40,
    merchants: 30,
    labelDelayMs: 3_600_000,
    transactions: TRANSACTIONS,
  });
  expect(await post("same-id", "ada")).toBe(202);
  expect(await post("same-id", "bob")).toBe(202);
  const producer = await idempotentProducer(brokers, "test");
  await producer.sendBatch({
    topicMessages: [
      {
        topic: TOPICS.transactions.name,
        messages: [
          {
            key: "ada",
            value: JSON.stringify({
              transactionId: "not-good",
              accountId: "ada",
              merchantId: "m",
              amountMinor: -1,
              currency: "EUR",
              eventTimeMs: 1,
            }),
          },
        ],
      },
    ],
  });
  await producer.disconnect();
  await poll("every decision to be committed", () => arrived.size >= TRANSACTIONS + 2, { timeoutMs: PATIENCE_MS });
  await flinkClient(settings).waitForCheckpoints(2, PATIENCE_MS);
  await reader.stop();
});
afterAll(async () => {
  await cluster?.stop();
  await stopCluster(settings, { wipe: true });
});

/** A suspicious transaction from the generator, late in the run: much came before it. */
function suspicious(): { readonly accountId: string; readonly transactionId: string; readonly record: LiveRecord } {
  const found = [...arrived.values()]
    .filter((record) => decisionIn(record)!.evidence!.scoring!.suspiciousSeq !== undefined)
    .at(-1)!;
  const { accountId, transactionId } = decisionIn(found)!.evidence!.transaction!;
  return { accountId, transactionId, record: found };
}

describe("npm run trace", () => {
  it("follows a suspicious transaction from the Kafka door to its commit, and derives it again byte for byte", async () => {
    const { accountId, transactionId, record } = suspicious();
    const { code, stdout } = await trace(transactionId);
    expect(code, stdout).toBe(0);
    for (const part of [
      transactionId,
      `account ${accountId}`,
      "committed",
      "byte-identical",
      "Alerts of its episode",
      "reports/trace.html",
    ])
      expect(stdout).toContain(part);
    const found = report();
    expect(found).toMatchObject({
      state: "decided",
      accountId,
      entered: { door: "Kafka" },
      commit: { how: "commit" },
      rederivation: { verdict: "identical" },
    });
    expect(found.decision!.place).toBe(`decisions ${record.partition}@${record.offset}`);
    expect(found.hops.filter(({ name }) => name !== "alert" && name !== "visible").map(({ name }) => name)).toEqual([
      "entered",
      "counted",
      "merchant",
      "scored",
      "written",
      "committed",
    ]);
    const way = found.hops.filter(({ name }) => name !== "alert").map(({ atMs }) => atMs);
    expect(way).toEqual([...way].sort((a, b) => a - b));
    // A committed reader on this machine had it after the marker, not before.
    expect(record.arrivedAtMs).toBeGreaterThanOrEqual(way.at(-1)!);
    expect(found.alerts.length).toBeGreaterThan(0);
    expect(found.rederivation!.parts.merchant.replayed).toBeGreaterThan(1);
  });

  it("shows verdicts on a transaction, and what they changed at its account and its merchant", async () => {
    const labelled = [...arrived.values()]
      .map((record) => decisionIn(record)!.evidence!)
      .find(({ account }) => (account?.features?.confirmedFraudCount ?? 0) > 0);
    expect(labelled).toBeDefined();
    const { code } = await trace(labelled!.transaction!.transactionId);
    expect(code).toBe(0);
    // The state events of an address are inputs to its replay.
    expect(report().rederivation).toMatchObject({ verdict: "identical" });
    const of = await startOwnCommand(["topics", "labels.valid", "--from-beginning", "--compact", "--brokers", brokers])
      .finished;
    const label = JSON.parse(of.stdout.split("\n")[0]!) as { value: { transaction_id: string } };
    expect((await trace(label.value.transaction_id)).code).toBe(0);
    expect(report().labels.length).toBeGreaterThan(0);
    expect(report().stateEvents.map(({ address }) => address.split("/")[1])).toEqual(
      expect.arrayContaining(["account-counter", "merchant-model"]),
    );
  });

  it("asks whose it is when several accounts have one with this id", async () => {
    const { code, stderr } = await trace("same-id");
    expect(code).toBe(1);
    expect(errorLines(stderr)).toEqual([
      expect.stringMatching(
        /several accounts have a transaction same-id: choose one with --account ada, --account bob/,
      ),
    ]);
    const bob = await trace("same-id", "--account", "bob", "--json");
    expect(JSON.parse(bob.stdout)).toMatchObject({
      accountId: "bob",
      entered: { door: "HTTP" },
      rederivation: { verdict: "identical" },
    });
    expect(bob.code).toBe(0);
  });

  it("shows what was refused, and says that it knows nothing", async () => {
    const refused = await trace("not-good");
    expect(refused.stdout).toMatch(/refused: INVALID_VALUE/);
    expect(report()).toMatchObject({ state: "refused", accountId: "ada", refused: [{ by: "intake" }] });
    const unknown = await trace("never-sent");
    expect(unknown.code).toBe(1);
    expect(errorLines(unknown.stderr)).toEqual([
      expect.stringMatching(/no transaction never-sent has entered, was refused or decided/),
    ]);
  });

  it("turns red on a decision with one altered feature", async () => {
    const { evidence, timing } = Decision.decode(Any.decode(arrived.get("ada same-id")!.value!).value);
    Object.assign(evidence!.transaction!, { accountId: "eve", merchantId: "eves-shop", transactionId: "planted" });
    evidence!.account!.features!.dayCount += 1;
    Object.assign(evidence!.merchant!, {
      seq: 1n,
      eventSeq: 1n,
      features: {
        ...evidence!.merchant!.features!,
        recentCount: 1,
        recentAmountMinor: 1999n,
        historyCount: 0,
        historyAmountMinor: 0n,
        fraudRatePermille: 1,
      },
    });
    const producer = await idempotentProducer(brokers, "test");
    const value = Buffer.from(Any.encode(pack(Decision, { evidence, timing })).finish());
    await producer.sendBatch({
      topicMessages: [
        {
          topic: TOPICS.decisions.name,
          messages: [{ key: "eve", value, partition: partitionOf("eve", TOPICS.decisions.partitions) }],
        },
      ],
    });
    await producer.disconnect();
    const { code, stdout } = await trace("planted");
    expect(code).toBe(1);
    expect(stdout).toContain("account.features.dayCount: the evidence has 2, a replay gives 1");
    expect(report()).toMatchObject({
      commit: { how: "plain" },
      rederivation: {
        verdict: "different",
        parts: {
          account: { differences: [{ field: "account.features.dayCount" }] },
          merchant: { verdict: "identical" },
        },
      },
    });
  });

  it("says that retention has cut it off, and what it can still judge", async () => {
    const { transactionId, accountId, record } = suspicious();
    // What retention does, but immediately: everything before this decision goes.
    await withAdmin(brokers, async (admin) => {
      // kafkajs knows a topic's leaders only after a request about the topic.
      await admin.fetchTopicOffsets(TOPICS.decisions.name);
      await admin.deleteTopicRecords({
        topic: TOPICS.decisions.name,
        partitions: [{ partition: record.partition, offset: String(record.offset) }],
      });
    });
    const { code, stdout } = await trace(transactionId, "--account", accountId);
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/retention cut it off: event_seq 1(\.\.\d+)? is no longer there/);
    expect(report().rederivation).toMatchObject({
      verdict: "cut-off",
      parts: {
        account: { verdict: "cut-off" },
        scoring: { verdict: "identical" },
        transaction: { verdict: "identical" },
      },
    });
  });
});
