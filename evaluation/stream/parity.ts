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

/** What was streamed, and what it is compared with. */
export interface Compared {
  /** Of the features, in the order of the columns. */
  readonly names: readonly string[];
  readonly stream: FeatureMatrix;
  readonly batch: FeatureMatrix;
  /** What the stream scored. */
  readonly margins: Float64Array;
  /** The id of the model that scored a transaction. */
  readonly scoredBy: (transaction: number) => string;
  /** The one that should have. */
  readonly model: (transaction: number) => Pick<TreesModel, "id" | "trees">;
}

/** Compares every feature, the model, and the score by the batch features, of every transaction. */
export function parityOf({ names, stream, batch, margins, scoredBy, model }: Compared): Parity {
  const first: string[] = [];
  let mismatches = 0;
  const differs = (at: number, name: string, found: number | string, expected: number | string): void => {
    if (mismatches++ < SHOWN) first.push(`transaction ${at}: ${name} is ${found}, not ${expected}`);
  };
  for (let at = 0; at < margins.length; at++) {
    const [found, expected] = [rowOf(stream, at), rowOf(batch, at)];
    for (const [column, name] of names.entries())
      if (found[column] !== expected[column]) differs(at, name, found[column]!, expected[column]!);
    const { id, trees } = model(at);
    if (scoredBy(at) !== id) differs(at, "the model", scoredBy(at) || "none", id);
    const margin = marginOf(trees, expected);
    if (margin !== margins[at]) differs(at, `the margin of ${id}`, margins[at]!, margin);
  }
  return { features: names.length, transactions: margins.length, mismatches, first };
}
