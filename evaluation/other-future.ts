import { DAY_SECONDS, type HandbookDataSet } from "../ingress-generator/handbook/data-set.js";

/**
 * The same data set with another future: whatever is not known at a transaction is different. That is every label of
 * the last days, its own among them, and whatever comes after it. What is computed for this transaction must stay as it
 * was, to the bit; if not, it knew the future.
 */
export function otherFuture(data: HandbookDataSet, transaction: number, labelDelayDays: number): HandbookDataSet {
  const knownUntil = data.seconds[transaction]! - labelDelayDays * DAY_SECONDS;
  const later = <T extends Uint16Array | Uint32Array>(column: T, changed: (value: number) => number): T =>
    column.map((value, at) => (at > transaction ? changed(value) : value)) as T;
  return {
    ...data,
    customers: later(data.customers, (customer) => customer ^ 1),
    terminals: later(data.terminals, (terminal) => terminal ^ 1),
    amountsMinor: later(data.amountsMinor, (amount) => 2 * amount + 1),
    scenarios: data.scenarios.map((scenario, at) =>
      data.seconds[at]! > knownUntil ? (scenario === 0 ? 1 : 0) : scenario,
    ),
  };
}
