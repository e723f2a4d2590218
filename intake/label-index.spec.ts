import { describe, expect, it } from "vitest";

import { RejectedRecord, RejectReason, StateEvent, StateEvent_Kind } from "../protos/gen/fraud/v1/evidence.js";
import { FraudLabel } from "../protos/gen/fraud/v1/transaction.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import { pack } from "../statefun/index.js";
import { LabelIndex } from "./label-index.js";

const COUNTER = "fraud/account-counter";
const record = (any: Any): { value: Buffer } => ({ value: Buffer.from(Any.encode(any).finish()) });
const recorded = (sourceId: string, fields: Partial<StateEvent> = {}) =>
  record(
    pack(
      StateEvent,
      StateEvent.fromPartial({
        function: COUNTER,
        addressId: "ada",
        kind: StateEvent_Kind.LABEL,
        sourceId,
        transactionId: "t",
        revision: 2,
        fraudDelta: -1,
        effectiveAtMs: 5n,
        eventSeq: 7n,
        ...fields,
      }),
    ),
  );
const refused = (labelId: string, reason: RejectReason, typeUrl = `type.googleapis.com/${FraudLabel.$type}`) =>
  record(
    pack(
      RejectedRecord,
      RejectedRecord.fromPartial({
        function: COUNTER,
        reason,
        message: "why",
        original: {
          typeUrl,
          value: Buffer.from(
            FraudLabel.encode(FraudLabel.fromPartial({ labelId, accountId: "ada", transactionId: "t" })).finish(),
          ),
        },
      }),
    ),
  );

describe("LabelIndex", () => {
  it("tells of each outcome", () => {
    const told: string[] = [];
    const index = new LabelIndex(10, ({ labelId, status }) => told.push(`${labelId} ${status}`));
    index.onRecord(recorded("one"));
    index.onRecord(recorded("merchant's", { function: "fraud/merchant-model" }));
    index.onRecord(refused("two", RejectReason.STALE_REVISION));
    expect(told).toEqual(["one recorded", "two refused"]);
  });

  it("tells what was recorded, with what the label left out, and what was refused and why", () => {
    const index = new LabelIndex(10);
    expect(index.find("l")).toBeUndefined();
    index.onRecord(recorded("l"));
    expect(index.find("l")).toEqual({
      labelId: "l",
      accountId: "ada",
      transactionId: "t",
      status: "recorded",
      revision: 2,
      fraudDelta: -1,
      effectiveAtMs: "5",
      eventSeq: "7",
    });
    index.onRecord(refused("m", RejectReason.STALE_REVISION));
    expect(index.find("m")).toEqual({
      labelId: "m",
      accountId: "ada",
      transactionId: "t",
      status: "refused",
      reason: "STALE_REVISION",
      detail: "why",
    });
    index.onRecord(refused("l", RejectReason.REVISION_AHEAD));
    expect(index.find("l")).toMatchObject({ status: "refused" });
  });

  it("skips what is not the outcome of a label", () => {
    const index = new LabelIndex(10);
    index.onRecord(recorded("merchant's", { function: "fraud/merchant-model" }));
    index.onRecord(recorded("expiry's", { kind: StateEvent_Kind.EXPIRY }));
    index.onRecord(refused("transaction's", RejectReason.ID_CONFLICT, "type.googleapis.com/fraud.v1.Transaction"));
    index.onRecord({ value: null });
    for (const id of ["merchant's", "expiry's", "transaction's", ""]) expect(index.find(id)).toBeUndefined();
  });

  it("keeps the newest, lets clients wait, and ends their waiting", async () => {
    const index = new LabelIndex(2);
    const waiting = index.wait("l-3", 10_000);
    for (const id of ["l-1", "l-2", "l-3"]) index.onRecord(recorded(id));
    expect(await waiting).toMatchObject({ labelId: "l-3" });
    expect(index.find("l-1")).toBeUndefined();
    expect(await index.wait("l-2", 10_000)).toMatchObject({ labelId: "l-2" });
    expect(await index.wait("never", 1)).toBeUndefined();
    const stopped = index.wait("never", 10_000);
    index.stop();
    expect(await stopped).toBeUndefined();
  });
});
