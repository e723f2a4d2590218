import { readFileSync } from "node:fs";

import { type Cluster, clusterSettings, endpoints, flinkClient, startCluster } from "../../cluster/index.js";
import { parseModel } from "../../functions/transaction-scorer/model.js";
import { parseTrees } from "../../functions/transaction-scorer/trees.js";
import type { ClusterSettings } from "../../cluster/settings.js";
import { DAY_SECONDS, HANDBOOK_DAYS, type HandbookDataSet } from "../../ingress-generator/handbook/data-set.js";
import { newRunId } from "../../ingress-generator/producer.js";
import { putInForce } from "../../models/in-force.js";
import { stampsAt } from "../../models/servers.js";
import { poll } from "../../process/poll.js";
import type { Step } from "../../terminal/steps.js";
import { ensureTools } from "../../tools/index.js";
import type { StreamedFigures } from "../report.js";
import { ALL_WEEKS, type EvaluationWeek, testDay } from "../weeks.js";
import type { StreamOutcome } from "./outcome.js";
import { type Parity, parityOf } from "./parity.js";
import { streamDataSet } from "./stream-data-set.js";
import { evaluationEnv, type Yardstick } from "./yardstick.js";

const PORT_OFFSET = 23_500;
const STAMP_MS = 60_000;

/** What was streamed, and how it went. */
export interface Streamed extends StreamedFigures {
  readonly outcome: StreamOutcome;
}

/** The trees of a week hold from its test's first day. */
export const modelOfDay =
  ({ treesOf }: Yardstick, weeks: readonly EvaluationWeek[]) =>
  (day: number): string | undefined => {
    const week = weeks.find((one) => testDay(one) === day);
    return week && treesOf(week);
  };

/**
 * Streams a data set through a cluster of its own, which is stopped in the end, and compares every feature and score.
 *
 * @throws {UserError} as `startCluster` does, and when nothing is decided any more
 */
export async function evaluateStream(
  data: HandbookDataSet,
  {
    yardstick,
    step,
    weeks,
    signal,
  }: { yardstick: Yardstick; step: Step; weeks: readonly EvaluationWeek[]; signal: AbortSignal },
): Promise<Streamed> {
  const settings = clusterSettings({
    name: "evaluate",
    portOffset: PORT_OFFSET,
    serverEnv: evaluationEnv(yardstick),
    checkpointIntervalMs: yardstick.checkpointIntervalMs,
  });
  let cluster: Cluster | undefined;
  try {
    await step("tools: Java, jars, MinIO", (onProgress) => ensureTools({ onProgress }));
    signal.throwIfAborted();
    cluster = await startCluster(settings, { step, restart: true, fresh: true, signal });
    const runId = newRunId();
    const brokers = endpoints(settings).kafka;
    const modelOf = modelOfDay(yardstick, weeks);
    const beganMs = Date.now();
    const outcome = await step(`the data set, run ${runId}`, (onProgress) =>
      streamDataSet(data, {
        yardstick,
        brokers,
        runId,
        modelOf,
        useModel: useModelAt(settings),
        onProgress,
        signal,
      }),
    );
    const seconds = (Date.now() - beganMs) / 1000;
    const jobRestarts = await flinkClient(settings).restarts();
    return {
      outcome,
      seconds,
      jobRestarts,
      parity: await step("parity", () => Promise.resolve(parityWith(yardstick, data, outcome, modelOf))),
    };
  } finally {
    if (cluster !== undefined) await step("stopping", () => cluster!.stop());
  }
}

/**
 * Puts a model file in force, and waits until the intake stamps it.
 *
 * @param challenger - the file of a model that scores beside it from then on
 */
export function useModelAt(settings: ClusterSettings, challenger?: string): (file: string) => Promise<void> {
  const { kafka, intake } = endpoints(settings);
  const beside = challenger === undefined ? undefined : parseModel(readFileSync(challenger));
  return async (file) => {
    const { id, hash } = parseModel(readFileSync(file));
    const inForce = {
      modelHash: Buffer.from(hash),
      modelId: id,
      challengerHash: Buffer.from(beside?.hash ?? []),
      challengerId: beside?.id ?? "",
      note: "of the days that follow in the evaluation",
    };
    await putInForce(kafka, inForce);
    await poll(`the intake to stamp ${id}`, () => stampsAt(intake, inForce), { timeoutMs: STAMP_MS });
  };
}

/**
 * Compares everything that was streamed with what the data set says, and what scored it with what should have.
 *
 * @param modelOf - the model from a day on, as it was streamed; before the first one the servers' own default scores
 */
export function parityWith(
  { names, batch, treesOf }: Yardstick,
  data: HandbookDataSet,
  outcome: StreamOutcome,
  modelOf: (day: number) => string | undefined,
): Parity {
  const files = Array.from({ length: HANDBOOK_DAYS }, (_, day) => modelOf(day));
  let holds = treesOf(ALL_WEEKS[0]!);
  const ofDay = files.map((file) => (holds = file ?? holds));
  const trees = new Map([...new Set(ofDay)].map((file) => [file, parseTrees(readFileSync(file, "utf8"))]));
  return parityOf({
    names,
    stream: outcome.features,
    batch: batch(data, { from: 0, to: data.seconds.length }),
    margins: outcome.margins,
    scoredBy: (at) => outcome.models[outcome.modelOf[at]!] ?? "",
    model: (at) => trees.get(ofDay[Math.floor(data.seconds[at]! / DAY_SECONDS)]!)!,
  });
}
