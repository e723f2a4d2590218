import { describe, expect, it } from "vitest";

import { Decision } from "../../protos/gen/fraud/v1/decision.js";
import { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { Any } from "../../protos/gen/google/protobuf/any.js";
import { HopMeter, timingOf } from "./hops.js";

/** Each transaction is due a second after the one before. */
const load = { dueAtMs: (n: number) => n * 1_000 };

/** Counted 10 ms after it was due, at its merchant 2 ms later, scored 3 ms later. */
function decisionOn(n: number): Buffer {
  const due = BigInt(n) * 1_000n;
  const decision = Decision.fromPartial({
    evidence: { transaction: { transactionId: `load-${n}`, accountId: "a" } },
    timing: { countedAtMs: due + 10n, merchantAtMs: due + 12n, scoredAtMs: due + 15n },
  });
  return Buffer.from(
    Any.encode({
      typeUrl: "type.googleapis.com/fraud.v1.Decision",
      value: Buffer.from(Decision.encode(decision).finish()),
    }).finish(),
  );
}

describe("latencies by hop", () => {
  it("add up to when a decision is committed", () => {
    const meter = new HopMeter(load, 0);
    for (let n = 0; n < 100; n++) {
      meter.onVisible(decisionOn(n), n * 1_000 + 20);
      meter.onCommitted(decisionOn(n), n * 1_000 + 520);
    }
    const each = (p50: number) => ({ p50, p99: p50 });
    expect(meter.figures()).toEqual({
      decisions: 100,
      firstVisibleMs: each(20),
      committedMs: each(520),
      hopsMs: { counted: each(10), merchant: each(2), scored: each(3), visible: each(5), committed: each(500) },
    });
  });

  it("have the intake's where it was seen, whatever is seen first", () => {
    const meter = new HopMeter(load, 0);
    for (let n = 0; n < 10; n++) {
      const transaction = Transaction.fromPartial({ transactionId: `load-${n}`, accountId: "a" });
      meter.onVisible(decisionOn(n), n * 1_000 + 20);
      meter.onAdmitted(Buffer.from(Transaction.encode(transaction).finish()), n * 1_000 + 4);
      meter.onCommitted(decisionOn(n), n * 1_000 + 520);
    }
    expect(meter.figures()!.hopsMs).toMatchObject({ admitted: { p50: 4 }, counted: { p50: 6 }, merchant: { p50: 2 } });
  });

  it("are of transactions that were due within the time, each seen the first time", () => {
    const meter = new HopMeter(load, 2_000);
    meter.end(4_000);
    for (const n of [1, 2, 3, 3, 4]) meter.onVisible(decisionOn(n), n * 1_000 + 30);
    for (const n of [1, 2, 3, 4]) meter.onCommitted(decisionOn(n), n * 1_000 + 600);
    expect(meter.figures()).toMatchObject({ decisions: 2, firstVisibleMs: { p50: 30, p99: 30 } });
  });

  it("are none without decisions", () => {
    expect(new HopMeter(load, 0).figures()).toBeUndefined();
  });

  it("come from the times that the functions have stamped", () => {
    expect(timingOf(decisionOn(7))).toEqual({ countedAtMs: 7_010, merchantAtMs: 7_012, scoredAtMs: 7_015 });
  });
});
