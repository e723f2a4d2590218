import { marginOf, type TreesModel } from "../../functions/transaction-scorer/trees.js";
import { type FeatureMatrix, rowOf } from "../batch/features.js";

/** How what the functions computed compares with what other code computed from the data set. */
export interface Parity {
  readonly features: number;
  readonly transactions: number;
  /** Features of transactions that differ, and scores. */
  readonly mismatches: number;
  /** The first few of them, for people. */
  readonly first: readonly string[];
}

const SHOWN = 10;

/**
 * Compares every feature, and the score by the batch features, of every transaction.
 *
 * @param modelAt - the trees that scored a transaction; `undefined`: it was scored by something else
 */
export function parityOf(
  names: readonly string[],
  stream: FeatureMatrix,
  margins: Float64Array,
  batch: FeatureMatrix,
  modelAt: (transaction: number) => Pick<TreesModel, "id" | "trees"> | undefined,
): Parity {
  const first: string[] = [];
  let mismatches = 0;
  const differs = (at: number, name: string, found: number, expected: number): void => {
    if (mismatches++ < SHOWN) first.push(`transaction ${at}: ${name} is ${found}, from the data set ${expected}`);
  };
  for (let at = 0; at < margins.length; at++) {
    const [found, expected] = [rowOf(stream, at), rowOf(batch, at)];
    for (const [column, name] of names.entries())
      if (found[column] !== expected[column]) differs(at, name, found[column]!, expected[column]!);
    const model = modelAt(at);
    if (model === undefined) differs(at, "its model", NaN, NaN);
    else {
      const margin = marginOf(model.trees, expected);
      if (margin !== margins[at]) differs(at, `the margin of ${model.id}`, margins[at]!, margin);
    }
  }
  return { features: names.length, transactions: margins.length, mismatches, first };
}
