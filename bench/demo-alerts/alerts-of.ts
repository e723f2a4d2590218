import { accountCounterOf } from "../../functions/addresses.js";
import { fraudFunctions } from "../../functions/fraud-functions.js";
import { sampleDependencies } from "../../functions/testing/samples.js";
import { written } from "../../functions/testing/outcome.js";
import type { Model } from "../../functions/transaction-scorer/model.js";
import { type FraudPattern, simulate } from "../../ingress-generator/simulator.js";
import { Outcome } from "../../protos/gen/fraud/v1/decision.js";
import { Alert_Kind } from "../../protos/gen/fraud/v1/evidence.js";
import { FraudLabel, Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { TestRuntime } from "../../statefun/testing/test-runtime.js";

/** As many as `npm run demo` has by default. */
const ACCOUNTS = 1_000;
/** 2026-01-01T00:00Z. */
const START_MS = 1_767_225_600_000;

/** What came of a demo's transactions, next to what its generator knows to be fraud. */
export interface DemoAlerts {
  readonly transactions: number;
  readonly frauds: number;
  /** To review, or declined. */
  readonly suspicious: number;
  readonly suspiciousFrauds: number;
  /** Opened or escalated. */
  readonly alerts: number;
  /** Those whose transaction is fraud. */
  readonly alertsOnFrauds: number;
  /** Of each pattern: how many frauds, and how many of them were suspicious. */
  readonly patterns: ReadonlyMap<FraudPattern, { frauds: number; suspicious: number }>;
}

/** Sends what the demo's generator makes of a seed through the functions, in memory; the same each time. */
export async function alertsOf(model: Model, seed: number, transactions: number): Promise<DemoAlerts> {
  const runtime = new TestRuntime(fraudFunctions({ ...sampleDependencies(), model }), { seed: 1 });
  const truth = new Map<string, FraudPattern>();
  let sent = 0;
  for (const item of simulate({ seed, runId: "demo", startMs: START_MS, accounts: ACCOUNTS })) {
    const { message } = item;
    const to = accountCounterOf(message.accountId);
    if (item.kind === "label") runtime.ingress(to, FraudLabel, item.message);
    else if (sent++ === transactions) break;
    else {
      if (item.fraud !== undefined) truth.set(item.message.transactionId, item.fraud);
      runtime.ingress(to, Transaction, item.message);
    }
    await runtime.run();
  }
  const records = written(runtime);
  const suspicious = records.decisions.flatMap(({ evidence }) =>
    [Outcome.REVIEW, Outcome.DECLINE].includes(evidence!.scoring!.outcome)
      ? [evidence!.transaction!.transactionId]
      : [],
  );
  const alerts = records.alerts.filter(({ kind }) => kind !== Alert_Kind.CLOSED);
  const patterns = new Map<FraudPattern, { frauds: number; suspicious: number }>();
  const found = new Set(suspicious);
  for (const [id, pattern] of truth) {
    const counts = patterns.get(pattern) ?? { frauds: 0, suspicious: 0 };
    counts.frauds++;
    if (found.has(id)) counts.suspicious++;
    patterns.set(pattern, counts);
  }
  return {
    transactions: records.decisions.length,
    frauds: truth.size,
    suspicious: suspicious.length,
    suspiciousFrauds: suspicious.filter((id) => truth.has(id)).length,
    alerts: alerts.length,
    alertsOnFrauds: alerts.filter(({ transaction }) => truth.has(transaction!.transactionId)).length,
    patterns,
  };
}
