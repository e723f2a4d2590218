import * as iso4217 from "dinero.js/currencies";

/**
 * Digits after the point by code: of every currency of ISO 4217 that is in use and has minor units, so no gold, no test
 * code and no "no currency". The table comes with a library, for what Node knows of currencies is its ICU's, and
 * another in every version.
 */
const DIGITS: ReadonlyMap<string, number> = new Map(
  // The ouguiya and the ariary have five minor units; ISO 4217 writes them with two digits all the same.
  Object.values(iso4217).map(({ code, base, exponent }) => [code, base === 10 ? exponent : 2]),
);

export const CURRENCY_CODES: readonly string[] = [...DIGITS.keys()].sort();

export const isCurrency = (code: string): boolean => DIGITS.has(code);

/** How many digits an amount has after the point; undefined: no currency that is known. */
export const minorDigits = (code: string): number | undefined => DIGITS.get(code);
