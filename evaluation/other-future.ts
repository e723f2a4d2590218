import {
  DAY_SECONDS,
  type HandbookDataSet,
  labelTime,
  NEVER_LABELLED,
} from "../ingress-generator/handbook/data-set.js";

/**
 * The same data set with another future: whatever is not known at a transaction is different. That is every label that
 * comes later, its own among them, and whatever comes after it. What is computed for this transaction must stay as it
 * was, to the bit; if not, it knew the future.
 */
export function otherFuture(data: HandbookDataSet, transaction: number, labelDelayDays: number): HandbookDataSet {
  const now = data.seconds[transaction]!;
  const later = <T extends Uint16Array | Uint32Array>(column: T, changed: (value: number) => number): T =>
    column.map((value, at) => (at > transaction ? changed(value) : value)) as T;
  const delay = labelDelayDays * DAY_SECONDS;
  // Where labels come when they come, what seems genuine may turn out to be fraud, however old it is.
  const isOpen = (at: number): boolean =>
    data.labelledAt === undefined ? data.seconds[at]! > now - delay : labelTime(data, at, delay) > now;
  return {
    ...data,
    customers: later(data.customers, (customer) => customer ^ 1),
    terminals: later(data.terminals, (terminal) => terminal ^ 1),
    amountsMinor: later(data.amountsMinor, (amount) => 2 * amount + 1),
    scenarios: data.scenarios.map((scenario, at) => (isOpen(at) ? (scenario === 0 ? 1 : 0) : scenario)),
    ...(data.labelledAt && {
      labelledAt: data.labelledAt.map((known, at) =>
        isOpen(at) ? (data.scenarios[at] === 0 ? now + 1 : NEVER_LABELLED) : known,
      ),
    }),
  };
}
