import { describe, expect, it } from "vitest";

import { Transaction } from "../protos/gen/fraud/v1/transaction.js";
import { contentHash } from "./content-hash.js";

const transaction = Transaction.fromPartial({
  transactionId: "t-1",
  accountId: "a",
  merchantId: "m",
  amountMinor: 1999n,
  currency: "EUR",
  eventTimeMs: 1_767_225_600_000n,
  location: { latitudeE6: 1, longitudeE6: -2, name: "x" },
  merchantName: "shop",
});

describe("contentHash", () => {
  it("is 16 bytes that stay the same for good: evidence and state hold them", () => {
    expect(contentHash(transaction).toString("hex")).toBe("8cf210279aea7718d3cf14d86d06d751");
  });

  it("does not depend on what the intake stamps", () => {
    const stamped = { ...transaction, origin: { topic: "t", partition: 1, offset: 2n }, contentHash: Buffer.from("x") };
    expect(contentHash(stamped)).toEqual(contentHash(transaction));
  });

  it.each(["transactionId", "accountId", "merchantId", "currency", "merchantName"] as const)(
    "depends on %s",
    (field) => {
      expect(contentHash({ ...transaction, [field]: "other" })).not.toEqual(contentHash(transaction));
    },
  );

  it("depends on amount, time and place", () => {
    for (const other of [{ amountMinor: 1n }, { eventTimeMs: 1n }, { location: undefined }])
      expect(contentHash({ ...transaction, ...other })).not.toEqual(contentHash(transaction));
  });
});
