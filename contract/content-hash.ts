import { createHash } from "node:crypto";

import { Transaction } from "../protos/gen/fraud/v1/transaction.js";

const BYTES = 16;

/**
 * Tells a repeated transaction from another one under its id: the first 16 bytes of SHA-256 over the business fields (1
 * to 8) as the intake encodes them. Fields that this version does not know, and those that the intake stamps, take no
 * part.
 */
export function contentHash(transaction: Transaction): Buffer {
  const { transactionId, accountId, merchantId, amountMinor, currency, eventTimeMs, location, merchantName } =
    transaction;
  const business: Transaction = {
    transactionId,
    accountId,
    merchantId,
    amountMinor,
    currency,
    eventTimeMs,
    location: location && { latitudeE6: location.latitudeE6, longitudeE6: location.longitudeE6, name: location.name },
    merchantName,
    origin: undefined,
    contentHash: Buffer.alloc(0),
    modelHash: Buffer.alloc(0),
    challengerHash: Buffer.alloc(0),
  };
  return createHash("sha256").update(Transaction.encode(business).finish()).digest().subarray(0, BYTES);
}
