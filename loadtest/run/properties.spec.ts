import { describe, expect, it } from "vitest";

import type { RawRecord } from "../../cluster/index.js";
import { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { placeOf, type VerifiedRecords } from "../verify/records.js";
import { abortedHidden, contentOf, everyAcknowledged, kafkajsAgrees, noneRejected, readersAgree } from "./properties.js";

const record = (offset: number, value = `value ${offset}`): RawRecord => ({ topic: "decisions", partition: 0, offset: BigInt(offset), timestampMs: 0, key: Buffer.from("run-a1"), value: Buffer.from(value) });
const accepted = (...numbers: number[]): RawRecord[] => numbers.map((n) => ({ ...record(n), topic: "transactions.valid", value: Buffer.from(Transaction.encode(Transaction.fromPartial({ transactionId: `run-${n}` })).finish()) }));
const none: VerifiedRecords = { transactions: [], labels: [], decisions: [], evidence: [], alerts: [], rejected: [] };
const fresh = [0, 1, 2].map((offset) => record(offset));
const seen = (records: readonly RawRecord[]) => new Map(records.map((one) => [placeOf(one), contentOf(one)]));

describe("a negative control of a run's own properties", () => {
  it("misses an acknowledged transaction that is nowhere", () => {
    const acknowledged = [{ first: 0, count: 3, sentAtMs: 0, acknowledgedAtMs: 0 }];
    expect(everyAcknowledged(acknowledged, { ...none, transactions: accepted(0, 1, 2) }, "run")).toMatchObject({ checked: 3, violations: 0 });
    expect(everyAcknowledged(acknowledged, { ...none, transactions: accepted(0, 2) }, "run")).toMatchObject({ checked: 3, violations: 1, examples: [{ what: "run-1 was acknowledged, and is neither accepted nor rejected" }] });
  });

  it("sees a refused record", () => {
    expect(noneRejected({ ...none, transactions: accepted(0) }).violations).toBe(0);
    expect(noneRejected({ ...none, transactions: accepted(0), rejected: [record(0)] }).violations).toBe(1);
  });

  it("sees readers that disagree, in either direction and in content", () => {
    expect(readersAgree(seen(fresh), fresh)).toMatchObject({ checked: 3, violations: 0 });
    expect(readersAgree(seen(fresh.slice(1)), fresh).violations).toBe(1);
    expect(readersAgree(seen([...fresh, record(3)]), fresh).violations).toBe(1);
    expect(readersAgree(seen([record(0, "other"), ...fresh.slice(1)]), fresh).violations).toBe(1);
  });

  it("sees an aborted record that kafkajs delivered, and a committed one that it did not", () => {
    const positions = (records: readonly RawRecord[]) => new Set(records.map(placeOf));
    expect(kafkajsAgrees(positions(fresh), fresh, "run")).toMatchObject({ checked: 3, violations: 0 });
    expect(kafkajsAgrees(positions([...fresh, record(9)]), fresh, "run").violations).toBe(1);
    expect(kafkajsAgrees(positions(fresh.slice(1)), fresh, "run").violations).toBe(1);
  });

  it("sees that no fault hit a live transaction", () => {
    expect(abortedHidden(110, 100, true)).toMatchObject({ checked: 10, violations: 0 });
    expect(abortedHidden(100, 100, true).violations).toBe(1);
    expect(abortedHidden(100, 100, false).violations).toBe(0);
  });
});
