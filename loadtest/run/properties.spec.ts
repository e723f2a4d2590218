import { describe, expect, it } from "vitest";

import type { RawRecord } from "../../contract/raw-record.js";
import { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { contentOf, ContentTable } from "./content-table.js";
import { abortedHidden, everyAcknowledged, kafkajsAgrees, readersAgree, RunNotes } from "./properties.js";

const record = (offset: number, value = `value ${offset}`): RawRecord => ({
  topic: "decisions",
  partition: 0,
  offset: BigInt(offset),
  timestampMs: 0,
  key: Buffer.from("run-a1"),
  value: Buffer.from(value),
});
const accepted = (...numbers: number[]): RawRecord[] =>
  numbers.map((n) => ({
    ...record(n),
    topic: "transactions.valid",
    value: Buffer.from(Transaction.encode(Transaction.fromPartial({ transactionId: `run-${n}` })).finish()),
  }));
const fresh = [0, 1, 2].map((offset) => record(offset));
/** What a fresh reader that read these has noted. */
function noted(...records: readonly RawRecord[]): RunNotes {
  const notes = new RunNotes("run", 100);
  for (const one of records) notes.note(one);
  return notes;
}
function seen(records: readonly RawRecord[]): ContentTable {
  const table = new ContentTable();
  for (const one of records) table.set(one, contentOf(one));
  return table;
}

describe("a negative control of a run's own properties", () => {
  it("misses an acknowledged transaction that is nowhere", () => {
    const acknowledged = [{ first: 0, count: 3, sentAtMs: 0, acknowledgedAtMs: 0 }];
    expect(everyAcknowledged(acknowledged, noted(...accepted(0, 1, 2)), "run")).toMatchObject({
      checked: 3,
      violations: 0,
    });
    expect(everyAcknowledged(acknowledged, noted(...accepted(0, 2)), "run")).toMatchObject({
      checked: 3,
      violations: 1,
      examples: [{ what: "run-1 was acknowledged, and is neither accepted nor rejected" }],
    });
  });

  it("sees a refused record", () => {
    expect(noted(...accepted(0)).noneRejected()).toMatchObject({ checked: 1, violations: 0 });
    expect(noted(...accepted(0), { ...record(0), topic: "functions.rejected" }).noneRejected()).toMatchObject({
      checked: 1,
      violations: 1,
      examples: [{ records: ["functions.rejected 0@0"] }],
    });
  });

  it("sees readers that disagree, in either direction and in content", () => {
    const { outputs } = noted(...fresh);
    expect(readersAgree(seen(fresh), outputs)).toMatchObject({ checked: 3, violations: 0 });
    expect(readersAgree(seen(fresh.slice(1)), outputs).violations).toBe(1);
    expect(readersAgree(seen([...fresh, record(3)]), outputs).violations).toBe(1);
    expect(readersAgree(seen([record(0, "other"), ...fresh.slice(1)]), outputs).violations).toBe(1);
  });

  it("sees an aborted record that kafkajs delivered, and a committed one that it did not", () => {
    const { decisions } = noted(...fresh, { ...record(3), key: Buffer.from("other-a1") });
    expect(kafkajsAgrees(seen(fresh), decisions)).toMatchObject({ checked: 3, violations: 0 });
    expect(kafkajsAgrees(seen([...fresh, record(9)]), decisions).violations).toBe(1);
    expect(kafkajsAgrees(seen(fresh.slice(1)), decisions).violations).toBe(1);
  });

  it("sees that no fault hit a live transaction", () => {
    expect(abortedHidden(110, 100, true)).toMatchObject({ checked: 10, violations: 0 });
    expect(abortedHidden(100, 100, true).violations).toBe(1);
    expect(abortedHidden(100, 100, false).violations).toBe(0);
  });
});
