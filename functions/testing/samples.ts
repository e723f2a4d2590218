import { FraudLabel, Transaction, Verdict } from "../../protos/gen/fraud/v1/transaction.js";
import type { CounterName, Dependencies } from "../dependencies.js";
import { logicVersion, parseSettings } from "../settings.js";
import { type Model, parseModel } from "../transaction-scorer/model.js";

/** 2026-01-01T00:00Z in ms. */
export const START_MS = 1_767_225_600_000n;

let lastHash = 0;

/** A valid transaction of account `a` at merchant `m`; its content hash is another one each time unless given. */
export function sampleTransaction(fields: Partial<Transaction> = {}): Transaction {
  const contentHash = Buffer.alloc(16);
  contentHash.writeUInt32BE(++lastHash);
  return {
    ...Transaction.fromPartial({
      transactionId: "t-1",
      accountId: "a",
      merchantId: "m",
      amountMinor: 1000n,
      currency: "EUR",
      eventTimeMs: START_MS,
      contentHash,
    }),
    ...fields,
  };
}

/** A first verdict "fraud" on transaction `t-1` of account `a` at merchant `m`. */
export function sampleLabel(fields: Partial<FraudLabel> = {}): FraudLabel {
  return {
    ...FraudLabel.fromPartial({
      labelId: "l-1",
      accountId: "a",
      transactionId: "t-1",
      merchantId: "m",
      eventTimeMs: START_MS,
      effectiveAtMs: START_MS + 1000n,
      revision: 1,
      verdict: Verdict.FRAUD,
    }),
    ...fields,
  };
}

/** A model with one rule: from five transactions in the velocity window on, review; from eight on, decline. */
export function sampleModel(): Model {
  return parseModel(
    Buffer.from(
      JSON.stringify({
        id: "sample",
        kind: "points",
        description: "",
        reviewAt: 400,
        declineAt: 700,
        rules: [
          { code: "FIVE", description: "", points: 400, when: [{ feature: "account.velocity_count", atLeast: 5 }] },
          { code: "EIGHT", description: "", points: 300, when: [{ feature: "account.velocity_count", atLeast: 8 }] },
        ],
      }),
    ),
  );
}

/** Dependencies for a spec: default settings merged with `settings`, and counters to look at. */
export function sampleDependencies(
  settings: unknown = {},
): Dependencies & { readonly counts: Map<CounterName, number> } {
  const counts = new Map<CounterName, number>();
  const parsed = parseSettings(settings);
  return {
    settings: parsed,
    model: sampleModel(),
    logicVersion: logicVersion(parsed),
    metrics: {
      count: (name) => counts.set(name, (counts.get(name) ?? 0) + 1),
      waiting: () => undefined,
      decided: () => undefined,
      alerted: () => undefined,
    },
    now: () => 0n,
    counts,
  };
}
