import { INTAKE_GROUP, PIPELINE_GROUP } from "../contract/topics.js";
import { listenAlone } from "../http/listen-alone.js";
import { beginningHealth, type ConsumerHealth, failingConsumers } from "../kafka/consumer-health.js";
import type { Follower } from "../kafka/consumer.js";
import { LagWatch } from "../kafka/group-lag.js";
import { LogDirsReader } from "../kafka/log-dirs.js";
import { retentionBytes } from "../kafka/retention.js";
import { idempotentProducer, RecordWriter } from "../kafka/record-writer.js";
import { serverLogger } from "../process/server-log.js";
import { runServer, stopOnSignal } from "../process/server-program.js";
import { BacklogWatch } from "./backlog/backlog-watch.js";
import { DecisionIndex } from "./decision-index.js";
import { type DecisionReaders, followDecisions } from "./decision-readers.js";
import { httpDoor } from "./http/http-door.js";
import { KafkaDoors } from "./kafka-doors.js";
import { LabelIndex } from "./label-index.js";
import { LabelQuality } from "./label-quality.js";
import { followLabels } from "./label-readers.js";
import { intakeMetrics } from "./metrics.js";
import { ModelsInForceIndex } from "./models-in-force.js";
import { followModels, type ModelsReader } from "./models-reader.js";
import { BrokerLogs } from "./room/broker-logs.js";
import { LogCutter } from "./room/log-cutter.js";
import { RoomWatch } from "./room/room-watch.js";
import { intakeSettings } from "./settings.js";
import { batchBytes, DOORS } from "./topics.js";

const SHUTDOWN_LIMIT_MS = 7_000;
/** A scrape does not wait longer than this for the broker. */
const LAG_LIMIT_MS = 2_000;
/** The consumer groups that read what clients write, and what the intake writes. */
const READING_GROUPS = [
  { group: INTAKE_GROUP, topics: Object.values(DOORS).map((door) => door.in.name) },
  { group: PIPELINE_GROUP, topics: Object.values(DOORS).map(({ valid }) => valid.name) },
];
const TOPICS_OF_DOORS = READING_GROUPS.flatMap(({ topics }) => topics);
/**
 * What a transaction that comes through Kafka waits for; one that comes over HTTP waits only for the pipeline. Labels
 * wait in their own topics.
 */
const TRANSACTIONS_WAITING = [
  { group: PIPELINE_GROUP, topics: [DOORS.transaction.valid.name] },
  { group: INTAKE_GROUP, topics: [DOORS.transaction.in.name] },
];

/** The intake: the only writer of `*.valid`. Takes transactions and labels by HTTP and from the public topics. */
async function main(): Promise<void> {
  const logger = serverLogger("intake");
  const { host, port, brokers, tokens, names, maxAheadMs, keepDecisions, maxBacklogSeconds, minFreeBytes } =
    intakeSettings(process.env);
  const onError = (error: Error): void => logger.warn({ err: error }, "trying again");
  // One writer for each door: a burst in a topic must not make HTTP clients wait behind it.
  const doorWriter = new RecordWriter({ connect: () => idempotentProducer(brokers, "fraud-intake-kafka"), batchBytes });
  const httpWriter = new RecordWriter({ connect: () => idempotentProducer(brokers, "fraud-intake-http"), batchBytes });
  const lag = new LagWatch(brokers, READING_GROUPS, LAG_LIMIT_MS);
  // Both watches look at the same moment, and share one question.
  const waiting = new LagWatch(brokers, TRANSACTIONS_WAITING, LAG_LIMIT_MS);
  const behindHttp = { now: async () => (await waiting.now()).filter(({ group }) => group === PIPELINE_GROUP) };
  const backlog = new BacklogWatch({ lag: behindHttp, group: PIPELINE_GROUP, maxSeconds: maxBacklogSeconds });
  const wholeBacklog = new BacklogWatch({ lag: waiting, group: PIPELINE_GROUP, maxSeconds: 0 });
  const logDirs = new LogDirsReader(brokers);
  const room = new RoomWatch({
    lag: () => lag.now(),
    logDirs: () => logDirs.now(),
    retentionBytes: () => retentionBytes(brokers, TOPICS_OF_DOORS),
    minFreeBytes,
  });
  const quality = new LabelQuality(keepDecisions);
  const { metrics, registry } = intakeMetrics({
    queuedBytes: () => doorWriter.queuedBytes + httpWriter.queuedBytes,
    lag: () => lag.now(),
    backlogSeconds: () => wholeBacklog.seconds,
    room: () => room.figures,
    consumers: () => health(),
    models: () => models.newest,
    quality,
  });
  const models = new ModelsInForceIndex();
  const index = new DecisionIndex(keepDecisions, (identity, outcome) => quality.onDecided(identity, outcome));
  const labels = new LabelIndex(keepDecisions, (outcome) => quality.onLabel(outcome));
  const doors = new KafkaDoors({
    brokers,
    writer: doorWriter,
    behind: () => backlog.overload !== undefined,
    noRoom: () => room.shortage !== undefined,
    maxAheadMs,
    models,
    metrics,
    onError,
  });
  const brokerLogs = new BrokerLogs({
    brokers,
    logDirs,
    topics: Object.values(DOORS).map((door) => ({ topic: door.in.name, boundedAs: door.valid.name })),
  });
  const cutter = new LogCutter({
    kept: () => brokerLogs.now(),
    taken: () => doors.taken(),
    cut: (topic, partition, offset) => brokerLogs.cut(topic, partition, offset),
    onCut: (topic, offsets) => metrics.cut(topic, offsets),
    onError,
  });
  const startedMs = performance.now();
  let readers: DecisionReaders | undefined;
  let labelReader: Follower | undefined;
  let modelsReader: ModelsReader | undefined;
  let connected = false;
  const health = (): ConsumerHealth[] => [
    doors.health,
    ...(readers?.health() ?? [beginningHealth("decisions", startedMs)]),
    labelReader?.health ?? beginningHealth("outcomes of labels", startedMs),
    modelsReader?.health ?? beginningHealth("models in force", startedMs),
  ];
  const notReady = (): string[] => [
    ...(connected ? [] : ["Kafka"]),
    ...failingConsumers(health()).map(({ consumer, cause }) => `${consumer}: ${cause}`),
    ...(doors.joined || doors.health.failing !== undefined ? [] : ["a place among the intakes"]),
    ...(models.stamps === undefined ? ["the models in force"] : []),
    ...(readers?.caughtUp() === true ? [] : ["the newest decisions"]),
  ];
  const http = httpDoor({
    writer: httpWriter,
    overload: () => backlog.overload,
    shortage: () => room.shortage,
    index,
    labels,
    models,
    metrics,
    maxAheadMs,
    logger,
    tokens,
    names,
    health,
    notReady,
    scrape: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  });

  async function stop(): Promise<void> {
    // First stop taking anything new; then what is under way reaches Kafka.
    index.stop();
    labels.stop();
    backlog.stop();
    wholeBacklog.stop();
    room.stop();
    cutter.stop();
    await Promise.all([http.close(), doors.stop()]);
    await Promise.all([
      httpWriter.close(),
      doorWriter.close(),
      readers?.stop(),
      labelReader?.stop(),
      modelsReader?.stop(),
      lag.close(),
      waiting.close(),
      logDirs.close(),
      brokerLogs.close(),
    ]);
    logger.info("stopped");
  }
  stopOnSignal({ stop, limitMs: SHUTDOWN_LIMIT_MS, late: () => logger.error("not all requests ended in time") });

  await listenAlone(http, port, host);
  logger.info({ host, port, brokers }, "listening");
  await Promise.all([doorWriter.connect(), httpWriter.connect()]);
  connected = true;
  backlog.start();
  wholeBacklog.start();
  room.start();
  cutter.start();
  /** What is taken before it is known what will score it would be scored by something else. */
  const openDoors = async (): Promise<void> => {
    modelsReader = await followModels(brokers, models, onError);
    await modelsReader.caughtUp;
    await doors.start();
  };
  await Promise.all([
    openDoors(),
    followDecisions(brokers, index, keepDecisions, onError).then((following) => (readers = following)),
    followLabels(brokers, labels, keepDecisions, onError).then((following) => (labelReader = following)),
  ]);
}

await runServer("the intake", main);
