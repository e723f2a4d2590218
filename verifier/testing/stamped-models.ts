import { createHash } from "node:crypto";

import fc from "fast-check";

import { anyTreesModel } from "../../functions/testing/tree-models.js";
import type { Transaction } from "../../protos/gen/fraud/v1/transaction.js";

/**
 * Files of models that transactions name: trees over features that are there, and over one that is not always, without
 * and with something that stands for it then.
 */
export const NAMED_MODELS: readonly Buffer[] = [
  ...fc.sample(anyTreesModel(["account.velocity_count", "merchant.recent_count", "account.day_count"]), {
    numRuns: 4,
    seed: 5,
  }),
  ...fc.sample(anyTreesModel(["account.velocity_count", "account.travel_speed_kmh"]), { numRuns: 1, seed: 5 }),
  ...fc
    .sample(anyTreesModel(["account.velocity_count", "account.travel_speed_kmh"]), { numRuns: 1, seed: 5 })
    .map((model) => ({ ...model, unknown: -1 })),
].map((model, n) =>
  Buffer.from(
    JSON.stringify({
      ...model,
      id: `named-${n}`,
      // So that some of each outcome come out.
      score: { margins: [-2_000_000, 2_000_000], values: [0, 1000] },
      reviewAt: 400,
      declineAt: 700,
    }),
  ),
);

const hashes = NAMED_MODELS.map((file) => createHash("sha256").update(file).digest());
const NONE = Buffer.alloc(0);

/** What the intake would have stamped into the n-th transaction: mostly nothing. */
export function stampsOf(n: number): Pick<Transaction, "modelHash" | "challengerHash"> {
  const pick = (step: number): Buffer => hashes[step % hashes.length]!;
  return { modelHash: n % 3 === 1 ? pick((n - 1) / 3) : NONE, challengerHash: n % 2 === 1 ? pick(n >> 1) : NONE };
}
