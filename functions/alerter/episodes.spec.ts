import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Outcome } from "../../protos/gen/fraud/v1/decision.js";
import { Alert_Cause, Alert_Kind } from "../../protos/gen/fraud/v1/evidence.js";
import { AlerterState, SuspiciousDecision } from "../../protos/gen/fraud/v1/internal.js";
import { sampleTransaction } from "../testing/samples.js";
import { onSuspicious, onTimer } from "./episodes.js";

const settings = { gapMs: 100, closeAfterMs: 1, escalateAt: [3] };
const fresh = () => AlerterState.fromPartial({});
const suspicious = (seq: number, eventTimeMs: number, outcome = Outcome.REVIEW) =>
  SuspiciousDecision.fromPartial({
    suspiciousSeq: BigInt(seq),
    score: 400,
    outcome,
    transaction: sampleTransaction({ eventTimeMs: BigInt(eventTimeMs), amountMinor: 10n }),
  });
const brief = (alerts: ReturnType<typeof onSuspicious>) =>
  alerts.map(({ kind, cause, episode, lastSuspiciousSeq }) => [
    Alert_Kind[kind],
    Alert_Cause[cause],
    Number(episode),
    Number(lastSuspiciousSeq),
  ]);

describe("an episode", () => {
  it("opens once, escalates at a count, and ends after a gap in event time", () => {
    const state = fresh();
    expect(brief(onSuspicious(state, suspicious(1, 1000), settings))).toEqual([["OPENED", "FIRST", 1, 1]]);
    expect(onSuspicious(state, suspicious(2, 1100), settings)).toEqual([]);
    const [escalation] = onSuspicious(state, suspicious(3, 1200), settings);
    expect(escalation).toMatchObject({
      kind: Alert_Kind.ESCALATED,
      cause: Alert_Cause.COUNT,
      suspiciousCount: 3,
      suspiciousAmountMinor: 30n,
      alertSeq: 2n,
    });
    expect(brief(onSuspicious(state, suspicious(4, 1301), settings))).toEqual([
      ["CLOSED", "GAP", 1, 3],
      ["OPENED", "FIRST", 2, 4],
    ]);
  });

  it("escalates at its first decline only", () => {
    const state = fresh();
    onSuspicious(state, suspicious(1, 1000), settings);
    expect(brief(onSuspicious(state, suspicious(2, 1001, Outcome.DECLINE), settings))).toEqual([
      ["ESCALATED", "DECLINE", 1, 2],
    ]);
    expect(brief(onSuspicious(state, suspicious(3, 1002, Outcome.DECLINE), settings))).toEqual([
      ["ESCALATED", "COUNT", 1, 3],
    ]);
    expect(onSuspicious(state, suspicious(4, 1003, Outcome.DECLINE), settings)).toEqual([]);
  });

  it("is closed by its timer when nothing came since, and by no other", () => {
    const state = fresh();
    onSuspicious(state, suspicious(1, 1000), settings);
    onSuspicious(state, suspicious(2, 1001), settings);
    expect(onTimer(state, { episode: 1n, lastSuspiciousSeq: 1n })).toBe("later");
    expect(onTimer(state, { episode: 9n, lastSuspiciousSeq: 2n })).toBeUndefined();
    expect(onTimer(state, { episode: 1n, lastSuspiciousSeq: 2n })).toMatchObject({
      kind: Alert_Kind.CLOSED,
      cause: Alert_Cause.TIMER,
      lastSuspiciousSeq: 2n,
    });
    expect(onTimer(state, { episode: 1n, lastSuspiciousSeq: 2n })).toBeUndefined();
    expect(brief(onSuspicious(state, suspicious(3, 1002), settings))).toEqual([["OPENED", "FIRST", 2, 3]]);
  });

  it("numbers alerts without a gap, and opens and closes in turn", () => {
    const step = fc.oneof(
      fc.record({ advance: fc.integer({ min: 0, max: 150 }), decline: fc.boolean() }),
      fc.constant("timer" as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const state = fresh();
        const alerts = [];
        let seq = 0;
        let time = 1000;
        for (const step of steps) {
          if (step === "timer") {
            const closed = onTimer(state, { episode: state.episode, lastSuspiciousSeq: state.lastSuspiciousSeq });
            if (typeof closed === "object") alerts.push(closed);
          } else {
            time += step.advance;
            alerts.push(
              ...onSuspicious(
                state,
                suspicious(++seq, time, step.decline ? Outcome.DECLINE : Outcome.REVIEW),
                settings,
              ),
            );
          }
        }
        expect(alerts.map(({ alertSeq }) => alertSeq)).toEqual(alerts.map((_, n) => BigInt(n + 1)));
        let open = false;
        for (const { kind } of alerts) {
          expect(open).toBe(kind !== Alert_Kind.OPENED);
          open = kind !== Alert_Kind.CLOSED;
        }
      }),
    );
  });
});
