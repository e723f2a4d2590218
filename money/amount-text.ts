import { minorDigits } from "./currencies.js";

/**
 * An amount in major units with its currency, such as `1,999 JPY` or `12.345 KWD`. The same on every machine: no locale
 * and no ICU.
 *
 * @param minor - minor units, whole
 */
export function amountText(minor: bigint | number | string, currency: string): string {
  if (minorDigits(currency) !== undefined) return `${amountDigits(minor, currency)} ${currency}`;
  return `${amountDigits(minor, currency)} minor units${currency === "" ? "" : ` of ${currency}`}`;
}

/** An amount in major units without its currency; of a currency that is not known, in minor units. */
export function amountDigits(minor: bigint | number | string, currency: string): string {
  const digits = minorDigits(currency) ?? 0;
  const value = BigInt(minor);
  const text = String(value < 0n ? -value : value).padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits).replace(/\B(?=(?:\d{3})+$)/g, ",");
  return `${value < 0n ? "-" : ""}${whole}${digits === 0 ? "" : `.${text.slice(-digits)}`}`;
}
