import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { contentHash } from "../../contract/content-hash.js";
import { Verdict } from "../../protos/gen/fraud/v1/transaction.js";
import { HANDBOOK_START_MS, type HandbookDataSet } from "./data-set.js";
import { HANDBOOK_LABEL_DELAY_MS, handbookItems } from "./items.js";

type Row = readonly [second: number, customer: number, terminal: number, cents: number, scenario: number];

const dataOf = (rows: readonly Row[]): HandbookDataSet => ({
  seconds: Uint32Array.from(rows, ([second]) => second),
  customers: Uint16Array.from(rows, ([, customer]) => customer),
  terminals: Uint16Array.from(rows, ([, , terminal]) => terminal),
  amountsMinor: Uint32Array.from(rows, ([, , , cents]) => cents),
  scenarios: Uint8Array.from(rows, ([, , , , scenario]) => scenario),
  newFrauds: [0, 0, 0],
});

describe("the data set as transactions and labels", () => {
  it("has the ids, amounts, times and patterns of the data set; an amount of nothing stays one", () => {
    const [first, second] = handbookItems(
      dataOf([
        [31, 596, 3_156, 5_716, 0],
        [90, 7, 12, 0, 3],
      ]),
      { runId: "h" },
    );
    expect(first).toMatchObject({
      kind: "transaction",
      fraud: undefined,
      message: {
        transactionId: "h-0",
        accountId: "h-a0596",
        merchantId: "h-m3156",
        amountMinor: 5_716n,
        currency: "EUR",
        eventTimeMs: BigInt(Date.UTC(2018, 3, 1, 0, 0, 31)),
      },
    });
    expect(second).toMatchObject({
      fraud: "compromised-customer",
      message: { transactionId: "h-1", accountId: "h-a0007", merchantId: "h-m0012", amountMinor: 0n },
    });
    if (first?.kind !== "transaction") throw new Error("no transaction");
    expect(first.message.contentHash).toEqual(contentHash(first.message));
  });

  it("has a label for each fraud a week later: before what comes at that second, and after the end", () => {
    const week = HANDBOOK_LABEL_DELAY_MS / 1000;
    const items = [
      ...handbookItems(
        dataOf([
          [10, 1, 1, 100, 1],
          [11, 2, 2, 100, 0],
          [week + 9, 1, 1, 100, 0],
          [week + 10, 1, 1, 100, 2],
        ]),
        { runId: "h" },
      ),
    ];
    expect(items.map(({ kind, message }) => `${kind} ${message.transactionId}`)).toEqual([
      "transaction h-0",
      "transaction h-1",
      "transaction h-2",
      "label h-0",
      "transaction h-3",
      "label h-3",
    ]);
    expect(items[3]!.message).toMatchObject({
      labelId: "h-l0",
      accountId: "h-a0001",
      merchantId: "h-m0001",
      eventTimeMs: BigInt(HANDBOOK_START_MS + 10_000),
      effectiveAtMs: BigInt(HANDBOOK_START_MS + (week + 10) * 1000),
      revision: 1,
      verdict: Verdict.FRAUD,
    });
  });

  it("tells no label before its time, whatever the data set and the delay", () => {
    const row = fc.tuple(fc.nat(2_000_000), fc.nat(4_999), fc.nat(9_999), fc.nat(300_000), fc.nat(3));
    fc.assert(
      fc.property(fc.array(row), fc.integer({ min: 1, max: 1_500_000_000 }), (rows, labelDelayMs) => {
        const sorted = rows.sort(([a], [b]) => a - b);
        const items = [...handbookItems(dataOf(sorted), { runId: "h", labelDelayMs })];
        const frauds = sorted.filter(([, , , , scenario]) => scenario > 0);
        expect(items.filter(({ kind }) => kind === "label").length).toBe(frauds.length);
        let nowMs = 0;
        const known = new Set<string>();
        for (const { kind, message } of items) {
          if (kind === "label") {
            const { effectiveAtMs, eventTimeMs, transactionId } = message;
            expect(Number(effectiveAtMs! - eventTimeMs)).toBe(labelDelayMs);
            // Not later than it could be known, either.
            expect(Number(effectiveAtMs)).toBeGreaterThanOrEqual(nowMs);
            expect(known.add(transactionId).size).toBeLessThanOrEqual(frauds.length);
            nowMs = Math.max(nowMs, Number(effectiveAtMs));
          } else {
            expect(Number(message.eventTimeMs)).toBeGreaterThanOrEqual(nowMs);
            nowMs = Number(message.eventTimeMs);
          }
        }
      }),
    );
  });
});
