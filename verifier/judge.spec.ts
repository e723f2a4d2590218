import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Decision } from "../protos/gen/fraud/v1/decision.js";
import { RejectedRecord, RejectReason } from "../protos/gen/fraud/v1/evidence.js";
import { Transaction } from "../protos/gen/fraud/v1/transaction.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import { type JudgedRecord, judgeRun } from "./judge.js";

const own = (_: string, transactionId: string) => transactionId.startsWith("run-");
const any = (typeName: string, value: Uint8Array) =>
  Any.encode({ typeUrl: `type.googleapis.com/${typeName}`, value: Buffer.from(value) }).finish();
const log = (values: Uint8Array[]): JudgedRecord[] =>
  values.map((value, offset) => ({ partition: 0, offset: BigInt(offset), value }));
const fields = (account: string, n: number, hash = n) => ({
  accountId: account,
  transactionId: `run-${n}`,
  contentHash: Buffer.alloc(16, hash),
});
const transaction = (account: string, n: number, hash = n) =>
  Transaction.encode(Transaction.fromPartial(fields(account, n, hash))).finish();
const decision = (account: string, n: number, seq: number) =>
  any(
    Decision.$type,
    Decision.encode(
      Decision.fromPartial({ evidence: { transaction: fields(account, n), account: { seq: BigInt(seq) } } }),
    ).finish(),
  );

/** A run in which account `a` has transactions 0, 2, 4 and account `b` 1, 3, 5. */
const entered = log([
  transaction("a", 0),
  transaction("b", 1),
  transaction("a", 2),
  transaction("b", 3),
  transaction("a", 4),
  transaction("b", 5),
]);
const decided = [
  decision("a", 0, 1),
  decision("b", 1, 1),
  decision("a", 2, 2),
  decision("b", 3, 2),
  decision("a", 4, 3),
  decision("b", 5, 3),
];
const judge = (decisions: Uint8Array[], rejected: Uint8Array[] = []) =>
  judgeRun({ transactions: entered, decisions: log(decisions), rejected: log(rejected) }, own);

describe("judgeRun", () => {
  it("finds nothing wrong with a run in which all is well", () => {
    expect(judge(decided)).toEqual({
      accepted: 6,
      rejected: 0,
      decisions: 6,
      missing: 0,
      duplicates: 0,
      outOfOrder: 0,
      violations: [],
    });
  });

  it("lets accounts overtake each other", () => {
    expect(judge([decided[1]!, decided[3]!, decided[5]!, decided[0]!, decided[2]!, decided[4]!]).violations).toEqual(
      [],
    );
  });

  it("finds a dropped, a repeated, a reordered and a foreign decision", () => {
    expect(judge(decided.slice(0, 5))).toMatchObject({ missing: 1, violations: [{ property: "missing" }] });
    expect(judge([...decided, decided[5]!])).toMatchObject({
      duplicates: 1,
      decisions: 7,
      violations: [{ property: "duplicate" }],
    });
    expect(judge([decided[2]!, decided[0]!, ...decided.slice(3), decided[1]!]).outOfOrder).toBeGreaterThan(0);
    expect(judge([...decided, decision("a", 99, 4)]).violations).toMatchObject([{ property: "unexpected" }]);
    expect(judge([...decided, Buffer.from("noise")]).violations).toMatchObject([{ property: "unreadable" }]);
  });

  it("finds numbers that are not in the order in which transactions entered", () => {
    expect(
      judge([
        decision("a", 2, 1),
        decision("a", 0, 2),
        ...decided.slice(4, 5),
        ...decided.filter((_, n) => n % 2 === 1),
      ]).outOfOrder,
    ).toBe(1);
  });

  it("finds a decision on a transaction that was altered on the way", () => {
    const altered = any(
      Decision.$type,
      Decision.encode(
        Decision.fromPartial({
          evidence: { transaction: { ...fields("b", 5), amountMinor: 1n }, account: { seq: 3n } },
        }),
      ).finish(),
    );
    expect(judge([...decided.slice(0, 5), altered]).violations).toMatchObject([{ property: "altered" }]);
  });

  it("ignores other runs", () => {
    expect(judgeRun({ transactions: entered, decisions: log(decided), rejected: [] }, () => false)).toMatchObject({
      accepted: 0,
      decisions: 0,
      violations: [],
    });
  });

  it("expects no decision on what a function refused", () => {
    const refused = (n: number, reason: RejectReason, hash = n) =>
      any(
        RejectedRecord.$type,
        RejectedRecord.encode(
          RejectedRecord.fromPartial({
            reason,
            original: {
              typeUrl: `type.googleapis.com/${Transaction.$type}`,
              value: Buffer.from(transaction("b", n, hash)),
            },
          }),
        ).finish(),
      );
    expect(judge(decided.slice(0, 5), [refused(5, RejectReason.INVALID_FIELD)])).toMatchObject({
      missing: 0,
      rejected: 1,
      violations: [],
    });
    expect(judge(decided.slice(0, 5), [refused(5, RejectReason.ID_CONFLICT, 99)])).toMatchObject({ missing: 1 });
    expect(judge(decided, [refused(5, RejectReason.ID_CONFLICT, 99)])).toMatchObject({
      accepted: 6,
      rejected: 1,
      violations: [],
    });
  });

  it("finds any single record dropped, repeated or moved before its account's last", () => {
    fc.assert(
      fc.property(fc.nat(5), fc.constantFrom("drop", "repeat", "move"), (n, change) => {
        const changed = [...decided];
        if (change === "drop") changed.splice(n, 1);
        else if (change === "repeat") changed.splice(n, 0, decided[n]!);
        else if (n < 2) return;
        else changed.splice(n - 2, 0, ...changed.splice(n, 1));
        expect(judge(changed).violations).not.toEqual([]);
      }),
    );
  });
});
