import { describe, expect, it } from "vitest";

import { describeRequest, idsIn, isSame, listRequest, transactionsIn } from "./transactions.js";

// All by Kafka 3.9.1's own Java classes: what follows a request's header, and answers on two transactions, one of which
// ended between the two questions.
const LIST = "0002084f6e676f696e670100";
const LISTED =
  "000000000000000103096567726573732d310000000000000007084f6e676f696e6700066f746865720000000000000008084f6e676f696e670000";
const DESCRIBE = "0003096567726573732d31066f7468657200";
const DESCRIBED =
  "0000000000030000096567726573732d31084f6e676f696e67000dbba0000001a0c4506c0000000000000000070003020a6465636973696f6e7303000000000000000300000069066f746865720100000000000000000000000000000000000000000000010000";
const hex = (request: unknown): string => (request as { readonly buffer: Buffer }).buffer.toString("hex");
const bytes = (text: string): Buffer => Buffer.from(text, "hex");

describe("the requests for open transactions", () => {
  it("are what Kafka reads", () => {
    expect(hex(listRequest())).toBe(LIST);
    expect(hex(describeRequest(["egress-1", "other"]))).toBe(DESCRIBE);
  });

  it("have their answers read", () => {
    expect(idsIn(bytes(LISTED))).toEqual(["egress-1", "other"]);
    expect(transactionsIn(bytes(DESCRIBED))).toEqual([
      {
        transactionalId: "egress-1",
        producerId: 7n,
        epoch: 3,
        startedAtMs: 1_790_000_000_000,
        timeoutMs: 900_000,
        topics: ["decisions"],
      },
    ]);
  });

  it("throw when the broker cannot say", () => {
    // COORDINATOR_LOAD_IN_PROGRESS.
    expect(() => idsIn(bytes(LISTED.replace("00000000000000", "0000000000000e")))).toThrow("error 14");
    expect(() => transactionsIn(bytes(DESCRIBED.replace("0069066f", "000e066f")))).toThrow("error 14");
  });
});

describe("one transaction", () => {
  const [seen] = transactionsIn(bytes(DESCRIBED));

  it("is the same when it is seen again, and none that its producer has begun since", () => {
    expect(isSame(seen!, { ...seen! })).toBe(true);
    expect(isSame(seen!, { ...seen!, startedAtMs: seen!.startedAtMs + 1 })).toBe(false);
    expect(isSame(seen!, { ...seen!, epoch: 4 })).toBe(false);
  });
});
