import { createHash } from "node:crypto";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { AccountState } from "../../protos/gen/fraud/v1/internal.js";
import type { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { parseSettings } from "../settings.js";
import { sampleTransaction, START_MS } from "../testing/samples.js";
import {
  alreadyRead,
  convertMemory,
  familiarity,
  possibleRepeat,
  rememberedCount,
  rememberOrigin,
  rememberTransaction,
} from "./repeats.js";

const fresh = () => AccountState.fromPartial({});
const origin = (partition: number, offset: bigint) => ({ topic: "transactions", partition, offset });

describe("recent transactions", () => {
  it("tell a repeat, a conflict and a new one apart", () => {
    const state = fresh();
    const first = sampleTransaction();
    expect(familiarity(state, first)).toBe("new");
    rememberTransaction(state, first, 32);
    expect(familiarity(state, first)).toBe("repeat");
    expect(familiarity(state, sampleTransaction())).toBe("conflict");
    expect(familiarity(state, sampleTransaction({ transactionId: "t-2" }))).toBe("new");
  });

  it("are as many as wanted, and hardly more", () => {
    const state = fresh();
    for (let n = 0; n < 40; n++) rememberTransaction(state, sampleTransaction({ transactionId: `t-${n}` }), 32);
    expect(rememberedCount(state)).toBe(32);
    expect(familiarity(state, sampleTransaction({ transactionId: "t-7" }))).toBe("new");
    expect(familiarity(state, sampleTransaction({ transactionId: "t-8" }))).toBe("conflict");
  });

  it("are at least 300 in at most 3,000 bytes, by the default", () => {
    const state = fresh();
    const { recentTransactions } = parseSettings().account;
    let most = 0;
    for (let n = 0; n < 1_000; n++) {
      rememberTransaction(
        state,
        sampleTransaction({ transactionId: `t-${n}`, eventTimeMs: START_MS + BigInt(n) }),
        recentTransactions,
      );
      expect(rememberedCount(state)).toBeGreaterThanOrEqual(Math.min(300, n + 1));
      most = Math.max(most, AccountState.encode(state).finish().length);
      if (n >= 299) expect(familiarity(state, sampleTransaction({ transactionId: `t-${n - 299}` }))).toBe("conflict");
    }
    expect(most).toBeLessThanOrEqual(3_000);
  });

  it("may be switched off", () => {
    const state = fresh();
    rememberTransaction(state, sampleTransaction(), 0);
    expect(state.remembered).toHaveLength(0);
    // Whatever comes may have been there.
    expect(possibleRepeat(state, sampleTransaction())).toBe(true);
    expect(possibleRepeat(state, sampleTransaction({ eventTimeMs: START_MS + 1n }))).toBe(false);
  });

  it("that are forgotten are told when they come again, whatever the order of their times, and others only when they are as old", () => {
    let [again, late] = [0, 0];
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 120 }),
        fc.integer({ min: 0, max: 40 }),
        (times, limit) => {
          const state = fresh();
          const known = times.map((time, n) =>
            sampleTransaction({ transactionId: `t-${n}`, eventTimeMs: START_MS + BigInt(time) }),
          );
          for (const one of known) rememberTransaction(state, one, limit);
          const forgotten = known.slice(0, known.length - rememberedCount(state));
          for (const one of known) {
            if (forgotten.includes(one)) {
              again++;
              expect([familiarity(state, one), possibleRepeat(state, one)]).toEqual(["new", true]);
            } else expect(familiarity(state, one)).toBe("repeat");
          }
          for (let time = 0n; time < 60n; time++) {
            const isAsOld = forgotten.some(({ eventTimeMs }) => eventTimeMs >= START_MS + time);
            expect(possibleRepeat(state, sampleTransaction({ eventTimeMs: START_MS + time }))).toBe(isAsOld);
            late += Number(isAsOld);
          }
        },
      ),
      { seed: 3 },
    );
    expect(Math.min(again, late)).toBeGreaterThan(100);
  });

  it("of version 2 are still known, and what it had forgotten is told by the account's latest time", () => {
    const known = Array.from({ length: 32 }, (_, n) => sampleTransaction({ transactionId: `t-${n}` }));
    const entry = ({ transactionId, contentHash }: Transaction) =>
      Buffer.concat([createHash("sha256").update(transactionId).digest().subarray(0, 8), contentHash.subarray(0, 8)]);
    const old = AccountState.fromPartial({
      seq: 100n,
      latestEventTimeMs: START_MS + 5n,
      recentTransactions: Buffer.concat(known.map(entry)),
    });
    const state = AccountState.decode(AccountState.encode(old).finish());
    convertMemory(state);
    for (const one of known) expect(familiarity(state, one)).toBe("repeat");
    expect(familiarity(state, sampleTransaction({ transactionId: "t-7" }))).toBe("conflict");
    expect(rememberedCount(state)).toBe(32);
    const late = sampleTransaction({ transactionId: "late", eventTimeMs: START_MS + 5n });
    expect([familiarity(state, late), possibleRepeat(state, late)]).toEqual(["new", true]);
    expect(possibleRepeat(state, sampleTransaction({ eventTimeMs: START_MS + 6n }))).toBe(false);
    for (let n = 0; n < 400; n++) rememberTransaction(state, sampleTransaction({ transactionId: `new-${n}` }), 300);
    expect(rememberedCount(state)).toBeGreaterThanOrEqual(300);
    expect(rememberedCount(state)).toBeLessThan(320);
    expect(state.recentTransactions).toHaveLength(0);

    // One that had forgotten nothing.
    const young = AccountState.fromPartial({
      seq: 2n,
      latestEventTimeMs: START_MS + 5n,
      recentTransactions: Buffer.concat(known.slice(0, 2).map(entry)),
    });
    convertMemory(young);
    expect(possibleRepeat(young, late)).toBe(false);
  });
});

describe("source positions", () => {
  it("recognise everything up to the highest offset of a partition", () => {
    const state = fresh();
    expect(alreadyRead(state, origin(0, 5n))).toBe(false);
    rememberOrigin(state, origin(0, 5n));
    rememberOrigin(state, origin(1, 2n));
    expect(alreadyRead(state, origin(0, 5n))).toBe(true);
    expect(alreadyRead(state, origin(0, 4n))).toBe(true);
    expect(alreadyRead(state, origin(0, 6n))).toBe(false);
    expect(alreadyRead(state, origin(1, 3n))).toBe(false);
    expect(alreadyRead(state, undefined)).toBe(false);
  });

  it("begin anew in another log, and stay known in the same one", () => {
    const state = fresh();
    const [before, after] = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)];
    rememberOrigin(state, { ...origin(0, 5n), topicId: before });
    expect(alreadyRead(state, { ...origin(0, 3n), topicId: before })).toBe(true);
    expect(alreadyRead(state, { ...origin(0, 3n), topicId: after })).toBe(false);
    rememberOrigin(state, { ...origin(0, 3n), topicId: after });
    expect(alreadyRead(state, { ...origin(0, 3n), topicId: after })).toBe(true);
    expect(alreadyRead(state, { ...origin(0, 4n), topicId: after })).toBe(false);
    expect(state.sources).toHaveLength(1);
  });

  it("begin anew where a log lost its end and was written on in a later epoch", () => {
    const state = fresh();
    const topicId = Buffer.alloc(16, 1);
    const at = (offset: bigint, leaderEpoch: number) => ({ ...origin(0, offset), topicId, leaderEpoch });
    rememberOrigin(state, at(9n, 4));
    expect(alreadyRead(state, at(7n, 5))).toBe(false);
    rememberOrigin(state, at(7n, 5));
    for (const known of [at(7n, 5), at(6n, 4), at(0n, 0)]) expect(alreadyRead(state, known)).toBe(true);
    expect(alreadyRead(state, at(8n, 5))).toBe(false);
  });

  it("of before logs were named say nothing about a record that names its own, and still hold for one that does not", () => {
    const state = fresh();
    rememberOrigin(state, origin(0, 5n));
    const stored = AccountState.decode(AccountState.encode(state).finish());
    expect(alreadyRead(stored, origin(0, 5n))).toBe(true);
    expect(alreadyRead(stored, { ...origin(0, 5n), topicId: Buffer.alloc(16, 1) })).toBe(false);
  });
});
