import { describe, expect, it } from "vitest";

import { FraudLabel, Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { TestRuntime } from "../../statefun/testing/test-runtime.js";
import { accountCounterOf } from "../addresses.js";
import { fraudFunctions } from "../fraud-functions.js";
import { written } from "../testing/outcome.js";
import { sampleDependencies, sampleLabel, sampleTransaction, START_MS } from "../testing/samples.js";

const MINUTE_MS = 60_000n;

/** The functions with learned features, that are given one input after the other. */
function pipeline(settings: object = {}) {
  const runtime = new TestRuntime(fraudFunctions(sampleDependencies({ learned: { events: 100 }, ...settings })), {
    seed: 3,
  });
  return {
    /** @returns what is known of the account and the merchant at this transaction */
    spend: async (transaction: Transaction) => {
      runtime.ingress(accountCounterOf(transaction.accountId), Transaction, transaction);
      await runtime.run();
      const { account, merchant } = written(runtime).decisions.at(-1)!.evidence!;
      return { account: account!.features!, merchant: merchant!.features! };
    },
    judge: async (label: FraudLabel): Promise<void> => {
      runtime.ingress(accountCounterOf(label.accountId), FraudLabel, label);
      await runtime.run();
    },
  };
}

const later = (minutes: bigint, fields: Partial<Transaction>): Transaction =>
  sampleTransaction({ eventTimeMs: START_MS + minutes * MINUTE_MS, ...fields });

// The rows of docs/features.md, "What happens", that are about more than one function.
describe("learned features", () => {
  it.each([
    { first: "the transaction", run: 0, lastLabel: -1 },
    { first: "the label", run: 1, lastLabel: 1 },
  ])("take a label that names another merchant in at the transaction's only after it: first $first", async (one) => {
    const { spend, judge } = pipeline();
    const transaction = sampleTransaction();
    const label = sampleLabel({ merchantId: "another" });
    if (one.first === "the transaction") {
      await spend(transaction);
      await judge(label);
    } else {
      await judge(label);
      await spend(transaction);
    }
    const there = await spend(later(60n, { transactionId: "t-2", accountId: "b" }));
    expect(there.merchant).toMatchObject({ run: one.run, lastLabel: one.lastLabel });
    const another = await spend(later(60n, { transactionId: "t-3", accountId: "b", merchantId: "another" }));
    expect(another.merchant).toMatchObject({ run: 0, lastLabel: -1 });
    const own = await spend(later(60n, { transactionId: "t-4", merchantId: "elsewhere" }));
    expect(own.account).toMatchObject({ knownFraudAgeS: 3_600n });
  });

  it("count a transaction that is decided again twice, and its label marks both", async () => {
    const { spend, judge } = pipeline({ account: { recentTransactions: 15 } });
    const transaction = sampleTransaction();
    await spend(transaction);
    for (let n = 2; n <= 20; n++) await spend(later(BigInt(n), { transactionId: `t-${n}`, merchantId: "elsewhere" }));
    expect((await spend(transaction)).account).toMatchObject({ count30d: 2 });
    await judge(sampleLabel());
    const next = await spend(later(60n, { transactionId: "t-21" }));
    expect(next).toMatchObject({ account: { count30d: 22, knownFraudAgeS: 3_600n }, merchant: { run: 2 } });
    await judge(sampleLabel({ labelId: "l-2", revision: 2, verdict: 2 }));
    expect(await spend(later(60n, { transactionId: "t-22" }))).toMatchObject({
      account: { knownFraudAgeS: 86_400_000n },
      merchant: { run: 0 },
    });
  });
});
