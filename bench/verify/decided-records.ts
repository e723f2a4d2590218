import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { RawRecord } from "../../cluster/java-reader.js";
import { REPOSITORY_ROOT, TOPICS } from "../../cluster/settings.js";
import { accountCounterOf } from "../../functions/addresses.js";
import { fraudFunctions } from "../../functions/fraud-functions.js";
import { logicVersion, parseSettings } from "../../functions/settings.js";
import { parseModel } from "../../functions/transaction-scorer/model.js";
import { partitionOf } from "../../kafka/partition.js";
import { labels, type Run, transaction } from "../../loadtest/k6/traffic.js";
import { FraudLabel, Transaction, Verdict } from "../../protos/gen/fraud/v1/transaction.js";
import { Any } from "../../protos/gen/google/protobuf/any.js";
import { TestRuntime } from "../../statefun/testing/test-runtime.js";

/** Transactions that are under way together, so that they overtake each other. */
const TOGETHER = 25;
/** Virtual time passes after so many transactions: timers close episodes and remove old frauds. */
const ADVANCE_EVERY = 5_000;
const ADVANCE_MS = 60_000;

/**
 * What the topics would hold after a load of k6's traffic: the records that enter, and those that the functions themselves, run in
 * memory, make of them. Comes in pieces, each record after what it rests on.
 */
export async function* decidedRecords(run: Run, transactions: number): AsyncGenerator<RawRecord> {
  const settings = parseSettings({});
  const dependencies = {
    settings,
    model: parseModel(readFileSync(join(REPOSITORY_ROOT, "models/points-v1.json"))),
    logicVersion: logicVersion(settings),
    topics: { decisions: TOPICS.decisions.name, evidence: TOPICS.evidence.name, alerts: TOPICS.alerts.name, rejected: TOPICS.functionsRejected.name },
    metrics: { count: () => undefined, waiting: () => undefined, decided: () => undefined, alerted: () => undefined },
    now: () => BigInt(Date.now()),
  };
  const runtime = new TestRuntime(fraudFunctions(dependencies), { seed: 1 });
  const offsets = new Map<string, bigint>();
  const record = (topic: string, key: string, value: Uint8Array): RawRecord => {
    const partition = partitionOf(key, TOPICS.decisions.partitions);
    const offset = offsets.get(`${topic} ${partition}`) ?? 0n;
    offsets.set(`${topic} ${partition}`, offset + 1n);
    return { topic, partition, offset, timestampMs: Date.now(), key: Buffer.from(key), value: Buffer.from(value) };
  };
  const written = (): RawRecord[] => runtime.takeKafka().map(({ topic, key, value: { typeUrl, value } }) => record(topic, key, Any.encode({ typeUrl, value: Buffer.from(value) }).finish()));
  for (let n = 0; n < transactions; n++) {
    const entered = enteredTransaction(run, n);
    yield record(TOPICS.transactionsValid.name, entered.accountId, Transaction.encode(entered).finish());
    runtime.ingress(accountCounterOf(entered.accountId), Transaction, entered);
    for (const label of enteredLabels(run, n)) {
      yield record(TOPICS.labelsValid.name, label.accountId, FraudLabel.encode(label).finish());
      runtime.ingress(accountCounterOf(label.accountId), FraudLabel, label);
    }
    if (n % TOGETHER === 0) await runtime.run();
    if (n % ADVANCE_EVERY === 0) await runtime.advance(ADVANCE_MS);
    yield* written();
  }
  await runtime.advance(ADVANCE_MS);
  yield* written();
}

/** As the intake stamps it; the content hash is any that tells transactions apart. */
function enteredTransaction(run: Run, n: number): Transaction {
  const { amountMinor, eventTimeMs, ...rest } = transaction(run, n);
  return Transaction.fromPartial({ ...rest, amountMinor: BigInt(amountMinor), eventTimeMs: BigInt(eventTimeMs), contentHash: createHash("md5").update(rest.transactionId).digest() });
}

function enteredLabels(run: Run, n: number): FraudLabel[] {
  return labels(run, n).map(({ verdict, eventTimeMs, effectiveAtMs, ...rest }) => FraudLabel.fromPartial({ ...rest, eventTimeMs: BigInt(eventTimeMs), effectiveAtMs: BigInt(effectiveAtMs), verdict: verdict === "FRAUD" ? Verdict.FRAUD : Verdict.LEGITIMATE }));
}
