import { describe, expect, it } from "vitest";

import { ScoringRequest } from "../protos/gen/fraud/v1/decision.js";
import { AccountState, AlerterState, MerchantState, ScorerState } from "../protos/gen/fraud/v1/internal.js";

/** Field 1000, a string: what a version to come may have stored. */
const LATER_FIELD = Buffer.from([0xc2, 0x3e, 5, ...Buffer.from("later")]);

describe("state and messages of a later version", () => {
  it.each([AccountState, MerchantState, ScorerState, AlerterState, ScoringRequest])(
    "go through this one with everything in them",
    (type) => {
      const message = type.decode(LATER_FIELD);
      expect(Buffer.from(type.encode(message as never).finish()).includes(LATER_FIELD)).toBe(true);
    },
  );
});
