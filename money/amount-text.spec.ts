import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { amountDigits, amountText } from "./amount-text.js";
import { CURRENCY_CODES, minorDigits } from "./currencies.js";

describe("an amount", () => {
  it.each([
    [1_999, "JPY", "1,999 JPY"],
    [0, "JPY", "0 JPY"],
    [12_345, "KWD", "12.345 KWD"],
    [5, "KWD", "0.005 KWD"],
    [1_999, "EUR", "19.99 EUR"],
    [0, "EUR", "0.00 EUR"],
    [7, "EUR", "0.07 EUR"],
    [123_456_789, "EUR", "1,234,567.89 EUR"],
    [12_345, "CLF", "1.2345 CLF"],
    ["100000", "EUR", "1,000.00 EUR"],
    [-1_999n, "EUR", "-19.99 EUR"],
    [1_000_000_000_000_000n, "IRR", "10,000,000,000,000.00 IRR"],
    [9_223_372_036_854_775_807n, "USD", "92,233,720,368,547,758.07 USD"],
    // Of what stands in old records.
    [123_456, "DEM", "123,456 minor units of DEM"],
    [5, "", "5 minor units"],
  ])("of %s minor units of %s is %s", (minor, currency, text) => {
    expect(amountText(minor, currency)).toBe(text);
  });

  it("is the same number in every currency", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
        fc.constantFrom(...CURRENCY_CODES),
        (minor, currency) => {
          const [whole = "", part = ""] = amountDigits(minor, currency).split(".");
          expect(part).toHaveLength(minorDigits(currency)!);
          expect(whole).toMatch(/^\d{1,3}(?:,\d{3})*$/);
          expect(BigInt(whole.replaceAll(",", "") + part)).toBe(minor);
        },
      ),
    );
  });
});
