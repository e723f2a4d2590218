import { DAY_SECONDS, type HandbookDataSet } from "../ingress-generator/handbook/data-set.js";

/** A part of the data set, as if there were no other customers and no later days. */
export function subsetOf(
  data: HandbookDataSet,
  { customers, days }: { customers: number; days: number },
): HandbookDataSet {
  const chosen: number[] = [];
  for (const [at, second] of data.seconds.entries()) {
    if (second >= days * DAY_SECONDS) break;
    if (data.customers[at]! < customers) chosen.push(at);
  }
  return {
    seconds: Uint32Array.from(chosen, (at) => data.seconds[at]!),
    customers: Uint16Array.from(chosen, (at) => data.customers[at]!),
    terminals: Uint16Array.from(chosen, (at) => data.terminals[at]!),
    amountsMinor: Uint32Array.from(chosen, (at) => data.amountsMinor[at]!),
    scenarios: Uint8Array.from(chosen, (at) => data.scenarios[at]!),
    newFrauds: data.newFrauds,
    ...(data.labelledAt && { labelledAt: Uint32Array.from(chosen, (at) => data.labelledAt![at]!) }),
    ...(data.places && { places: data.places }),
  };
}
