import { describe, expect, it } from "vitest";

import { NO_FILTER } from "../filter.js";
import { sampleAlert } from "../testing/samples.js";
import { AlertStore } from "./alert-store.js";

const all = { limit: 1_000_000 };

describe("AlertStore", () => {
  it("gives the newest first, by page, and each alert once", () => {
    const store = new AlertStore(100);
    for (let n = 1; n <= 25; n++) store.add(sampleAlert({ id: `a/${n}`, transactionId: `t${n}` }));
    expect(store.add(sampleAlert({ id: "a/3" }))).toBeUndefined();
    const first = store.query(NO_FILTER, { limit: 10 });
    expect(first.rows.map(({ id }) => id)).toEqual(Array.from({ length: 10 }, (_, at) => `a/${25 - at}`));
    expect(first.total).toBe(25);
    const second = store.query(NO_FILTER, { limit: 10, before: first.rows.at(-1)!.n });
    expect(second.rows[0]!.id).toBe("a/15");
  });

  it("keeps as many as it may, and finds nothing of the others", () => {
    const store = new AlertStore(10);
    for (let n = 1; n <= 1_000; n++)
      store.add(sampleAlert({ id: `a/${n}`, transactionId: `t${n}`, episode: String(n) }));
    expect(store.size).toBe(10);
    expect(store.query(NO_FILTER, all).rows.map(({ id }) => id)).toEqual(
      Array.from({ length: 10 }, (_, at) => `a/${1_000 - at}`),
    );
    expect(store.find("a/990")).toBeUndefined();
    expect(store.find("a/991")?.id).toBe("a/991");
    expect([store.close("a", "990"), store.close("a", "991"), store.close("a", "991")]).toEqual([false, true, false]);
  });

  it("filters by words, score, reason, kind and state", () => {
    const store = new AlertStore(100);
    store.add(
      sampleAlert({ id: "ada/1", account: "ada", transactionId: "t1", score: 400, place: "Lisbon, PT", episode: "1" }),
    );
    store.add(
      sampleAlert({
        id: "bob/1",
        account: "bob",
        transactionId: "t2",
        score: 900,
        kind: "escalated",
        place: "Lagos, NG",
        reasons: [{ code: "VELOCITY", points: 400 }],
        episode: "1",
      }),
    );
    const ids = (filter: Partial<typeof NO_FILTER>) =>
      store.query({ ...NO_FILTER, ...filter }, all).rows.map(({ id }) => id);
    expect(ids({ text: "lis ADA" })).toEqual(["ada/1"]);
    expect(ids({ text: "lis bob" })).toEqual([]);
    expect(ids({ minScore: 401 })).toEqual(["bob/1"]);
    expect(ids({ reason: "VELOCITY" })).toEqual(["bob/1"]);
    expect(ids({ kind: "opened" })).toEqual(["ada/1"]);
    store.setVerdict("ada", "t1", "FRAUD");
    store.close("bob", "1");
    expect([
      ids({ status: "fraud" }),
      ids({ status: "legitimate" }),
      ids({ status: "untriaged" }),
      ids({ status: "open" }),
    ]).toEqual([["ada/1"], [], ["bob/1"], ["ada/1"]]);
  });

  it("filters 20,000 in one go", () => {
    const store = new AlertStore(20_000);
    for (let n = 1; n <= 40_000; n++)
      store.add(sampleAlert({ id: `a/${n}`, transactionId: `t${n}`, episode: String(n), score: n % 1_000 }));
    const { total } = store.query({ ...NO_FILTER, text: "shop", minScore: 500 }, { limit: 100 });
    expect(total).toBe(10_000);
  });
});
