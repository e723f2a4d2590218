import { describe, expect, it } from "vitest";

import { Decision } from "../../protos/gen/fraud/v1/decision.js";
import { Any } from "../../protos/gen/google/protobuf/any.js";
import { Meter } from "./meter.js";

const decisionOn = (transactionId: string): Buffer =>
  Buffer.from(
    Any.encode({
      typeUrl: "type.googleapis.com/fraud.v1.Decision",
      value: Buffer.from(
        Decision.encode(
          Decision.fromPartial({ evidence: { transaction: { transactionId, accountId: "a" } } }),
        ).finish(),
      ),
    }).finish(),
  );
/** Each is due a second after the one before. */
const load = { dueAtMs: (n: number) => n * 1_000 };

describe("the meter", () => {
  it("counts each transaction once, and repetitions apart", () => {
    const meter = new Meter();
    for (const id of ["load-0", "load-3000000", "load-0", "other-1"]) meter.onDecision(decisionOn(id), 0, load);
    expect(meter).toMatchObject({ decided: 2, duplicates: 1 });
  });

  it("takes times from when a transaction was due, since it was told to begin", () => {
    const meter = new Meter();
    meter.onDecision(decisionOn("load-1"), 60_000, load);
    meter.begin();
    meter.onDecision(decisionOn("load-2"), 2_300, load);
    expect(meter.committedMs()).toEqual({ p50: 300, p99: 300 });
  });
});
