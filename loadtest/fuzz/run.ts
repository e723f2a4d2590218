import type { Message } from "kafkajs";

import { endpoints } from "../../cluster/endpoints.js";
import { type Cluster, flinkClient } from "../../cluster/index.js";
import { shortOriginName } from "../../contract/origin-name.js";
import { INTAKE_GROUP, PIPELINE_GROUP, TOPICS } from "../../contract/topics.js";
import { Random } from "../../ingress-generator/random.js";
import { kafkaClient, Partitioners } from "../../kafka/client.js";
import { lagOf } from "../../kafka/offsets.js";
import { partitionOf } from "../../kafka/partition.js";
import { poll } from "../../process/poll.js";
import { type Machine, thisMachine } from "../../terminal/json-report.js";
import type { Reconciliation } from "./reconciliation.js";
import { type HostileRecord, hostileRecords, oversized } from "./hostile-records.js";
import { intakeStarts, readReconciliation } from "./read-reconciliation.js";

/** StateFun's consumer group, as `module.yaml` names it. */
const BATCH_RECORDS = 100;
/** How many records there are to each one at the broker's limit, and each one beyond it. */
const OVERSIZED_EVERY = 10_000;
const LOOK_MS = 500;
/** When nothing moves for this long, something is stuck. */
const STUCK_MS = 120_000;

/** The report of a fuzz run, `reports/intake.json`. Field names are stable. */
export interface IntakeReport extends Reconciliation {
  readonly seed: number;
  /** Records that the broker itself refused because they are too large: the sender knows. */
  readonly refusedByBroker: number;
  /** Records that ended up elsewhere than expected from what was done to them. */
  readonly surprises: readonly string[];
  /** Restarts of the Flink job during the run; −1: not known. */
  readonly jobRestarts: number;
  /** How often the job was seen in another state than RUNNING. */
  readonly notRunning: number;
  readonly recordsPerSecond: number;
  readonly machine: Machine;
}

export interface FuzzOptions {
  readonly records: number;
  readonly seed: number;
  readonly runId: string;
  readonly onProgress: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Whether every record was found where it must be, and the job never faltered. */
export const isGood = (report: IntakeReport): boolean =>
  report.unaccounted === 0 &&
  report.twice === 0 &&
  report.undecided === 0 &&
  report.decidedTwice === 0 &&
  report.jobRestarts === 0 &&
  report.notRunning === 0 &&
  report.surprises.length === 0;

/**
 * Sends hostile records through the Kafka doors, waits until all are sorted and decided, and finds every one again
 * with Kafka's own consumer.
 *
 * @throws Error when nothing moves any more
 */
export async function runFuzz(
  cluster: Cluster,
  { records, seed, runId, onProgress, signal }: FuzzOptions,
): Promise<IntakeReport> {
  const brokers = endpoints(cluster.settings).kafka;
  const flink = flinkClient(cluster.settings);
  const starts = await intakeStarts(brokers);
  const restartsBefore = await flink.restarts();
  let notRunning = 0;
  const watch = setInterval(() => void flink.jobState().then((state) => state !== "RUNNING" && notRunning++), LOOK_MS);
  try {
    const beganMs = Date.now();
    const { sentBy, refusedByBroker } = await send(brokers, { records, seed, runId, onProgress, signal });
    const seconds = (Date.now() - beganMs) / 1000;
    await consumed(brokers, INTAKE_GROUP, [TOPICS.transactions.name, TOPICS.labels.name], onProgress, signal);
    await consumed(
      brokers,
      PIPELINE_GROUP,
      [TOPICS.transactionsValid.name, TOPICS.labelsValid.name],
      onProgress,
      signal,
    );
    for (let before = Infinity; ;) {
      await flink.waitForCheckpoints(2, STUCK_MS, signal);
      onProgress("reading the topics");
      const { reconciliation, fates } = await readReconciliation(brokers, starts);
      // Messages between functions have left the topics but not come out yet.
      if (reconciliation.undecided > 0 && reconciliation.undecided < before) {
        before = reconciliation.undecided;
        continue;
      }
      const surprises = [...sentBy].flatMap(([origin, { name, expected }]) =>
        expected === undefined || fates.get(origin) === expected
          ? []
          : [`${origin} (${name}) is ${fates.get(origin) ?? "lost"}, not ${expected}`],
      );
      const restarts = await flink.restarts();
      return {
        ...reconciliation,
        seed,
        refusedByBroker,
        surprises: surprises.slice(0, 20),
        jobRestarts:
          restarts === "unreachable" ? -1 : restarts - (restartsBefore === "unreachable" ? 0 : restartsBefore),
        notRunning,
        recordsPerSecond: Math.round(records / seconds),
        machine: thisMachine(),
      };
    }
  } finally {
    clearInterval(watch);
  }
}

async function send(
  brokers: string,
  { records, seed, runId, onProgress, signal }: FuzzOptions,
): Promise<{ sentBy: Map<string, HostileRecord>; refusedByBroker: number }> {
  const producer = kafkaClient(brokers, "fraud-fuzz").producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const sentBy = new Map<string, HostileRecord>();
  let refusedByBroker = 0;
  // If the request names the partition, the answer says where each record stands.
  let turn = 0;
  const sendAll = async (batch: readonly HostileRecord[]): Promise<void> => {
    const byPosition = new Map<string, HostileRecord[]>();
    const byTopic = new Map<string, Message[]>();
    turn++;
    for (const record of batch) {
      const { name: topic, partitions } = record.kind === "transaction" ? TOPICS.transactions : TOPICS.labels;
      const partition = record.account === undefined ? turn % partitions : partitionOf(record.account, partitions);
      const position = `${topic}-${partition}`;
      byPosition.set(position, [...(byPosition.get(position) ?? []), record]);
      byTopic.set(topic, [
        ...(byTopic.get(topic) ?? []),
        { key: record.key, value: record.value, headers: record.headers, partition },
      ]);
    }
    const answers = await producer.sendBatch({
      acks: -1,
      topicMessages: [...byTopic].map(([topic, messages]) => ({ topic, messages })),
    });
    for (const { topicName: topic, partition, baseOffset } of answers) {
      byPosition
        .get(`${topic}-${partition}`)!
        .forEach((record, at) =>
          sentBy.set(shortOriginName({ topic, partition, offset: BigInt(baseOffset!) + BigInt(at) }), record),
        );
    }
  };
  try {
    const stream = hostileRecords({ seed, runId, nowMs: Date.now() });
    const random = new Random(seed);
    for (let sent = 0; sent < records;) {
      signal?.throwIfAborted();
      if (sent % OVERSIZED_EVERY === 0) {
        const { atLimit, beyond } = oversized(random);
        await sendAll([atLimit]);
        await sendAll([beyond]).then(
          () => {
            throw new Error("the broker took a record beyond its limit");
          },
          (error: unknown) => {
            if ((error as { type?: string }).type !== "MESSAGE_TOO_LARGE") throw error;
            refusedByBroker++;
          },
        );
      }
      const batch = Array.from({ length: Math.min(BATCH_RECORDS, records - sent) }, () => stream.next().value);
      await sendAll(batch);
      sent += batch.length;
      onProgress(`${sent} of ${records} records sent`);
    }
    return { sentBy, refusedByBroker };
  } finally {
    await producer.disconnect();
  }
}

/** Waits until a consumer group has read topics to their ends. */
async function consumed(
  brokers: string,
  groupId: string,
  topics: readonly string[],
  onProgress: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const behind = () => lagOf(brokers, groupId, topics);
  for (let left = await behind(); left > 0n;) {
    onProgress(`${groupId} has ${left} records to read`);
    let now = left;
    await poll(`${groupId} to read on`, async () => (now = await behind()) < left, {
      timeoutMs: STUCK_MS,
      intervalMs: LOOK_MS,
      signal,
    });
    left = now;
  }
}
