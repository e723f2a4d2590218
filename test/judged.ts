import { expect } from "vitest";

import { checkRun } from "../demo/check.js";
import type { FlinkClient } from "../flink/flink.js";
import type { TopicOffsets } from "../kafka/offsets.js";
import { poll } from "../process/poll.js";
import { knownInputs } from "../verifier/known.js";
import { readBack } from "../verifier/read.js";
import { verifyStored } from "../verifier/verify.js";
import { PATIENCE_MS } from "./patience.js";

/** The transactions of a run, and where the topics ended before it. */
export interface Run {
  readonly brokers: string;
  readonly runId: string;
  readonly starts: TopicOffsets;
  readonly flink: FlinkClient;
}

/** Waits until so many of a run are decided, and expects that these are all, each once and in order. */
export async function expectDecidedOnce({ brokers, runId, starts, flink }: Run, accepted: number): Promise<void> {
  const judged = async () => (await checkRun(brokers, runId, starts)).judgement;
  await poll("every decision", async () => (await judged()).decisions >= accepted, {
    timeoutMs: PATIENCE_MS,
    intervalMs: 2_000,
  });
  await flink.waitForCheckpoints(2, PATIENCE_MS);
  expect(await judged()).toMatchObject({
    accepted,
    decisions: accepted,
    missing: 0,
    duplicates: 0,
    outOfOrder: 0,
    violations: [],
  });
}

/** Expects that every record that stands in the topics is right, none missing and none twice. */
export async function expectStoredToBeRight(brokers: string): Promise<void> {
  const { records } = await readBack(brokers);
  try {
    const { duplicates, missing, properties } = await verifyStored(records, knownInputs());
    expect({ duplicates, missing, broken: properties.filter(({ violations }) => violations > 0) }).toEqual({
      duplicates: 0,
      missing: 0,
      broken: [],
    });
  } finally {
    records.close();
  }
}
