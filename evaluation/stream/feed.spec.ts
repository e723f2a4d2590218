import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type DayPipeline, feedDays } from "./feed.js";

/** A pipeline that takes its time with everything, and notes what was finished when something began. */
function slowPipeline(scheduler: fc.Scheduler) {
  const decided = new Set<number>();
  const labelled = new Set<number>();
  const began: { what: string; day: number; decided: number[]; labelled: number[] }[] = [];
  const waiting: (() => void)[] = [];
  const changed = (): void => waiting.splice(0).forEach((go) => go());
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const upTo = (done: Set<number>, day: number): boolean =>
    Array.from({ length: day + 1 }, (_, n) => n).every((n) => done.has(n));
  const begin = (what: string, day: number): void =>
    void began.push({ what, day, decided: [...decided], labelled: [...labelled] });
  const later = (into: Set<number>, day: number): void =>
    void scheduler.schedule(Promise.resolve(), `${day}`).then(() => {
      into.add(day);
      changed();
    });
  const pipeline: DayPipeline = {
    async sendTransactions(day) {
      begin("transactions", day);
      later(decided, day);
      await scheduler.schedule(Promise.resolve());
    },
    async sendLabels(day) {
      if (day < 0) return;
      begin("labels", day);
      later(labelled, day);
      await scheduler.schedule(Promise.resolve());
    },
    decided: (day) => until(() => upTo(decided, day)),
    labelled: (day) => until(() => upTo(labelled, day)),
    useModel: (model) => Promise.resolve(begin(model, -1)),
  };
  return { pipeline, began };
}

const count = fc.integer({ min: 1, max: 20 });

describe("the days of a data set, sent through a pipeline", () => {
  it("wait for the labels that count, and labels and models for decisions, however slow each is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), count, fc.nat(20), fc.constantFrom(undefined, 1, 2), async (...drawn) => {
        const [scheduler, days, change, labelDays] = drawn;
        const { pipeline, began } = slowPipeline(scheduler);
        const modelOf = (day: number) => (day === change ? "another model" : undefined);
        await scheduler.waitFor(feedDays(days, pipeline, modelOf, labelDays));
        const before = (day: number): number[] => Array.from({ length: Math.max(0, day) }, (_, n) => n);
        expect(began.filter(({ what }) => what === "transactions").map(({ day }) => day)).toEqual(before(days));
        for (const { what, day, decided, labelled } of began) {
          if (what === "transactions")
            expect(labelled).toEqual(expect.arrayContaining(before(day + 1 - (labelDays ?? 7))));
          else if (what === "labels") expect(decided).toContain(day);
          else expect(decided.toSorted((a, b) => a - b)).toEqual(before(change));
        }
        expect(began.filter(({ what }) => what === "another model")).toHaveLength(change < days ? 1 : 0);
      }),
    );
  });
});
