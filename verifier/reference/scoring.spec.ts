import fc from "fast-check";
import { expect, it } from "vitest";

import { FEATURE_NAMES, featureValue } from "../../functions/transaction-scorer/feature-vector.js";
import { Evidence } from "../../protos/gen/fraud/v1/decision.js";
import { valueOf } from "./scoring.js";

it("every feature is found by its name, and has the value that the functions know", () => {
  const known = new Set<string>();
  fc.assert(
    fc.property(
      fc.date({ min: new Date(0), max: new Date("2300-01-01"), noInvalidDate: true }),
      fc.record({ historyCount: fc.nat(), travelSpeedKmh: fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })) }),
      fc.record({ recentCount: fc.nat(), lastLabel: fc.integer({ min: -1, max: 1 }) }),
      (time, account, merchant) => {
        const evidence = Evidence.fromPartial({
          transaction: { amountMinor: 5n, eventTimeMs: BigInt(time.getTime()) },
          account: { features: { ...account, travelSpeedKmh: account.travelSpeedKmh ?? undefined } },
          merchant: { features: merchant },
        });
        for (const name of FEATURE_NAMES) {
          expect(valueOf(name, evidence), name).toBe(featureValue(evidence, name));
          if (valueOf(name, evidence) !== undefined) known.add(name);
        }
      },
    ),
  );
  for (const name of ["weekend", "night", "amount_minor", "account.travel_speed_kmh", "merchant.last_label"])
    expect(known).toContain(name);
});
