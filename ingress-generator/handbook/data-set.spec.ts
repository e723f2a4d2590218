import { createHash } from "node:crypto";

import { describe, expect, it } from "vitest";

import { DAY_SECONDS, dayOffsets, HANDBOOK_DAYS, handbookDataSet } from "./data-set.js";

/** Over five little-endian 32-bit numbers for each transaction: second, customer, terminal, cents, scenario. */
function digest({
  seconds,
  customers,
  terminals,
  amountsMinor,
  scenarios,
}: ReturnType<typeof handbookDataSet>): string {
  const rows = Buffer.alloc(seconds.length * 20);
  for (let at = 0; at < seconds.length; at++)
    for (const [n, column] of [seconds, customers, terminals, amountsMinor, scenarios].entries())
      rows.writeUInt32LE(column[at]!, at * 20 + n * 4);
  return createHash("sha256").update(rows).digest("hex");
}

describe("the Handbook's data set", () => {
  const data = handbookDataSet();
  const at = (n: number): number[] => [
    data.seconds[n]!,
    data.customers[n]!,
    data.terminals[n]!,
    data.amountsMinor[n]!,
    data.scenarios[n]!,
  ];

  it("has the published number of transactions, and begins and ends with the published ones", () => {
    expect(data.seconds.length).toBe(1_754_155);
    expect([at(0), at(1), at(1_754_154)]).toEqual([
      [31, 596, 3_156, 5_716, 0],
      [130, 4_961, 3_412, 8_151, 0],
      [15_811_197, 3_542, 9_849, 2_359, 0],
    ]);
  });

  it("has the published frauds: so many more by each scenario, and where they overlap the last one's", () => {
    expect(data.newFrauds).toEqual([978, 9_099, 4_604]);
    const frauds = [0, 0, 0, 0];
    for (const scenario of data.scenarios) frauds[scenario]!++;
    expect(frauds).toEqual([1_739_474, 973, 9_077, 4_631]);
  });

  it("is in the order of time, and its days begin where they begin", () => {
    const { seconds } = data;
    expect(seconds.every((second, n) => n === 0 || seconds[n - 1]! <= second)).toBe(true);
    const offsets = dayOffsets(data);
    expect([offsets[0], offsets[1], offsets[HANDBOOK_DAYS]]).toEqual([0, 9_488, 1_754_155]);
    for (let day = 1; day < HANDBOOK_DAYS; day++) {
      expect(seconds[offsets[day]!]).toBeGreaterThanOrEqual(day * DAY_SECONDS);
      expect(seconds[offsets[day]! - 1]).toBeLessThan(day * DAY_SECONDS);
    }
  });

  it("is bit for bit the published one, transaction after transaction", () => {
    // Of the Handbook's published files, ordered by TRANSACTION_ID.
    expect(digest(data)).toBe("8129aebc03770fa67f3a890bf33195968a40e604e0180ab371011b530541a06b");
  });
});
