import { DAY_SECONDS, type HandbookDataSet } from "../ingress-generator/handbook/data-set.js";

/** A part of the data set, as if there were no other customers and no later days. */
export function subsetOf<D extends HandbookDataSet>(
  data: D,
  { customers, days }: { customers: number; days: number },
): D {
  const chosen: number[] = [];
  for (const [at, second] of data.seconds.entries()) {
    if (second >= days * DAY_SECONDS) break;
    if (data.customers[at]! < customers) chosen.push(at);
  }
  const { labelledAt } = data;
  return {
    ...data,
    seconds: Uint32Array.from(chosen, (at) => data.seconds[at]!),
    customers: Uint16Array.from(chosen, (at) => data.customers[at]!),
    terminals: Uint16Array.from(chosen, (at) => data.terminals[at]!),
    amountsMinor: Uint32Array.from(chosen, (at) => data.amountsMinor[at]!),
    scenarios: Uint8Array.from(chosen, (at) => data.scenarios[at]!),
    ...(labelledAt && { labelledAt: Uint32Array.from(chosen, (at) => labelledAt[at]!) }),
  };
}
