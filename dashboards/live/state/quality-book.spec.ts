import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Decision, Outcome } from "../../../protos/gen/fraud/v1/decision.js";
import { repositoryModels } from "../models.js";
import { sampleDecision, sampleTreesDecision } from "../testing/samples.js";
import type { ModelQuality, VerdictName } from "../wire.js";
import { type CountedDecision, QualityBook } from "./quality-book.js";

const models = repositoryModels();
const hashOf = (decision: ReturnType<typeof sampleDecision>): string =>
  Buffer.from(decision.evidence!.scoring!.modelHash).toString("hex");
const POINTS = { modelId: "points-v1", modelHash: hashOf(sampleDecision()) };
const TREES = { modelId: "handbook-day-157", modelHash: hashOf(sampleTreesDecision()) };

const decision = (fields: Partial<CountedDecision> = {}): CountedDecision => ({
  accountId: "a",
  transactionId: "t1",
  amountMinor: 1_000,
  currency: "EUR",
  outcome: Outcome.REVIEW,
  score: 450,
  payload: Buffer.alloc(0),
  ...POINTS,
  ...fields,
});
const only = (book: QualityBook, nowMs = 0): ModelQuality => {
  const all = book.models(nowMs);
  expect(all).toHaveLength(1);
  return all[0]!;
};

describe("QualityBook", () => {
  it("brings a verdict together with its decision, whichever of the two comes first", () => {
    const book = new QualityBook(10, models);
    book.onDecided(decision(), null, 0);
    expect(only(book)).toMatchObject({ suspicious: { decided: 1, frauds: 0, genuine: 0 }, value: [] });
    book.onVerdict("a", "t1", "FRAUD");
    book.onDecided(decision({ transactionId: "t2", outcome: Outcome.APPROVE, score: 0 }), "FRAUD", 0);
    expect(book.labelled).toBe(2);
    expect(only(book)).toMatchObject({
      modelId: "points-v1",
      thresholds: { reviewAt: 400, declineAt: 700 },
      suspicious: { decided: 1, frauds: 1, genuine: 0 },
      approved: { decided: 1, frauds: 1, genuine: 0 },
      value: [{ currency: "EUR", detectedMinor: 1_000, missedMinor: 1_000 }],
      scores: [
        { score: 0, decided: 1, frauds: 1, genuine: 0 },
        { score: 450, decided: 1, frauds: 1, genuine: 0 },
      ],
      drift: null,
    });
  });

  it("moves a count when a verdict is revised, and none when it is repeated", () => {
    const book = new QualityBook(10, models);
    book.onDecided(decision(), null, 0);
    for (const verdict of ["FRAUD", "FRAUD", "LEGITIMATE", "LEGITIMATE"] as const) book.onVerdict("a", "t1", verdict);
    expect(only(book)).toMatchObject({ suspicious: { decided: 1, frauds: 0, genuine: 1 }, value: [] });
    expect(book.labelled).toBe(1);
  });

  it("says nothing of verdicts on what it does not know, any more or at all", () => {
    const book = new QualityBook(1, models);
    book.onVerdict("a", "t1", "FRAUD");
    book.onDecided(decision(), "FRAUD", 0);
    book.onDecided(decision({ transactionId: "t2" }), null, 0);
    book.onVerdict("a", "t1", "LEGITIMATE");
    expect(only(book)).toMatchObject({ suspicious: { decided: 1, frauds: 0, genuine: 0 }, value: [] });
    expect(book.labelled).toBe(0);
  });

  it("leaves out what could not be scored, and tells models apart", () => {
    const book = new QualityBook(10, models);
    book.onDecided(decision({ outcome: Outcome.ERROR }), null, 0);
    expect(book.models(0)).toEqual([]);
    book.onDecided(decision({ transactionId: "t2" }), null, 0);
    book.onDecided(decision({ transactionId: "t3", ...TREES }), null, 0);
    book.onDecided(decision({ transactionId: "t4", modelId: "unknown", modelHash: "00" }), null, 0);
    expect(book.models(0).map(({ modelId, thresholds }) => [modelId, thresholds?.reviewAt])).toEqual([
      ["unknown", undefined],
      ["handbook-day-157", 395],
      ["points-v1", 400],
    ]);
  });

  it("knows eight models, however many there are", () => {
    const book = new QualityBook(100, models);
    for (let n = 0; n < 20; n++)
      book.onDecided(decision({ transactionId: `t${n}`, modelId: `m${n}`, modelHash: String(n) }), null, 0);
    expect(book.models(0).map(({ modelId }) => modelId)).toEqual(Array.from({ length: 8 }, (_, n) => `m${19 - n}`));
  });

  it("tells how the scores of 15 minutes are spread, from 1,000 on", () => {
    const book = new QualityBook(5_000, models);
    const decide = (count: number, score: number, atMs: number): void => {
      for (let n = 0; n < count; n++)
        book.onDecided(decision({ transactionId: `${atMs}-${score}-${n}`, score, ...TREES }), null, atMs);
    };
    decide(2_000, 1_000, 0);
    decide(780, 0, 20 * 60_000);
    decide(195, 399, 21 * 60_000);
    decide(22, 400, 22 * 60_000);
    expect(only(book, 22 * 60_000).drift).toMatchObject({ decisions: 997, index: null });
    decide(3, 600, 34 * 60_000);
    const { drift } = only(book, 34 * 60_000);
    expect(drift!.bands.map(({ from, share }) => [from, share])).toEqual([
      ["0", 0.78],
      ["200", 0.195],
      ["400", 0.022],
      ["600", 0.003],
    ]);
    // The same as the recording rule's test has for these shares.
    expect(drift!.index).toBeCloseTo(0.1122, 4);
    expect(only(book, 36 * 60_000).drift!.decisions).toBe(25);
  });

  it("tells how main features are spread, by twenty decisions a second", () => {
    const book = new QualityBook(5_000, models);
    const reference = models.find(TREES.modelHash)!.definition;
    if (reference.kind !== "trees") throw new Error("a model of trees");
    const amounts = reference.reference!.find(({ feature }) => feature === "amount_minor")!;
    const payload = (amountMinor: number): Uint8Array => {
      const sample = sampleTreesDecision();
      sample.evidence!.transaction!.amountMinor = BigInt(amountMinor);
      return Decision.encode(sample).finish();
    };
    // One value of each band, a hundred times over.
    const values = [0, ...amounts.bounds].map(payload);
    for (let n = 0; n < 1_000; n++)
      book.onDecided(
        decision({ transactionId: `t${n}`, payload: values[n % values.length]!, ...TREES }),
        null,
        Math.floor(n / 20) * 1_000,
      );
    // Too many in one second: not looked at.
    for (let n = 0; n < 100; n++)
      book.onDecided(decision({ transactionId: `u${n}`, payload: values[0]!, ...TREES }), null, 49_000);
    const drifts = only(book, 49_000).featureDrift;
    expect(drifts.map(({ feature }) => feature)).toEqual(reference.reference!.map(({ feature }) => feature));
    expect(drifts.find(({ feature }) => feature === "amount_minor")).toMatchObject({
      decisions: 1_000,
      label: "Amount",
    });
    expect(drifts.find(({ feature }) => feature === "amount_minor")!.index).toBeLessThan(0.001);
    // The sample has the same number of transactions all along.
    expect(drifts.find(({ feature }) => feature === "account.count_30d")!.index).toBeGreaterThan(0.25);
    // What it does not know is in no band.
    expect(drifts.find(({ feature }) => feature === "merchant.genuine_age_s")).toMatchObject({
      decisions: 0,
      index: null,
    });
    book.onDecided(decision({ transactionId: "p" }), null, 49_000);
    expect(book.models(49_000)[0]).toMatchObject({ modelId: "points-v1", featureDrift: [] });
    // Unless the model says what stands for it.
    const withUnknown = { ...models.find(TREES.modelHash)!, definition: { ...reference, unknown: -1 } };
    const other = new QualityBook(10, Object.assign(repositoryModels(), { find: () => withUnknown }));
    other.onDecided(decision({ payload: values[0]!, ...TREES }), null, 0);
    const { bands } = only(other).featureDrift.find(({ feature }) => feature === "merchant.genuine_age_s")!;
    expect(bands.map(({ share }) => share)).toEqual(bands.map((_, n) => (n === 0 ? 1 : 0)));
  });

  it("has what one gets by counting the newest decisions again", () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant("decide" as const),
        id: fc.nat(9),
        score: fc.integer({ min: 0, max: 1000 }),
        amountMinor: fc.nat(1_000),
        outcome: fc.constantFrom(Outcome.APPROVE, Outcome.REVIEW, Outcome.DECLINE),
      }),
      fc.record({
        kind: fc.constant("verdict" as const),
        id: fc.nat(9),
        verdict: fc.constantFrom<VerdictName>("FRAUD", "LEGITIMATE"),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), (steps, limit) => {
        const book = new QualityBook(limit, models);
        const verdicts = new Map<number, VerdictName>();
        let newest: Extract<(typeof steps)[number], { kind: "decide" }>[] = [];
        for (const one of steps) {
          if (one.kind === "verdict") {
            verdicts.set(one.id, one.verdict);
            book.onVerdict("a", `t${one.id}`, one.verdict);
          } else {
            newest = [...newest.filter(({ id }) => id !== one.id), one].slice(-limit);
            book.onDecided(decision({ ...one, transactionId: `t${one.id}` }), verdicts.get(one.id) ?? null, 0);
          }
        }
        const count = (some: typeof newest): object => ({
          decided: some.length,
          frauds: some.filter(({ id }) => verdicts.get(id) === "FRAUD").length,
          genuine: some.filter(({ id }) => verdicts.get(id) === "LEGITIMATE").length,
        });
        if (newest.length === 0) {
          expect(book.models(0)).toEqual([]);
          return;
        }
        const { suspicious, approved, scores, value } = only(book);
        const isSuspicious = ({ outcome }: (typeof newest)[number]): boolean => outcome !== Outcome.APPROVE;
        expect(suspicious).toEqual(count(newest.filter(isSuspicious)));
        expect(approved).toEqual(count(newest.filter((one) => !isSuspicious(one))));
        expect(scores).toEqual(
          [...new Set(newest.map(({ score }) => score))]
            .sort((a, b) => a - b)
            .map((score) => ({ score, ...count(newest.filter((one) => one.score === score)) })),
        );
        const frauds = newest.filter(({ id }) => verdicts.get(id) === "FRAUD");
        expect(value.reduce((sum, { detectedMinor, missedMinor }) => sum + detectedMinor + missedMinor, 0)).toBe(
          frauds.reduce((sum, { amountMinor }) => sum + amountMinor, 0),
        );
      }),
    );
  });
});
