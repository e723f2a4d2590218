import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { ProcessActivity } from "../../process/process-activity.js";
import { HangDetector, type Miss } from "./hang-detector.js";

const ROUND_MS = 2_000;
const STOPPED: ProcessActivity = { cpuSeconds: 5, working: false, stopped: true };
const WAITING: ProcessActivity = { cpuSeconds: 5, working: false, stopped: false };

/** A process that is asked every two seconds; `seen` says what differs from one that waits in silence. */
function asked(
  rounds: number,
  seen: (round: number) => Partial<Miss> | "answer",
  detector = new HangDetector(),
): { readonly why: string; readonly afterMs: number } | undefined {
  for (let round = 0; round < rounds; round++) {
    const atMs = round * ROUND_MS;
    const one = seen(round);
    if (one === "answer") {
      detector.answered();
      continue;
    }
    const why = detector.missed({ atMs, heard: "silence", activity: WAITING, waitsForAnother: false, ...one });
    if (why !== undefined) return { why, afterMs: atMs };
  }
  return undefined;
}

/** It has answered before. */
const known = (): HangDetector => {
  const detector = new HangDetector();
  detector.answered();
  return detector;
};

/** Uses so much of a processor from round to round. */
const using = (share: number, working = share > 0.5) => ({
  activity: (round: number): ProcessActivity => ({
    cpuSeconds: (share * round * ROUND_MS) / 1000,
    working,
    stopped: false,
  }),
});

describe("a process hangs", () => {
  it("that was stopped and does not go on, ready or not, whoever it waits for", () => {
    const first = asked(20, () => ({ activity: STOPPED }), known());
    expect(first).toEqual({ why: "it was stopped by a signal, and did not go on for 8 s", afterMs: 8_000 });
    expect(asked(20, () => ({ activity: STOPPED, waitsForAnother: true, heard: "refusal" }))).toEqual(first);
  });

  it("that is silent and does nothing", () => {
    expect(asked(20, () => ({}), known())).toEqual({
      why: "it answered nothing for 8 s, and did nothing",
      afterMs: 8_000,
    });
  });

  it("whose own threads go on a little, and happen to be seen at it", () => {
    const { activity } = using(0.01);
    const found = asked(20, (round) => ({ activity: { ...activity(round), working: round % 3 === 0 } }), known());
    expect(found?.afterMs).toBe(8_000);
  });

  it("from when it stops working, not before", () => {
    const busyUntil = 12;
    const { activity } = using(0.9);
    const found = asked(
      60,
      (round) => ({ activity: round < busyUntil ? activity(round) : { ...activity(busyUntil), working: false } }),
      known(),
    );
    expect(found?.afterMs).toBe((busyUntil + 4) * ROUND_MS);
  });

  it("that turns round and round, by its own processor time", () => {
    expect(asked(100, (round) => ({ activity: using(1).activity(round) }), known())).toEqual({
      why: "it used 60 s of processor time, and answered nothing in 60 s",
      afterMs: 60_000,
    });
    expect(asked(100, (round) => ({ activity: using(0.5, true).activity(round) }), known())?.afterMs).toBe(120_000);
  });

  it("that never answered since it started, or refuses to, and does nothing for two minutes", () => {
    expect(asked(200, () => ({}))?.afterMs).toBe(120_000);
    expect(asked(200, () => ({ heard: "refusal" }), known())?.afterMs).toBe(120_000);
  });
});

describe("a process does not hang", () => {
  it.each<[string, (round: number) => Partial<Miss> | "answer"]>([
    ["that works, however slowly it answers", (round) => ({ activity: using(0.4, true).activity(round) })],
    ["that gets no processor at all", () => ({ activity: { ...WAITING, working: true } })],
    ["that has little of a processor, in short turns", (round) => ({ activity: using(0.04, false).activity(round) })],
    ["that answers now and then", (round) => (round % 5 === 4 ? "answer" : {})],
    ["that was stopped for a moment, and again", (round) => (round % 5 === 4 ? "answer" : { activity: STOPPED })],
    ["that waits for another that does not answer", () => ({ waitsForAnother: true })],
    ["that starts, and waits", () => ({ heard: "refusal" })],
    [
      "whose processes are exchanged for others over and over",
      (round) => ({ activity: { ...WAITING, cpuSeconds: 5 - round * 0.01 } }),
    ],
  ])("%s", (_, seen) => {
    expect(asked(55, seen, known())).toBeUndefined();
  });

  it("whatever it did, once it answers", () => {
    const miss = fc.record({
      heard: fc.constantFrom("silence", "refusal"),
      activity: fc.record({
        cpuSeconds: fc.double({ min: 0, max: 1_000, noNaN: true }),
        working: fc.boolean(),
        stopped: fc.boolean(),
      }),
      waitsForAnother: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(miss, { maxLength: 30 }), fc.array(miss, { maxLength: 4 }), (before, after) => {
        const detector = known();
        for (const [round, one] of before.entries()) detector.missed({ atMs: round * ROUND_MS, ...one });
        detector.answered();
        const spun = Math.max(0, ...after.map(({ activity }) => activity.cpuSeconds)) >= 60;
        for (const [round, one] of after.entries())
          if (!spun) expect(detector.missed({ atMs: (100 + round) * ROUND_MS, ...one })).toBeUndefined();
      }),
    );
  });

  it("that works in most rounds, whatever else is seen", () => {
    const seen = fc.record({ heard: fc.constantFrom("silence", "refusal"), waitsForAnother: fc.boolean() });
    fc.assert(
      fc.property(fc.array(seen, { minLength: 10, maxLength: 25 }), fc.nat(4), (rounds, idle) => {
        const detector = known();
        for (const [round, one] of rounds.entries()) {
          const activity = { cpuSeconds: 0, working: round % 5 !== idle, stopped: false };
          expect(detector.missed({ atMs: round * ROUND_MS, activity, ...one })).toBeUndefined();
        }
      }),
    );
  });
});
