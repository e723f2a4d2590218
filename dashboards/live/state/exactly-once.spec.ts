import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ExactlyOnce } from "./exactly-once.js";

const GRACE = { graceMs: 5_000, overdueMs: 60_000 };
const at = (nowMs: number) => ({ takenAtMs: nowMs, nowMs });

describe("ExactlyOnce", () => {
  it("counts what is sent and decided, and how long it took", () => {
    const counter = new ExactlyOnce(GRACE);
    counter.onSent("a", "t1", at(1_000));
    expect(counter.counts(1_000)).toMatchObject({ sent: 1, decided: 0, waiting: 1 });
    expect(counter.onVisible("a", "t1", 1_040)).toBe(40);
    expect(counter.onVisible("a", "t1", 1_050)).toBeUndefined();
    expect(counter.onDecided("a", "t1", 1n, { nowMs: 2_000 })).toBe(1_000);
    expect(counter.counts(2_000)).toEqual({
      sent: 1,
      decided: 1,
      duplicates: 0,
      missing: 0,
      waiting: 0,
      rejected: 0,
      forgotten: 0,
    });
  });

  it("calls a second decision a duplicate, under its own number or another", () => {
    const counter = new ExactlyOnce(GRACE);
    counter.onSent("a", "t1", at(0));
    counter.onDecided("a", "t1", 1n, { nowMs: 1 });
    counter.onDecided("a", "t1", 1n, { nowMs: 2 });
    counter.onDecided("a", "t1", 2n, { nowMs: 3 });
    expect(counter.counts(3)).toMatchObject({ sent: 1, decided: 1, duplicates: 2 });
  });

  it("calls a second decision no duplicate when it is marked: the account had forgotten the first", () => {
    const counter = new ExactlyOnce(GRACE);
    counter.onSent("a", "t1", at(0));
    counter.onDecided("a", "t1", 1n, { nowMs: 1 });
    counter.onSent("a", "t1", at(2));
    counter.onDecided("a", "t1", 400n, { nowMs: 3, possibleRepeat: true });
    expect(counter.counts(3)).toMatchObject({ sent: 1, decided: 1, duplicates: 0, missing: 0, waiting: 0 });
    counter.onDecided("a", "t1", 400n, { nowMs: 4, possibleRepeat: true });
    expect(counter.counts(4)).toMatchObject({ duplicates: 1 });
  });

  it("calls a number that is given twice a duplicate", () => {
    const counter = new ExactlyOnce(GRACE);
    for (const id of ["t1", "t2"]) counter.onSent("a", id, at(0));
    counter.onDecided("a", "t1", 1n, { nowMs: 1 });
    counter.onDecided("a", "t2", 1n, { nowMs: 2 });
    expect(counter.counts(2)).toMatchObject({ decided: 2, duplicates: 1 });
  });

  it("misses what a later one of its account passed, once it cannot have been refused", () => {
    const counter = new ExactlyOnce(GRACE);
    for (const id of ["t1", "t2"]) counter.onSent("a", id, at(0));
    counter.onSent("b", "t1", at(0));
    counter.onDecided("a", "t2", 1n, { nowMs: 1_000 });
    expect(counter.counts(2_000).missing).toBe(0);
    expect(counter.counts(7_000).missing).toBe(1);
    counter.onRejected("a", "t1");
    expect(counter.counts(7_000)).toMatchObject({ missing: 0, rejected: 1, waiting: 1 });
  });

  it("misses what a running job does not decide, but not what waits for the job", () => {
    const counter = new ExactlyOnce(GRACE);
    counter.onJob(true, 0);
    counter.onSent("a", "t1", at(0));
    expect(counter.counts(59_000).missing).toBe(0);
    expect(counter.counts(61_000).missing).toBe(1);
    counter.onJob(false, 62_000);
    counter.onJob(true, 70_000);
    expect(counter.counts(80_000).missing).toBe(0);
    counter.onDecided("a", "t1", 1n, { nowMs: 81_000 });
    expect(counter.counts(200_000)).toMatchObject({ missing: 0, decided: 1 });
  });

  it("takes a repetition in the topic, which the account counter drops, for the one transaction that it is", () => {
    const counter = new ExactlyOnce(GRACE);
    counter.onSent("a", "t1", at(0));
    counter.onSent("a", "t1", at(5));
    counter.onDecided("a", "t1", 1n, { nowMs: 10 });
    counter.onSent("a", "t1", at(20));
    expect(counter.counts(100_000)).toMatchObject({ sent: 1, decided: 1, waiting: 0, missing: 0 });
  });

  it("does not count what was there before it", () => {
    const counter = new ExactlyOnce(GRACE);
    counter.onSent("a", "old", { ...at(0), earlier: true });
    counter.onDecided("a", "older", 7n, { nowMs: 0, earlier: true });
    counter.onDecided("a", "old", 8n, { nowMs: 5 });
    expect(counter.counts(5)).toEqual({
      sent: 0,
      decided: 0,
      duplicates: 0,
      missing: 0,
      waiting: 0,
      rejected: 0,
      forgotten: 0,
    });
    counter.onDecided("a", "old", 9n, { nowMs: 6 });
    counter.onDecided("a", "older", 10n, { nowMs: 7 });
    expect(counter.counts(7).duplicates).toBe(2);
  });

  it("does not mind a decision that is read before its transaction", () => {
    const counter = new ExactlyOnce(GRACE);
    counter.onDecided("a", "t1", 1n, { nowMs: 0 });
    counter.onSent("a", "t1", at(1));
    expect(counter.counts(100_000)).toMatchObject({ sent: 1, decided: 1, duplicates: 0, missing: 0, waiting: 0 });
  });

  it("forgets the oldest beyond its bound, and says so", () => {
    const counter = new ExactlyOnce({ ...GRACE, remembered: 10 });
    for (let n = 0; n < 15; n++) counter.onSent("a", `t${n}`, at(n));
    expect(counter.counts(20)).toMatchObject({ sent: 15, waiting: 10, forgotten: 5 });
  });

  it("ends at nothing missing and nothing twice, however accounts interleave, and finds each fault", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(4), { minLength: 5, maxLength: 60 }),
        fc.nat(1_000),
        fc.constantFrom("none", "drop", "repeat"),
        (accounts, pick, fault) => {
          const counter = new ExactlyOnce(GRACE);
          counter.onJob(true, 0);
          const seqs = new Map<number, bigint>();
          const target = pick % accounts.length;
          accounts.forEach((account, n) => counter.onSent(`a${account}`, `t${n}`, at(0)));
          accounts.forEach((account, n) => {
            const seq = (seqs.get(account) ?? 0n) + 1n;
            if (fault === "drop" && n === target) return;
            seqs.set(account, seq);
            counter.onDecided(`a${account}`, `t${n}`, seq, { nowMs: 10 });
            if (fault === "repeat" && n === target) counter.onDecided(`a${account}`, `t${n}`, seq, { nowMs: 11 });
          });
          const { missing, duplicates } = counter.counts(100_000);
          expect({ missing, duplicates }).toEqual({
            missing: fault === "drop" ? 1 : 0,
            duplicates: fault === "repeat" ? 1 : 0,
          });
        },
      ),
    );
  });
});
