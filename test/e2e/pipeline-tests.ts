import { afterAll, beforeAll, expect, it } from "vitest";

import { endpoints, flinkClient, type RunningCluster } from "../../cluster/index.js";
import type { ClusterSettings } from "../../cluster/settings.js";
import { leftoversOf } from "../../cluster/state/object-store.js";
import { ACCOUNT_COUNTER, MERCHANT_MODEL } from "../../contract/function-names.js";
import type { RawRecord } from "../../contract/raw-record.js";
import { OUTPUT_TOPICS, TOPICS } from "../../contract/topics.js";
import { runGenerator } from "../../ingress-generator/producer.js";
import { type ReadPartition, readTopics } from "../../java/java-reader.js";
import { followTopics } from "../../kafka/consumer.js";
import { poll } from "../../process/poll.js";
import { startOwnCommand } from "../../process/run-command.js";
import { Decision } from "../../protos/gen/fraud/v1/decision.js";
import { Alert, Alert_Cause, Alert_Kind, StateEvent, StateEvent_Kind } from "../../protos/gen/fraud/v1/evidence.js";
import { Any } from "../../protos/gen/google/protobuf/any.js";
import { judgeRun } from "../../verifier/judge.js";
import { PATIENCE_MS } from "../patience.js";

const TRANSACTIONS = 8_000;
const RATE = 400;
/** Transactions per second while the state backend is changed. */
const CHANGE_RATE = 100;
const HOUR_MS = 3_600_000;

/**
 * Settings of the functions for this suite. Short windows and a small waiting list, so that what otherwise takes weeks,
 * or is rare, happens in this run.
 */
const FUNCTION_SETTINGS = {
  account: {
    velocity: { buckets: 5, bucketMs: 60_000 },
    day: { buckets: 6, bucketMs: 10 * 60_000 },
    history: { buckets: 12, bucketMs: HOUR_MS },
    fraudWindowMs: 2 * HOUR_MS,
    expiryDelayMs: 2_000,
  },
  merchant: { history: { buckets: 12, bucketMs: HOUR_MS } },
  learned: { events: 8, labelDelayMs: HOUR_MS },
  scorer: { maxWaitingBytes: 700 },
  alerter: { closeAfterMs: 8_000 },
};

/** Of the function servers; the model is one that raises many alerts. */
export const SERVER_ENV = {
  FRAUD_SETTINGS: JSON.stringify(FUNCTION_SETTINGS),
  FRAUD_MODEL: "models/points-v1.json",
};

const payload = (record: RawRecord) => Any.decode(record.value!);

/** Where the pipeline runs: what starts it, and what forgets it. */
export interface Provider {
  /** With {@link SERVER_ENV}. */
  readonly settings: ClusterSettings;
  /** Starts everything except what sends by itself. @param fresh - forget earlier topics and state */
  readonly start: (options: { readonly fresh: boolean }) => Promise<RunningCluster>;
  /** Whether the job can be restarted on another state backend there. */
  readonly changesBackend: boolean;
  /** Stops whatever runs, and forgets topics and state. */
  readonly wipe: () => Promise<void>;
}

/** The end-to-end suite of the whole pipeline, the same wherever it runs. */
export function pipelineTests({ settings, start, changesBackend, wipe }: Provider): void {
  const brokers = endpoints(settings).kafka;
  const flink = flinkClient(settings);
  const runId = "e2e1";
  let cluster: RunningCluster;
  let decisions: RawRecord[];
  let uncommittedDecisions: RawRecord[];
  let transactions: RawRecord[];
  let evidence: RawRecord[];
  let alerts: RawRecord[];
  let rejected: RawRecord[];
  let partitions: readonly ReadPartition[];
  let metrics: string;
  let restarts = 0;
  const liveIds: string[] = [];

  beforeAll(async () => {
    cluster = await start({ fresh: true });
    const live = await followTopics({
      brokers,
      topics: [TOPICS.decisions.name],
      from: "end",
      onRecord: ({ value }) =>
        liveIds.push(Decision.decode(Any.decode(value!).value).evidence!.transaction!.transactionId),
    });
    let sent = 0;
    const generating = runGenerator({
      brokers,
      seed: 11,
      runId,
      rate: RATE,
      transactions: TRANSACTIONS,
      accounts: 300,
      onSend: (item) => (sent += item.kind === "transaction" ? 1 : 0),
    });
    const reached = (part: number) =>
      poll(
        `${part * 100}% of the transactions to be sent and some decided`,
        () => sent >= TRANSACTIONS * part && liveIds.length > 0,
        { timeoutMs: PATIENCE_MS },
      );

    await reached(0.2);
    cluster.kill("taskmanager");
    await poll(
      "the job to leave RUNNING after the TaskManager died",
      async () => (await flink.jobState()) !== "RUNNING",
      { timeoutMs: PATIENCE_MS },
    );
    await flink.waitForRunning(PATIENCE_MS);
    const decidedBefore = liveIds.length;
    await poll("decisions to flow again", () => liveIds.length > decidedBefore, { timeoutMs: PATIENCE_MS });
    restarts = Number(
      await poll(
        "Flink to count the restart",
        async () => Number(await flink.restarts()) > 0 && (await flink.restarts()),
        { timeoutMs: PATIENCE_MS },
      ),
    );

    await reached(0.6);
    cluster.kill("jobmanager");
    await poll("the JobManager to be gone", async () => (await flink.jobState()) !== "RUNNING", {
      timeoutMs: PATIENCE_MS,
      intervalMs: 50,
    });
    await flink.waitForRunning(PATIENCE_MS);
    await generating;

    await poll(`every transaction to have its committed decision`, () => new Set(liveIds).size >= TRANSACTIONS, {
      timeoutMs: PATIENCE_MS,
    });
    await flink.waitForCheckpoints(2, PATIENCE_MS);
    await live.stop();
    metrics = await (await fetch(`${endpoints(settings).functions}/metrics`)).text();

    const read = (isolation: "read_committed" | "read_uncommitted", topics: readonly { name: string }[]) =>
      readTopics({ brokers, topics: topics.map(({ name }) => ({ topic: name })), isolation, timeoutMs: PATIENCE_MS });
    const all = await read("read_committed", Object.values(TOPICS));
    const of = (topic: { name: string }) => all.records.filter((record) => record.topic === topic.name);
    transactions = of(TOPICS.transactionsValid);
    decisions = of(TOPICS.decisions);
    evidence = of(TOPICS.evidence);
    alerts = of(TOPICS.alerts);
    rejected = of(TOPICS.functionsRejected);
    partitions = all.partitions;
    uncommittedDecisions = (await read("read_uncommitted", [TOPICS.decisions])).records;
  });

  afterAll(async () => {
    // Undefined if it could not be started.
    await (cluster as RunningCluster | undefined)?.stop();
    await wipe();
  });

  it("decides every transaction exactly once, in account order", () => {
    const judgement = judgeRun({ transactions, decisions, rejected }, (account) => account.startsWith(`${runId}-`));
    expect(judgement.violations.slice(0, 10)).toEqual([]);
    expect(judgement).toMatchObject({
      accepted: TRANSACTIONS,
      decisions: TRANSACTIONS,
      missing: 0,
      duplicates: 0,
      outOfOrder: 0,
      rejected: 0,
    });
  });

  it("was hit while it was producing: aborted decisions exist, and no committed reader saw them", () => {
    expect(restarts).toBeGreaterThan(0);
    expect(uncommittedDecisions.length).toBeGreaterThan(decisions.length);
    expect(liveIds).toHaveLength(TRANSACTIONS);
    expect(new Set(liveIds).size).toBe(TRANSACTIONS);
  });

  it("leaves no Kafka transaction open", async () => {
    // A timer may be writing an alert at this moment; a transaction that hangs never ends.
    const highWatermarks = new Map(
      partitions.map(({ topic, partition, highWatermark }) => [`${topic}-${partition}`, highWatermark]),
    );
    await poll(
      `committed reads to pass ${[...highWatermarks].join(" ")}`,
      async () => {
        const now = await readTopics({
          brokers,
          topics: OUTPUT_TOPICS.map(({ name }) => ({ topic: name })),
          isolation: "read_committed",
          limit: 1,
          timeoutMs: PATIENCE_MS,
        });
        return now.partitions.every(
          ({ topic, partition, lastStableOffset }) => lastStableOffset >= highWatermarks.get(`${topic}-${partition}`)!,
        );
      },
      { timeoutMs: PATIENCE_MS },
    );
  });

  it("numbers every change of state of each counter and merchant 1..K", () => {
    const numbers = new Map<string, bigint[]>();
    const note = (address: string, seq: bigint) =>
      void (numbers.get(address)?.push(seq) ?? numbers.set(address, [seq]));
    for (const record of decisions) {
      const { evidence } = Decision.decode(payload(record).value);
      note(`counter ${evidence!.transaction!.accountId}`, evidence!.account!.eventSeq);
      note(`merchant ${evidence!.transaction!.merchantId}`, evidence!.merchant!.eventSeq);
    }
    for (const record of evidence) {
      const event = StateEvent.decode(payload(record).value);
      note(
        `${event.function === ACCOUNT_COUNTER ? "counter" : event.function === MERCHANT_MODEL ? "merchant" : event.function} ${event.addressId}`,
        event.eventSeq,
      );
    }
    for (const [address, seqs] of numbers) {
      const sorted = seqs.sort((a, b) => Number(a - b));
      expect(sorted, address).toEqual(sorted.map((_, n) => BigInt(n + 1)));
    }
  });

  it("numbers each merchant's transactions 1..M", () => {
    const merchants = new Map<string, bigint[]>();
    for (const record of decisions) {
      const { transaction, merchant } = Decision.decode(payload(record).value).evidence!;
      merchants.set(transaction!.merchantId, [...(merchants.get(transaction!.merchantId) ?? []), merchant!.seq]);
    }
    for (const [merchant, seqs] of merchants)
      expect(
        seqs.sort((a, b) => Number(a - b)),
        merchant,
      ).toEqual(seqs.map((_, n) => BigInt(n + 1)));
  });

  it("raises alerts, numbered without a gap, episodes opened and closed in turn", () => {
    expect(alerts.length).toBeGreaterThan(20);
    const accounts = new Map<string, Alert[]>();
    for (const record of alerts) {
      const alert = Alert.decode(payload(record).value);
      accounts.set(alert.accountId, [...(accounts.get(alert.accountId) ?? []), alert]);
    }
    for (const [account, raised] of accounts)
      expect(
        raised.map(({ alertSeq }) => alertSeq),
        account,
      ).toEqual(raised.map((_, n) => BigInt(n + 1)));
  });

  it("had transactions that overtook each other: some waited, some in the waiting room", () => {
    const counter = (name: string) => Number(new RegExp(`^${name} (\\d+)`, "m").exec(metrics)?.[1]);
    expect(counter("fraud_overtook_total")).toBeGreaterThan(0);
    expect(counter("fraud_parked_total")).toBeGreaterThan(0);
    expect(counter("fraud_overtook_total")).toBeGreaterThan(counter("fraud_parked_total"));
    expect(counter("fraud_stale_scoring_requests_total")).toBe(0);
    expect(counter("fraud_function_errors_total")).toBe(0);
  });

  it("had windows that moved on and confirmed frauds that expired", () => {
    const features = decisions.map((record) => Decision.decode(payload(record).value).evidence!.account!);
    expect(features.some(({ seq, features }) => BigInt(features!.historyCount) + 1n < seq)).toBe(true);
    expect(features.some(({ features }) => features!.confirmedFraudCount > 0)).toBe(true);
    const events = evidence.map((record) => StateEvent.decode(payload(record).value));
    expect(events.some(({ kind }) => kind === StateEvent_Kind.EXPIRY)).toBe(true);
    expect(
      events.some(({ kind, function: name }) => kind === StateEvent_Kind.LABEL && name === "fraud/merchant-model"),
    ).toBe(true);
  });

  it("goes on from its last checkpoint after an orderly stop and start", async () => {
    await cluster.stop();
    cluster = await start({ fresh: false });
    const more = 500;
    const seen = new Set<string>();
    const live = await followTopics({
      brokers,
      topics: [TOPICS.decisions.name],
      from: "end",
      onRecord: ({ value }) => seen.add(Decision.decode(Any.decode(value!).value).evidence!.transaction!.transactionId),
    });
    await runGenerator({ brokers, seed: 12, runId: "e2e2", rate: RATE, transactions: more, accounts: 50 });
    await poll("the second run's decisions", () => seen.size >= more, { timeoutMs: PATIENCE_MS });
    await flink.waitForCheckpoints(2, PATIENCE_MS);
    await live.stop();
    const all = await readTopics({
      brokers,
      topics: Object.values(TOPICS).map(({ name }) => ({ topic: name })),
      isolation: "read_committed",
      timeoutMs: PATIENCE_MS,
    });
    const of = (topic: { name: string }) => all.records.filter((record) => record.topic === topic.name);
    const judgement = judgeRun(
      {
        transactions: of(TOPICS.transactionsValid),
        decisions: of(TOPICS.decisions),
        rejected: of(TOPICS.functionsRejected),
      },
      () => true,
    );
    expect(judgement).toMatchObject({
      accepted: TRANSACTIONS + more,
      decisions: TRANSACTIONS + more,
      missing: 0,
      duplicates: 0,
      outOfOrder: 0,
      violations: [],
    });
  });

  it.runIf(changesBackend)(
    "changes its state backend there and back under load: nothing is lost or repeated, and timers set before fire after",
    async () => {
      /** By account and episode: each alert with the time at which the job wrote it. */
      const episodes = new Map<string, { readonly alert: Alert; readonly atMs: number }[]>();
      const decided = new Set<string>();
      /** When the job began on each backend that it was moved to. */
      const begunMs: number[] = [];
      const live = await followTopics({
        brokers,
        topics: [TOPICS.decisions.name, TOPICS.alerts.name],
        from: "end",
        onRecord: ({ topic, value, timestampMs }) => {
          const { value: bytes } = Any.decode(value!);
          if (topic === TOPICS.alerts.name) {
            const alert = Alert.decode(bytes);
            const episode = `${alert.accountId}/${alert.episode}`;
            episodes.set(episode, [...(episodes.get(episode) ?? []), { alert, atMs: timestampMs }]);
          } else decided.add(Decision.decode(bytes).evidence!.transaction!.transactionId);
        },
      });
      const savepoints = async () =>
        new Set((await leftoversOf(settings, await flink.jobId(), undefined)).map((key) => key.split("/")[1]));
      const end = new AbortController();
      const generating = runGenerator({
        brokers,
        seed: 13,
        runId: "e2e3",
        rate: CHANGE_RATE,
        accounts: 100,
        signal: end.signal,
      });
      const flowing = (more: number, before = decided.size) =>
        poll("decisions to flow", () => decided.size >= before + more, { timeoutMs: PATIENCE_MS });
      try {
        for (const backend of ["rocksdb", "hashmap"] as const) {
          await flowing(3 * CHANGE_RATE);
          // Its timer is set, and will not fire for seconds.
          const opened = (): number =>
            [...episodes.values()].filter(([first]) => first!.alert.kind === Alert_Kind.OPENED).length;
          const before = opened();
          await poll("an episode to be opened", () => opened() > before, { timeoutMs: PATIENCE_MS, intervalMs: 20 });
          await cluster.restartFlink({ stateBackend: backend });
          await flink.waitForRunning(PATIENCE_MS);
          const { jobs } = (await (await fetch(`${endpoints(settings).flink}/jobs/overview`)).json()) as {
            readonly jobs: readonly { readonly "start-time": number }[];
          };
          begunMs.push(jobs[0]!["start-time"]);
          expect((await cluster.status()).state?.backend).toBe(backend);
        }
        await flowing(CHANGE_RATE);
      } finally {
        end.abort();
      }
      const { sentTransactions } = await generating;
      await poll(`all ${sentTransactions} decisions`, () => decided.size >= sentTransactions, {
        timeoutMs: PATIENCE_MS,
      });
      await poll(
        "every episode to be closed",
        () => [...episodes.values()].every((alerts) => alerts.some(({ alert }) => alert.kind === Alert_Kind.CLOSED)),
        { timeoutMs: PATIENCE_MS },
      );
      await live.stop();
      // By the time in the record, not by when it was read: an overdue timer fires, and its alert is read, before the
      // restart is known to be over.
      for (const [change, begun] of begunMs.entries()) {
        const pending = [...episodes.values()].filter(
          ([first, ...later]) =>
            first!.alert.kind === Alert_Kind.OPENED &&
            first!.atMs < begun &&
            later.some(({ alert, atMs }) => alert.cause === Alert_Cause.TIMER && atMs >= begun),
        );
        expect(pending.length, `timers pending in change ${change}`).toBeGreaterThan(0);
      }
      // What the job was started from last stays until the next start.
      await poll("the first savepoint to be removed", async () => (await savepoints()).size === 1, {
        timeoutMs: PATIENCE_MS,
      });
      await flink.waitForCheckpoints(2, PATIENCE_MS);
      const { code, stdout } = await startOwnCommand([
        "verify",
        "--brokers",
        brokers,
        "--settings",
        JSON.stringify(FUNCTION_SETTINGS),
      ]).finished;
      expect(stdout).toContain("0 missing, 0 duplicates, 0 out of order, 0 mismatches");
      expect(code).toBe(0);
    },
  );
}
