import { describe, expect, it } from "vitest";

import { ACCOUNT_COUNTER } from "../../../contract/function-names.js";
import { accountCounterOf } from "../../../functions/addresses.js";
import { fraudFunctions } from "../../../functions/fraud-functions.js";
import { sampleDependencies, sampleLabel, sampleTransaction, START_MS } from "../../../functions/testing/samples.js";
import { FraudLabel, Transaction } from "../../../protos/gen/fraud/v1/transaction.js";
import { Any } from "../../../protos/gen/google/protobuf/any.js";
import { TestRuntime } from "../../../statefun/testing/test-runtime.js";
import { OfficialRuntime } from "../testing/run-official.js";
import { officialFunctions } from "./official-functions.js";

/** Eight in a burst: with the sample model the fifth is suspicious. */
const TRANSACTIONS = Array.from({ length: 8 }, (_, n) =>
  sampleTransaction({ transactionId: `t-${n}`, eventTimeMs: START_MS + BigInt(n) * 1_000n, merchantId: `m-${n % 2}` }),
);
const LABEL = sampleLabel({ transactionId: "t-1", merchantId: "m-1" });

describe("the four functions on Apache's SDK", () => {
  it("write the same bytes as on ours", async () => {
    const ours = new TestRuntime(fraudFunctions(sampleDependencies()), { seed: 1, maxBatch: 1 });
    const theirs = new OfficialRuntime(officialFunctions(sampleDependencies()));
    for (const transaction of TRANSACTIONS) {
      ours.ingress(accountCounterOf("a"), Transaction, transaction);
      theirs.ingress(ACCOUNT_COUNTER, "a", Transaction, transaction);
      // One after the other, so that a merchant has them in the same order.
      await ours.run();
      await theirs.run();
    }
    ours.ingress(accountCounterOf("a"), FraudLabel, LABEL);
    theirs.ingress(ACCOUNT_COUNTER, "a", FraudLabel, LABEL);
    await ours.run();
    await theirs.run();

    for (const [topic, records] of [
      ["decisions", 8],
      ["alerts", 1],
      ["evidence", 2],
    ] as const) {
      const written = theirs.written.filter((record) => record.topic === topic);
      expect(written.length).toBeGreaterThanOrEqual(records);
      expect(written.map(({ value }) => value.toString("hex"))).toEqual(
        ours
          .kafka(topic)
          .slice(0, written.length)
          .map(({ value: { typeUrl, value } }) =>
            Buffer.from(Any.encode({ typeUrl, value: Buffer.from(value) }).finish()).toString("hex"),
          ),
      );
    }
  });
});
