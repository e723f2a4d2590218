import { readFileSync } from "node:fs";
import { join } from "node:path";

import { treesFileOf } from "../../evaluation/batch/trees-of-week.js";
import { learnedFeatures, LEARNED_FEATURES } from "../../evaluation/batch/learned-features.js";
import { rowOf } from "../../evaluation/batch/features.js";
import { ALL_WEEKS, OFFICIAL_WEEK, testTransactions } from "../../evaluation/weeks.js";
import { assess, type Model, parseModel } from "../../functions/transaction-scorer/model.js";
import { handbookDataSet } from "../../ingress-generator/handbook/data-set.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { Evidence, Outcome } from "../../protos/gen/fraud/v1/decision.js";
import { thisMachine, writeJsonReport } from "../../terminal/json-report.js";
import { spreadOf, spreadText } from "../spread.js";

const ROUNDS = 7;
const TRANSACTIONS = 10_000;

interface Measured {
  readonly name: string;
  readonly some: readonly Evidence[];
  readonly score: (evidence: Evidence) => unknown;
  /** Of each round. */
  readonly microseconds: number[];
}

/**
 * Processor time that models take for a transaction of the Handbook's test week, from its evidence to its score; in
 * turns. Writes `reports/bench-scoring.json`.
 */
export function benchScoring(signal: AbortSignal): void {
  const all = evidenceOfTestWeek();
  const points = parseModel(readFileSync(join(REPOSITORY_ROOT, "models/points-v1.json")));
  const [champion, challenger] = [OFFICIAL_WEEK, ALL_WEEKS[0]!].map((week) =>
    parseModel(readFileSync(treesFileOf(week))),
  );
  const suspicious = all.filter((one) => assess(champion!, one).outcome !== Outcome.APPROVE);
  const by = (name: string, some: readonly Evidence[], ...models: readonly [Model, boolean][]): Measured => ({
    name,
    some,
    score: (evidence) => models.map(([model, explained]) => assess(model, evidence, explained)),
    microseconds: [],
  });
  const measured = [
    by("points-v1", all, [points, true]),
    by("trees", all, [champion!, true]),
    by("trees beside a challenger of trees", all, [champion!, true], [challenger!, false]),
    by("trees, suspicious only, without contributions", suspicious, [champion!, false]),
    by("trees, suspicious only, with contributions", suspicious, [champion!, true]),
  ];
  for (let round = -1; round < ROUNDS; round++)
    for (const { some, score, microseconds } of measured) {
      signal.throwIfAborted();
      const repeats = Math.ceil(TRANSACTIONS / some.length);
      const before = process.cpuUsage();
      for (let n = 0; n < repeats; n++) for (const evidence of some) score(evidence);
      const { user, system } = process.cpuUsage(before);
      // The first round is for the compiler.
      if (round >= 0) microseconds.push((user + system) / (repeats * some.length));
    }
  process.stdout.write(`${all.length} transactions, ${suspicious.length} of them suspicious\n`);
  for (const { name, microseconds } of measured)
    process.stdout.write(`${name}: ${spreadText(spreadOf(microseconds), 1)} µs\n`);
  writeJsonReport("reports/bench-scoring.json", {
    machine: thisMachine(),
    transactions: all.length,
    suspicious: suspicious.length,
    figures: measured.map(({ name, microseconds }) => ({ name, microseconds })),
  });
}

/** As far as models look at it, of the first transactions. */
function evidenceOfTestWeek(): Evidence[] {
  const data = handbookDataSet();
  const test = [...testTransactions(data, OFFICIAL_WEEK)].slice(0, TRANSACTIONS);
  const features = learnedFeatures(data, { from: test[0]!, to: test.at(-1)! + 1 });
  return test.map((at) => {
    const row = rowOf(features, at);
    const groups: Record<string, Record<string, bigint | number>> = { account: {}, merchant: {} };
    for (const [n, name] of LEARNED_FEATURES.entries()) {
      const [group, field] = name.split(".");
      if (field === undefined) continue;
      const property = field.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
      groups[group!]![property] = row[n]!;
    }
    return Evidence.fromPartial({
      transaction: { amountMinor: BigInt(row[0]!) },
      account: { features: groups.account! },
      merchant: { features: groups.merchant! },
    });
  });
}
