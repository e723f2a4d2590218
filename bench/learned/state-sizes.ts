import { ACCOUNT_COUNTER, MERCHANT_MODEL } from "../../contract/function-names.js";
import { quantileOfSorted } from "../../contract/quantile.js";
import { HANDBOOK_YARDSTICK, PLACES_YARDSTICK } from "../../evaluation/stream/yardstick.js";
import { accountCounterOf } from "../../functions/addresses.js";
import { handbookDataSet, type HandbookDataSet } from "../../ingress-generator/handbook/data-set.js";
import { handbookItems } from "../../ingress-generator/handbook/items.js";
import { placesDataSet } from "../../ingress-generator/handbook-places/data-set.js";
import { FraudLabel, Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { thisMachine, writeJsonReport } from "../../terminal/json-report.js";
import { stepView } from "../../terminal/step-view.js";
import { LearnedFunctions, sentTo } from "./learned-functions.js";

export interface StateSizesOptions {
  readonly dataSet: "handbook" | "places";
}

/** How large the states of a function's addresses are, in bytes. */
export interface StateSizes {
  readonly addresses: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly all: number;
}

/**
 * How large the state of each account and merchant is after a whole data set, with the settings that it is evaluated
 * with. Writes `reports/bench-learned-state.json`.
 */
export async function benchStateSizes({ dataSet }: StateSizesOptions, signal: AbortSignal): Promise<void> {
  const step = stepView();
  const places = dataSet === "places";
  const data = await step("data set", () => Promise.resolve(places ? placesDataSet() : handbookDataSet()));
  const { settings } = places ? PLACES_YARDSTICK : HANDBOOK_YARDSTICK;
  const functions = new LearnedFunctions(settings);
  await step("transactions and labels", (progress) => takeIn(functions, data, progress, signal));
  const figures = {
    account: sizesOf(functions.stateBytes(ACCOUNT_COUNTER)),
    merchant: sizesOf(functions.stateBytes(MERCHANT_MODEL)),
  };
  for (const [name, { addresses, p50, p99, max }] of Object.entries(figures))
    process.stdout.write(
      `${name}: ${addresses} states, bytes of the median ${p50}, of the 99th percentile ${p99}, of the largest ${max}\n`,
    );
  writeJsonReport("reports/bench-learned-state.json", { machine: thisMachine(), dataSet, settings, figures });
}

/** Each item in the order of its time, from the account counter on to the merchant model. */
async function takeIn(
  functions: LearnedFunctions,
  data: HandbookDataSet,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let items = 0;
  for (const { kind, message } of handbookItems(data, { runId: "r" })) {
    if (items++ % 50_000 === 0) {
      signal.throwIfAborted();
      progress(`${items - 1} of ${data.seconds.length} and the labels`);
    }
    const account = accountCounterOf(message.accountId);
    const sent = await functions.deliver(
      kind === "label" ? sentTo(account, FraudLabel, message) : sentTo(account, Transaction, message),
    );
    for (const next of sent) if (next.typename === MERCHANT_MODEL) await functions.deliver(next);
  }
}

/** @param sorted - ascending, at least one */
export function sizesOf(sorted: readonly number[]): StateSizes {
  const values = Float64Array.from(sorted);
  const quantile = (share: number): number => quantileOfSorted(values, share)!;
  return {
    addresses: sorted.length,
    p50: quantile(0.5),
    p99: quantile(0.99),
    max: quantile(1),
    all: sorted.reduce((sum, bytes) => sum + bytes, 0),
  };
}
