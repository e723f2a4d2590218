import { describe, expect, it } from "vitest";

import { AccountState } from "../../protos/gen/fraud/v1/internal.js";
import { sampleTransaction } from "../testing/samples.js";
import { alreadyRead, familiarity, rememberOrigin, rememberTransaction } from "./repeats.js";

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

  it("take 16 bytes each, and as many as allowed", () => {
    const state = fresh();
    for (let n = 0; n < 40; n++) rememberTransaction(state, sampleTransaction({ transactionId: `t-${n}` }), 32);
    expect(state.recentTransactions).toHaveLength(32 * 16);
    expect(familiarity(state, sampleTransaction({ transactionId: "t-7" }))).toBe("new");
    expect(familiarity(state, sampleTransaction({ transactionId: "t-8" }))).toBe("conflict");
  });

  it("may be switched off", () => {
    const state = fresh();
    rememberTransaction(state, sampleTransaction(), 0);
    expect(state.recentTransactions).toHaveLength(0);
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
