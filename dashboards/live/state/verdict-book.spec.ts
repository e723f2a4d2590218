import { describe, expect, it } from "vitest";

import type { VerdictRow } from "../wire.js";
import { VerdictBook } from "./verdict-book.js";

let offset = 0;
const row = (fields: Partial<VerdictRow> = {}): VerdictRow => ({
  labelId: `l${++offset}`,
  account: "a",
  transactionId: "t",
  merchantId: "m",
  verdict: "FRAUD",
  revision: 1,
  note: "",
  analyst: "ada",
  atMs: 1,
  kafka: { topic: "labels.valid", partition: 0, offset: String(offset) },
  accountEffect: null,
  merchantEffect: null,
  ...fields,
});

describe("VerdictBook", () => {
  it("lets the highest revision hold, and of several the first, like the account counter", () => {
    const book = new VerdictBook();
    expect(book.verdictOf("a", "t")).toBeNull();
    book.add(row({ revision: 2, verdict: "LEGITIMATE" }));
    book.add(row({ revision: 1 }));
    book.add(row({ revision: 2, verdict: "FRAUD" }));
    expect(book.verdictOf("a", "t")).toBe("LEGITIMATE");
    expect(book.of("a", "t")).toHaveLength(3);
  });

  it("learns the revision of a verdict that came without one from what counted it, in any order", () => {
    for (const effectFirst of [true, false]) {
      const book = new VerdictBook();
      book.add(row({ labelId: "first", revision: 1, kafka: { topic: "labels.valid", partition: 0, offset: "1" } }));
      const effect = () => book.onEffect("next", "account", { eventSeq: "9", delta: -1 }, 2);
      if (effectFirst) effect();
      book.add(
        row({
          labelId: "next",
          revision: 0,
          verdict: "LEGITIMATE",
          kafka: { topic: "labels.valid", partition: 0, offset: "2" },
        }),
      );
      if (!effectFirst) effect();
      expect(book.verdictOf("a", "t")).toBe("LEGITIMATE");
      expect(book.of("a", "t").map(({ labelId, revision }) => [labelId, revision])).toEqual([
        ["next", 2],
        ["first", 1],
      ]);
      expect(book.nextRevision("a", "t")).toBe(3);
    }
  });

  it("gives out each revision once, above every known one", () => {
    const book = new VerdictBook();
    expect([book.nextRevision("a", "t"), book.nextRevision("a", "t"), book.nextRevision("a", "other")]).toEqual([
      1, 2, 1,
    ]);
    book.add(row({ revision: 7 }));
    expect([book.nextRevision("a", "t"), book.nextRevision("a", "t")]).toEqual([8, 9]);
  });

  it("keeps what counted a verdict, whichever topic is read first", () => {
    const book = new VerdictBook();
    const effect = { eventSeq: "5", delta: 1 };
    expect(book.onEffect("early", "account", effect)).toBeUndefined();
    book.add(row({ labelId: "early" }));
    expect(book.onEffect("early", "merchant", { eventSeq: "9", delta: 1 })).toMatchObject({
      accountEffect: effect,
      merchantEffect: { eventSeq: "9" },
    });
  });

  it("has analysts' verdicts in its trail, newest first, each once; counts the others", () => {
    const book = new VerdictBook({ trail: 2 });
    const first = row();
    expect([book.add(first), book.add(first)]).toEqual([true, false]);
    book.add(row({ analyst: "" }));
    book.add(row({ labelId: "b" }));
    book.add(row({ labelId: "c" }));
    expect(book.trail(10).map(({ labelId }) => labelId)).toEqual(["c", "b"]);
    expect(book.fed).toBe(1);
  });

  it("forgets the transactions whose verdicts are the oldest", () => {
    const book = new VerdictBook({ transactions: 3 });
    for (let n = 0; n < 10; n++) book.add(row({ transactionId: `t${n}`, labelId: `x${n}` }));
    expect(book.verdictOf("a", "t6")).toBeNull();
    expect(book.verdictOf("a", "t7")).toBe("FRAUD");
    expect(book.onEffect("x6", "account", { eventSeq: "1", delta: 1 })).toBeUndefined();
  });
});
