import { describe, expect, it } from "vitest";

import { Decision, Outcome } from "../protos/gen/fraud/v1/decision.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import { pack } from "../statefun/index.js";
import { DecisionIndex, type DecisionRecord } from "./decision-index.js";

/** A decision record; `score` tells its versions apart. */
function record(
  transactionId: string,
  offset: number,
  score = 0,
  partition = 0,
  account?: { seq: bigint; forgottenSeq: bigint },
): DecisionRecord {
  const decision = Decision.fromPartial({
    evidence: { transaction: { accountId: "a", transactionId }, account, scoring: { score, outcome: Outcome.APPROVE } },
  });
  return { partition, offset: BigInt(offset), value: Buffer.from(Any.encode(pack(Decision, decision)).finish()) };
}
const found = (index: DecisionIndex, id: string) => {
  const known = index.find("a", id);
  return known && { score: known.decision.evidence!.scoring!.score, committed: known.committed };
};

describe("DecisionIndex", () => {
  it("has a decision that is first provisional, then committed", () => {
    const index = new DecisionIndex(10);
    expect(found(index, "t")).toBeUndefined();
    index.onWritten(record("t", 5, 1));
    expect(found(index, "t")).toEqual({ score: 1, committed: false });
    index.onCommitted(record("t", 5, 1));
    expect(found(index, "t")).toEqual({ score: 1, committed: true });
  });

  it("tells of each decision when it is committed, whether or not it was seen before, and of no other", () => {
    const told: [string, Outcome][] = [];
    const index = new DecisionIndex(10, (identity, outcome) => told.push([identity, outcome]));
    index.onWritten(record("seen", 5));
    index.onWritten(record("aborted", 6));
    expect(told).toEqual([]);
    index.onCommitted(record("seen", 5));
    index.onCommitted(record("unseen", 7));
    expect(told).toEqual([
      ["a\0seen", Outcome.APPROVE],
      ["a\0unseen", Outcome.APPROVE],
    ]);
  });

  it("works with the readers in any order", () => {
    const index = new DecisionIndex(10);
    index.onCommitted(record("t", 5, 1));
    index.onWritten(record("t", 5, 1));
    expect(found(index, "t")).toEqual({ score: 1, committed: true });
  });

  it("forgets an aborted one, and shows the next", () => {
    const index = new DecisionIndex(10);
    index.onWritten(record("lost", 5, 1));
    index.onWritten(record("again", 6, 1));
    index.onWritten(record("again", 8, 2));
    index.onCommitted(record("again", 8, 2));
    expect(found(index, "lost")).toBeUndefined();
    expect(found(index, "again")).toEqual({ score: 2, committed: true });
  });

  it("goes on with a topic that was made again, whose offsets begin anew; what was not committed by then never is", () => {
    const index = new DecisionIndex(10);
    index.onCommitted(record("kept", 5, 1));
    index.onWritten(record("gone", 6, 1));
    index.onNewLog(0);
    expect([found(index, "kept"), found(index, "gone")]).toEqual([{ score: 1, committed: true }, undefined]);
    index.onWritten(record("first", 0, 2));
    expect(found(index, "first")).toEqual({ score: 2, committed: false });
    index.onCommitted(record("first", 0, 2));
    expect(found(index, "first")).toEqual({ score: 2, committed: true });
  });

  it("does not let a provisional one replace a committed one", () => {
    const index = new DecisionIndex(10);
    index.onCommitted(record("t", 5, 1));
    index.onWritten(record("t", 9, 2));
    expect(found(index, "t")).toEqual({ score: 1, committed: true });
  });

  it("shows the last of several decisions, and the one before when the last is aborted", () => {
    const index = new DecisionIndex(10);
    const at = (seq: number, forgottenSeq = 0) => ({ seq: BigInt(seq), forgottenSeq: BigInt(forgottenSeq) });
    index.onCommitted(record("t", 5, 1, 0, at(1)));
    index.onWritten(record("t", 9, 2, 0, at(400, 90)));
    expect(found(index, "t")).toEqual({ score: 2, committed: false });
    index.onCommitted(record("u", 11, 1, 0, at(399, 90)));
    expect(found(index, "t")).toEqual({ score: 1, committed: true });
    index.onWritten(record("t", 12, 3, 0, at(400, 90)));
    index.onCommitted(record("t", 12, 3, 0, at(400, 90)));
    expect(found(index, "t")).toEqual({ score: 3, committed: true });
    // The reader of committed records alone has them in order, too.
    const late = new DecisionIndex(10);
    late.onCommitted(record("t", 5, 1, 0, at(1)));
    late.onCommitted(record("t", 12, 3, 0, at(400, 90)));
    expect(found(late, "t")).toEqual({ score: 3, committed: true });
  });

  it("lets a client that has just sent a transaction wait for its next decision, when the account has forgotten the first", async () => {
    const index = new DecisionIndex(10);
    const at = (seq: number, forgottenSeq: number) => ({ seq: BigInt(seq), forgottenSeq: BigInt(forgottenSeq) });
    const waiting = (timeoutMs = 10_000) => index.wait("a", "t", { committed: false, timeoutMs, sentNow: true });
    index.onCommitted(record("t", 5, 1, 0, at(7, 0)));
    expect((await waiting())?.decision.evidence!.scoring!.score).toBe(1);
    index.onCommitted(record("u", 6, 1, 0, at(320, 20)));
    expect(await waiting(1)).toBeUndefined();
    expect((await index.wait("a", "t", { committed: false, timeoutMs: 1 }))?.decision.evidence!.scoring!.score).toBe(1);
    const next = waiting();
    index.onWritten(record("t", 8, 2, 0, at(321, 20)));
    expect((await next)?.decision.evidence!.scoring!.score).toBe(2);
  });

  it("keeps only the newest", () => {
    const index = new DecisionIndex(3);
    for (let n = 0; n < 10; n++) index.onCommitted(record(`t${n}`, n));
    expect(index.size).toBe(3);
    expect(found(index, "t6")).toBeUndefined();
    expect(found(index, "t7")).toBeDefined();
  });

  it("knows partitions apart", () => {
    const index = new DecisionIndex(10);
    index.onWritten(record("t", 5, 1, 0));
    index.onCommitted(record("u", 9, 1, 1));
    expect(found(index, "t")).toEqual({ score: 1, committed: false });
  });

  it("lets clients wait for the first one, or for a committed one", async () => {
    const index = new DecisionIndex(10);
    const first = index.wait("a", "t", { committed: false, timeoutMs: 10_000 });
    const standing = index.wait("a", "t", { committed: true, timeoutMs: 10_000 });
    index.onWritten(record("t", 5, 1));
    expect((await first)?.committed).toBe(false);
    index.onCommitted(record("t", 7, 2));
    expect(await standing).toMatchObject({ committed: true, decision: { evidence: { scoring: { score: 2 } } } });
    expect((await index.wait("a", "t", { committed: true, timeoutMs: 10_000 }))?.committed).toBe(true);
  });

  it("ends waiting when the time is up, or when it is stopped", async () => {
    const index = new DecisionIndex(10);
    expect(await index.wait("a", "t", { committed: false, timeoutMs: 1 })).toBeUndefined();
    const waiting = index.wait("a", "t", { committed: false, timeoutMs: 10_000 });
    index.stop();
    expect(await waiting).toBeUndefined();
    expect(await index.wait("a", "t", { committed: false, timeoutMs: 10_000 })).toBeUndefined();
  });
});
