import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { LEAF_UNIT, marginOf, type Tree } from "../../functions/transaction-scorer/trees.js";
import type { HandbookDataSet } from "../../ingress-generator/handbook/data-set.js";
import { Random } from "../../ingress-generator/random.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { runCommand } from "../../process/run-command.js";
import { UserError } from "../../terminal/user-error.js";
import type { PythonPackages } from "../../tools/index.js";
import { type FeatureMatrix, rowOf } from "../batch/features.js";
import { probabilityOf } from "../log-odds.js";
import { type EvaluationWeek, isKnownFraud, testDay, transactionsOf, WEEK_DAYS } from "../weeks.js";
import { greatestSwap } from "./greatest-swap.js";
import { quantised } from "./model-parts.js";

/** Chosen on the weeks whose training week begins at day 101 and 108, both before the official one; then left alone. */
const PARAMETERS = {
  objective: "binary",
  learning_rate: 0.05,
  num_leaves: 15,
  min_data_in_leaf: 50,
  feature_fraction: 0.6,
  bagging_fraction: 0.8,
  bagging_freq: 1,
  lambda_l2: 5,
  use_missing: false,
  // The same trees wherever they are trained.
  deterministic: true,
  force_row_wise: true,
  num_threads: 2,
  verbose: -1,
} as const;
const ROUNDS = 200;
const TRAINING_DAYS = 92;
/** Of the genuine transactions a quarter is learned from, each counting as four: as good, in a quarter of the time. */
const GENUINE_KEPT = 4;
/** So many transactions are scored by LightGBM too. */
const CHECKED = 100_000;
const TOLERANCE = 1e-6;
const QUANTISED_TOLERANCE = 1e-3;

export interface TrainOptions {
  readonly data: HandbookDataSet;
  readonly week: EvaluationWeek;
  /** Of {@link trainedDays} of this week at least. */
  readonly features: FeatureMatrix;
  /** Of the features' columns. */
  readonly names: readonly string[];
  readonly seed: number;
  readonly python: PythonPackages;
}

/** Trained trees of whole numbers, and by how much their probabilities are off LightGBM's at most. */
export interface Trained {
  readonly trees: readonly Tree[];
  readonly training: Readonly<Record<string, unknown>>;
  readonly trainedOn: { readonly firstDay: number; readonly lastDay: number };
  /** Before leaves are made whole numbers, and after. */
  readonly difference: number;
  readonly quantisedDifference: number;
  /** How far apart LightGBM has two, in log odds, that the written trees put into the other order, at most. */
  readonly swap: number;
}

/** The days that are learned from: those that end with the training week. */
export const trainedDays = ({ firstDay }: EvaluationWeek) => ({
  from: firstDay + WEEK_DAYS - TRAINING_DAYS,
  to: firstDay + WEEK_DAYS,
});

/**
 * Trains trees for a week by LightGBM. Fraud is what is known for fraud when the week's test begins.
 *
 * @throws {UserError} when LightGBM fails
 * @throws Error when the trees do not say here what LightGBM says
 */
export async function trainTrees({ data, week, features, names, seed, python }: TrainOptions): Promise<Trained> {
  const { from, to } = transactionsOf(data, trainedDays(week));
  const random = new Random(seed);
  const chosen: number[] = [];
  const isFraud = (at: number): boolean => isKnownFraud(data, at, testDay(week));
  for (let at = from; at < to; at++) if (isFraud(at) || random.int(1, GENUINE_KEPT) === 1) chosen.push(at);
  const folder = await mkdtemp(join(tmpdir(), "fraud-train-"));
  try {
    const write = (name: string, content: string | Uint8Array | Float64Array): Promise<void> =>
      writeFile(join(folder, name), content);
    const rows = (of: readonly number[]): Float64Array => {
      const values = new Float64Array(of.length * features.columns);
      for (const [n, at] of of.entries()) values.set(rowOf(features, at), n * features.columns);
      return values;
    };
    const checked = Array.from({ length: Math.min(CHECKED, to - from) }, (_, n) => to - 1 - n);
    const parameters = { ...PARAMETERS, seed };
    await write("task.json", JSON.stringify({ features: names, parameters, rounds: ROUNDS }));
    await write("values.bin", rows(chosen));
    await write(
      "labels.bin",
      Uint8Array.from(chosen, (at) => (isFraud(at) ? 1 : 0)),
    );
    await write(
      "weights.bin",
      Float64Array.from(chosen, (at) => (isFraud(at) ? 1 : GENUINE_KEPT)),
    );
    await write("checked.bin", rows(checked));
    const code = await runCommand(
      python.command,
      [resolve(REPOSITORY_ROOT, "models/train/train.py"), folder],
      python.env,
    );
    if (code !== 0) throw new UserError("LightGBM could not be run: see the lines above.");
    const trees = JSON.parse(await readFile(join(folder, "trees.json"), "utf8")) as Tree[];
    const bytes = await readFile(join(folder, "margins.bin"));
    const theirs = Float64Array.from(checked, (_, n) => bytes.readDoubleLE(n * 8));
    const compared = (some: readonly Tree[], unit: number): { readonly difference: number; readonly swap: number } => {
      const ours = Float64Array.from(checked, (at) => marginOf(some, rowOf(features, at)) * unit);
      const difference = ours.reduce(
        (most, margin, n) => Math.max(most, Math.abs(probabilityOf(margin) - probabilityOf(theirs[n]!))),
        0,
      );
      return { difference, swap: greatestSwap(theirs, ours) };
    };
    const whole = quantised(trees);
    const before = compared(trees, 1);
    const after = compared(whole, LEAF_UNIT);
    // Each leaf is rounded by half a unit at most: only what is nearer to each other than that may change places.
    const tie = trees.length * LEAF_UNIT;
    if (before.difference > TOLERANCE || after.difference > QUANTISED_TOLERANCE)
      throw new Error(`the trees say something else than LightGBM, by ${before.difference} and ${after.difference}`);
    if (before.swap > TOLERANCE || after.swap > tie)
      throw new Error(`the trees put in another order what LightGBM has ${before.swap} and ${after.swap} apart`);
    return {
      trees: whole,
      training: { library: "LightGBM 4.7.0", ...parameters, rounds: ROUNDS, genuineKept: `1 of ${GENUINE_KEPT}` },
      trainedOn: { firstDay: trainedDays(week).from, lastDay: trainedDays(week).to - 1 },
      difference: before.difference,
      quantisedDifference: after.difference,
      swap: after.swap,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}
