import { describe, expect, it } from "vitest";

import { CURRENCY_CODES, isCurrency, minorDigits } from "./currencies.js";

describe("the currencies", () => {
  it.each([
    ["0", "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"],
    [
      "2",
      "AED AUD BRL CAD CHE CHF CHW CNY EUR GBP HUF IDR INR IRR LBP MGA MRU MXN MXV NGN NOK PKR RUB SLE STN TRY TWD USD UZS VED VES XAD XCD XCG ZAR ZWG",
    ],
    ["3", "BHD IQD JOD KWD LYD OMR TND"],
    ["4", "CLF UYW"],
  ])("with %s digits are ISO 4217's", (digits, codes) => {
    expect(codes.split(" ").map((code) => [code, minorDigits(code)])).toEqual(
      codes.split(" ").map((code) => [code, Number(digits)]),
    );
  });

  it("are no others with 0, 3 or 4", () => {
    expect(CURRENCY_CODES.filter((code) => minorDigits(code) !== 2).join(" ")).toBe(
      "BHD BIF CLF CLP DJF GNF IQD ISK JOD JPY KMF KRW KWD LYD OMR PYG RWF TND UGX UYI UYW VND VUV XAF XOF XPF",
    );
    expect(CURRENCY_CODES.length).toBeGreaterThan(160);
    for (const code of CURRENCY_CODES) expect(code).toMatch(/^[A-Z]{3}$/);
  });

  it.each([
    "",
    "eur",
    "EURO",
    "EU",
    "QQQ",
    "BTC",
    "XXX",
    "XTS",
    "XAU",
    "XDR",
    "DEM",
    "HRK",
    "ZWL",
    "toString",
    "constructor",
    "__proto__",
  ])("are not %s", (code) => {
    expect(isCurrency(code)).toBe(false);
  });
});
