import { stripVTControlCharacters } from "node:util";

import { describe, expect, it } from "vitest";

import { Alert_Kind } from "../protos/gen/fraud/v1/evidence.js";
import { alertLine } from "./live-view.js";

describe("an alert's line", () => {
  it.each([
    [1_999n, "JPY", "1,999 JPY"],
    [123_450n, "KWD", "123.450 KWD"],
    [39_802n, "EUR", "398.02 EUR"],
    [0n, "EUR", "0.00 EUR"],
  ])("writes %s minor units of %s as ISO 4217 has them", (amountMinor, currency, text) => {
    const line = stripVTControlCharacters(
      alertLine({
        kind: Alert_Kind.OPENED,
        accountId: "a",
        episode: 1n,
        suspiciousCount: 1,
        score: 450,
        amountMinor,
        currency,
        place: "Lagos, NG",
        reasons: ["TRAVEL_IMPOSSIBLE"],
      }),
    );
    expect(line).toMatch(new RegExp(` {2,}${text.replaceAll(".", "\\.")} {2,}Lagos`));
  });

  it("writes out what does not show in what others have named", () => {
    const line = stripVTControlCharacters(
      alertLine({
        kind: Alert_Kind.OPENED,
        accountId: "a\u001b[2J",
        episode: 1n,
        suspiciousCount: 1,
        score: 450,
        amountMinor: 1n,
        currency: "EUR",
        place: "La\u202egos\u009b",
        reasons: ["A\u0007"],
      }),
    );
    expect(line).toContain("a\\u{1b}[2J");
    expect(line).toContain("La\\u{202e}gos\\u{9b}");
    expect(line).toContain("A\\u{7}");
  });
});
