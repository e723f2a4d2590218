import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { RawRecord } from "../../contract/raw-record.js";
import { TOPICS } from "../../contract/topics.js";
import { accountCounterOf } from "../../functions/addresses.js";
import { fraudFunctions } from "../../functions/fraud-functions.js";
import { logicVersion, parseSettings } from "../../functions/settings.js";
import { parseModel } from "../../functions/transaction-scorer/model.js";
import { partitionOf } from "../../kafka/partition.js";
import { labels, type Run, transaction } from "../../loadtest/k6/traffic.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { FraudLabel, Transaction, Verdict } from "../../protos/gen/fraud/v1/transaction.js";
import { Any } from "../../protos/gen/google/protobuf/any.js";
import { TestRuntime } from "../../statefun/testing/test-runtime.js";

/** Transactions that are under way together, so that they overtake each other. */
const TOGETHER = 25;
/**
 * How many transactions come between two steps of virtual time, in which timers close episodes and remove old frauds.
 */
const ADVANCE_EVERY = 5_000;
const ADVANCE_MS = 60_000;
/** 2026-01-01T00:00Z. */
const START_MS = 1_767_225_600_000;

/** Transactions that are really decided; more of them are these again, under other names. */
const BLOCK = 50_000;
/** Of all, however many blocks. */
const ACCOUNTS = 5_000;
const MERCHANTS = 500;
/** In every name, and as long in each block. */
const nameOf = (block: number): string => `bench~${String(block).padStart(6, "0")}`;

/** Decided records, and how many transactions are behind them. */
export interface DecidedRecords {
  readonly transactions: number;
  readonly records: Generator<RawRecord>;
}

/**
 * What the topics would hold after a load of k6's traffic: the records that enter, and those that the functions
 * themselves, run in memory, make of them.
 *
 * @param atLeast - how many transactions
 */
export async function decidedRecords(atLeast: number, onProgress: (line: string) => void): Promise<DecidedRecords> {
  const blocks = Math.ceil(atLeast / BLOCK);
  const transactions = Math.ceil(atLeast / blocks);
  const records = await decide(
    {
      runId: nameOf(0),
      accounts: Math.ceil(ACCOUNTS / blocks),
      merchants: Math.ceil(MERCHANTS / blocks),
      startMs: START_MS,
    },
    transactions,
    onProgress,
  );
  return { transactions: blocks * transactions, records: renamed(records, blocks) };
}

/** What was written to a topic, not yet anywhere. */
type Written = Pick<RawRecord, "topic"> & { readonly key: string; readonly value: Buffer };

function* renamed(records: readonly Written[], blocks: number): Generator<RawRecord> {
  const offsets = new Map<string, bigint>();
  const before = Buffer.from(nameOf(0));
  for (let block = 0; block < blocks; block++) {
    const name = nameOf(block);
    for (const record of records) {
      const key = record.key.replace(nameOf(0), name);
      const value = Buffer.from(record.value);
      // A name of the same length: the bytes around it mean what they did.
      for (let at = value.indexOf(before); at >= 0; at = value.indexOf(before, at + before.length))
        value.write(name, at);
      const partition = partitionOf(key, TOPICS.decisions.partitions);
      const partitionName = `${record.topic} ${partition}`;
      const offset = offsets.get(partitionName) ?? 0n;
      offsets.set(partitionName, offset + 1n);
      yield { topic: record.topic, partition, offset, timestampMs: START_MS, key: Buffer.from(key), value };
    }
  }
}

async function decide(run: Run, transactions: number, onProgress: (line: string) => void): Promise<Written[]> {
  const settings = parseSettings({});
  const dependencies = {
    settings,
    model: parseModel(readFileSync(join(REPOSITORY_ROOT, "models/points-v1.json"))),
    logicVersion: logicVersion(settings),
    metrics: { count: () => undefined, waiting: () => undefined, decided: () => undefined, alerted: () => undefined },
    now: () => BigInt(START_MS),
  };
  const runtime = new TestRuntime(fraudFunctions(dependencies), { seed: 1 });
  const records: Written[] = [];
  const put = (topic: string, key: string, value: Uint8Array): void =>
    void records.push({ topic, key, value: Buffer.from(value) });
  const take = (): void => {
    for (const { topic, key, value } of runtime.takeKafka())
      put(topic, key, Any.encode({ typeUrl: value.typeUrl, value: Buffer.from(value.value) }).finish());
  };
  for (let n = 0; n < transactions; n++) {
    const entered = enteredTransaction(run, n);
    put(TOPICS.transactionsValid.name, entered.accountId, Transaction.encode(entered).finish());
    runtime.ingress(accountCounterOf(entered.accountId), Transaction, entered);
    for (const label of enteredLabels(run, n)) {
      put(TOPICS.labelsValid.name, label.accountId, FraudLabel.encode(label).finish());
      runtime.ingress(accountCounterOf(label.accountId), FraudLabel, label);
    }
    if (n % TOGETHER === 0) await runtime.run();
    if (n % ADVANCE_EVERY === 0) await runtime.advance(ADVANCE_MS);
    take();
    if (n % ADVANCE_EVERY === 0) onProgress(`${n.toLocaleString("en")} decided`);
  }
  await runtime.advance(ADVANCE_MS);
  take();
  return records;
}

/** As the intake stamps it; the content hash is any that tells transactions apart. */
function enteredTransaction(run: Run, n: number): Transaction {
  const { amountMinor, eventTimeMs, ...rest } = transaction(run, n);
  return Transaction.fromPartial({
    ...rest,
    amountMinor: BigInt(amountMinor),
    eventTimeMs: BigInt(eventTimeMs),
    contentHash: createHash("md5").update(rest.transactionId).digest(),
  });
}

function enteredLabels(run: Run, n: number): FraudLabel[] {
  return labels(run, n).map(({ verdict, eventTimeMs, effectiveAtMs, ...rest }) =>
    FraudLabel.fromPartial({
      ...rest,
      eventTimeMs: BigInt(eventTimeMs),
      effectiveAtMs: BigInt(effectiveAtMs),
      verdict: verdict === "FRAUD" ? Verdict.FRAUD : Verdict.LEGITIMATE,
    }),
  );
}
