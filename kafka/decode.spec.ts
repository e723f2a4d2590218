import { describe, expect, it } from "vitest";

import { Decision, Outcome } from "../protos/gen/fraud/v1/decision.js";
import { RejectedRecord, RejectReason } from "../protos/gen/fraud/v1/evidence.js";
import { Transaction } from "../protos/gen/fraud/v1/transaction.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import { RecordDecoder } from "./decode.js";

const decoder = new RecordDecoder();
const packed = (type: string, value: Uint8Array) =>
  Any.encode({ typeUrl: `type.googleapis.com/${type}`, value: Buffer.from(value) }).finish();

describe("RecordDecoder", () => {
  it("shows a bare transaction, with 64-bit numbers as strings", () => {
    const value = Transaction.encode(
      Transaction.fromPartial({
        transactionId: "t-1",
        amountMinor: 9_007_199_254_740_993n,
        location: { latitudeE6: -1, longitudeE6: 2, name: "x" },
      }),
    ).finish();
    expect(decoder.decode("transactions.valid", value)).toEqual({
      type: "fraud.v1.Transaction",
      value: expect.objectContaining({
        transaction_id: "t-1",
        amount_minor: "9007199254740993",
        location: { latitude_e6: -1, longitude_e6: 2, name: "x" },
      }) as unknown,
    });
  });

  it("unpacks an Any, with enums by name", () => {
    const value = packed(
      "fraud.v1.Decision",
      Decision.encode(
        Decision.fromPartial({
          evidence: { scoring: { outcome: Outcome.REVIEW, reasons: [{ code: "FAST", points: 4 }] } },
        }),
      ).finish(),
    );
    const decoded = decoder.decode("decisions", value);
    expect(decoded.type).toBe("fraud.v1.Decision");
    expect(decoded.value).toMatchObject({
      evidence: { scoring: { outcome: "OUTCOME_REVIEW", reasons: [{ code: "FAST", points: 4 }] } },
    });
  });

  it("unpacks an Any inside a message", () => {
    const original = {
      typeUrl: "type.googleapis.com/fraud.v1.Transaction",
      value: Buffer.from(Transaction.encode(Transaction.fromPartial({ transactionId: "t-1" })).finish()),
    };
    const value = packed(
      "fraud.v1.RejectedRecord",
      RejectedRecord.encode(RejectedRecord.fromPartial({ reason: RejectReason.MISROUTED, original })).finish(),
    );
    expect(decoder.decode("functions.rejected", value).value).toMatchObject({
      reason: "REJECT_REASON_MISROUTED",
      original: { "@type": "fraud.v1.Transaction", transaction_id: "t-1" },
    });
  });

  it("shows what it cannot read as base64 with the reason", () => {
    expect(decoder.decode("transactions.valid", Buffer.from([0xff]))).toMatchObject({
      type: undefined,
      value: "/w==",
      problem: expect.stringContaining("fraud.v1.Transaction") as unknown,
    });
    expect(decoder.decode("decisions", packed("other.Type", Buffer.from([1])))).toMatchObject({
      type: "other.Type",
      value: "AQ==",
      problem: expect.stringContaining("other.Type") as unknown,
    });
    expect(decoder.decode("decisions", null)).toEqual({ type: undefined, value: null });
  });
});
