import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { AccountState } from "../../protos/gen/fraud/v1/internal.js";
import type { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { parseSettings } from "../settings.js";
import { sampleLabel, sampleTransaction, START_MS } from "../testing/samples.js";
import { learnAccount, learnAccountVerdict } from "./learned-features.js";
import { recordVerdict } from "./verdicts.js";

const DAY = 86_400_000;
const learned = (events: number, labelDelayMs = 7 * DAY) =>
  parseSettings({ learned: { events, labelDelayMs } }).learned;

/** Takes in a transaction of which nothing else is known. */
function learn(state: AccountState, transaction: Transaction, settings: ReturnType<typeof learned>) {
  state.seq++;
  return learnAccount(state, transaction, settings, {
    latestMs: state.latestEventTimeMs,
    counted: { merchantVisits: undefined, travelSpeedKmh: undefined },
  });
}

/** State as it is between two calls: bytes. */
const stored = (state: AccountState): AccountState => AccountState.decode(AccountState.encode(state).finish());

/** An account, step after step; times in days after the first. */
function account(events: number, labelDelayMs?: number) {
  const settings = learned(events, labelDelayMs);
  let state = AccountState.fromPartial({});
  const at = (days: number): bigint => START_MS + BigInt(Math.round(days * DAY));
  return {
    spend(id: string, days: number, amountMinor: number | bigint) {
      state = stored(state);
      const transaction = { transactionId: id, eventTimeMs: at(days), amountMinor: BigInt(amountMinor) };
      const { features, ...rest } = learn(state, sampleTransaction(transaction), settings);
      return { ...features, ...rest };
    },
    judge(id: string, delta: 1 | -1, days: number) {
      state = stored(state);
      learnAccountVerdict(state, id, { delta, effectiveAtMs: at(days) }, settings);
    },
    get state() {
      return state;
    },
    switchOff() {
      return learn(state, sampleTransaction(), learned(0));
    },
  };
}

describe("an account's learned features", () => {
  it("count windows at the transaction's own time, and what is genuine from its delay on", () => {
    const one = account(10);
    one.spend("a", 0, 100);
    one.spend("b", 6.5, 300);
    expect(one.spend("c", 7, 900)).toEqual({
      count1d: 2,
      count7d: 2,
      count30d: 3,
      meanMinor1d: 600n,
      meanMinor7d: 600n,
      meanMinor30d: 433n,
      genuineCount: 1n,
      ratioPermille: 9_000n,
      zPermille: 0n,
      largestRatio7dPermille: 9_000n,
      secondRatio7dPermille: 3_000n,
      unusual7dPermille: 1_000,
      veryUnusual7d: 2,
      knownFraudAgeS: 86_400_000n,
      learnedIncomplete: false,
      knownFraudFromMs: undefined,
    });
    // 100 and 300 are genuine: their mean is 200, their standard deviation 100.
    expect(one.spend("d", 13.5, 250)).toMatchObject({ genuineCount: 2n, ratioPermille: 1_250n, zPermille: 500n });
    expect(one.spend("e", 13.5, 149)).toMatchObject({ zPermille: -510n });
  });

  it("know a fraud from its label on, and take back what was genuine until then", () => {
    const one = account(10);
    one.spend("a", 0, 100);
    one.spend("b", 1, 700);
    one.judge("a", 1, 9);
    expect(one.spend("c", 8.5, 100)).toMatchObject({ genuineCount: 2n, knownFraudAgeS: 86_400_000n });
    expect(one.spend("d", 9, 100)).toMatchObject({ genuineCount: 1n, ratioPermille: 142n, knownFraudAgeS: 777_600n });
    one.judge("a", 1, 9);
    expect(one.spend("e", 9, 100)).toMatchObject({ genuineCount: 1n });
    one.judge("a", -1, 9);
    expect(one.spend("f", 9, 100)).toMatchObject({ genuineCount: 2n, knownFraudAgeS: 86_400_000n });
  });

  it("are not changed by labels of what never came, has left, or will come", () => {
    const one = account(2);
    one.spend("a", 0, 100);
    one.spend("b", 1, 100);
    one.judge("later", 1, 1);
    one.spend("c", 20, 100);
    const { past } = one.state;
    expect(past).toMatchObject({ genuineCount: 1n, genuineAmountMinor: 100n, lastFraudMs: 0n });
    one.judge("a", 1, 20);
    expect(one.state.past).toEqual(past);
    one.spend("later", 20, 100);
    expect(one.spend("d", 28, 100)).toMatchObject({ genuineCount: 4n, knownFraudAgeS: 86_400_000n });
  });

  it("see no later transaction when one comes late, but what has left", () => {
    const one = account(2);
    one.spend("a", 10, 100);
    one.spend("b", 20, 500);
    expect(one.spend("late", 5, 300)).toMatchObject({ count30d: 1, meanMinor30d: 300n, genuineCount: 0n });
    // It was the oldest of three, so it left at once, and counts as genuine from then on.
    expect(one.spend("c", 10, 300)).toMatchObject({ count30d: 2, genuineCount: 1n, learnedIncomplete: true });
    expect(one.spend("d", 60, 300)).toMatchObject({ genuineCount: 4n, learnedIncomplete: false });
  });

  it("say when a window or the wait for labels held more than is kept", () => {
    for (const [delayDays, lastDay] of [
      [7, 31],
      [40, 41],
    ] as const) {
      const one = account(1, delayDays * DAY);
      one.spend("a", 1, 100);
      expect(one.spend("b", 2, 100).learnedIncomplete).toBe(false);
      expect(one.spend("c", lastDay - 0.001, 100).learnedIncomplete).toBe(true);
    }
    const one = account(1);
    one.spend("a", 1, 100);
    one.spend("b", 2, 100);
    expect(one.spend("c", 31, 100).learnedIncomplete).toBe(false);
    // Switched on later, with transactions that it has not kept.
    const old = AccountState.fromPartial({ latestEventTimeMs: START_MS });
    const incomplete = [0, 29, 30].map((days) => {
      const transaction = sampleTransaction({ eventTimeMs: START_MS + BigInt(days * DAY) });
      return learn(stored(old), transaction, learned(8)).learnedIncomplete;
    });
    expect(incomplete).toEqual([true, true, false]);
    const early = sampleTransaction({ eventTimeMs: 1n });
    expect(learn(AccountState.fromPartial({}), early, learned(1)).learnedIncomplete).toBe(false);
  });

  it("remember a verdict that came before its transaction, which knows nothing of it itself", () => {
    const state = AccountState.fromPartial({});
    recordVerdict(state, sampleLabel({ transactionId: "a", effectiveAtMs: START_MS }), 16);
    const first = learn(state, sampleTransaction({ transactionId: "a" }), learned(4));
    expect(first).toMatchObject({ knownFraudFromMs: START_MS, features: { knownFraudAgeS: 86_400_000n } });
    const next = sampleTransaction({ transactionId: "b", eventTimeMs: START_MS + 5_000n });
    expect(learn(state, next, learned(4))).toMatchObject({
      knownFraudFromMs: undefined,
      features: { knownFraudAgeS: 5n },
    });
  });

  it("stay within their fields with the greatest amounts", () => {
    const most = 10n ** 15n;
    const one = account(3, 1);
    for (let n = 0; n < 8; n++) one.spend(`t${n}`, n, n === 0 ? 1n : most);
    const past = one.state.past!;
    expect((past.genuineSquaresHigh << 64n) | past.genuineSquaresLow).toBe(4n * most * most + 1n);
    const none = account(3, 1);
    none.spend("t0", 0, 1);
    none.spend("t1", 1, 1);
    none.spend("t2", 2, 2);
    expect(none.spend("t3", 3, most)).toMatchObject({
      ratioPermille: 2n ** 53n - 1n,
      meanMinor1d: most,
      meanMinor7d: (most + 4n) / 4n,
    });
    expect(stored(none.state)).toEqual(none.state);
  });

  it("are absent when they are off, and nothing is kept", () => {
    const one = account(3);
    one.spend("a", 0, 100);
    expect(one.switchOff()).toEqual({ features: {}, learnedIncomplete: false, knownFraudFromMs: undefined });
    expect(one.state.past).toBeUndefined();
  });

  it("are the same from stored state as from a list of everything, in any order of what comes", () => {
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          id: fc.nat(30),
          days: fc.double({ min: 0, max: 45, noNaN: true }),
          amount: fc.oneof(fc.nat(50), fc.nat(10 ** 15)),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          judged: fc.nat(30),
          delta: fc.constantFrom(1, -1),
          days: fc.double({ min: 0, max: 45, noNaN: true }),
        }),
      },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const one = account(64);
        const all: { id: number; days: number; amount: number; fraudFrom?: number | undefined }[] = [];
        for (const now of steps) {
          if ("judged" in now) {
            one.judge(`t${now.judged}`, now.delta, now.days);
            for (const past of all)
              if (past.id === now.judged) past.fraudFrom = now.delta === 1 ? ms(now.days) : undefined;
            continue;
          }
          const found = one.spend(`t${now.id}`, now.days, now.amount);
          const at = ms(now.days);
          const before = all.filter(({ days }) => ms(days) <= at);
          const amounts = (days: number) => [
            ...before.filter((past) => ms(past.days) > at - days * DAY).map(({ amount }) => BigInt(amount)),
            BigInt(now.amount),
          ];
          const isFraud = ({ fraudFrom }: { fraudFrom?: number | undefined }) =>
            fraudFrom !== undefined && fraudFrom <= at;
          const genuine = before
            .filter((past) => !isFraud(past) && ms(past.days) <= at - 7 * DAY)
            .map(({ amount }) => BigInt(amount));
          const ratio = (amount: bigint) => {
            const exact = sum(genuine) === 0n ? 0n : (1000n * amount * BigInt(genuine.length)) / sum(genuine);
            return exact > 2n ** 53n - 1n ? 2n ** 53n - 1n : exact;
          };
          const ratios = amounts(7)
            .map(ratio)
            .sort((a, b) => Number(b - a));
          const frauds = before.filter(isFraud).map(({ days }) => ms(days));
          expect(found).toMatchObject({
            count1d: amounts(1).length,
            count7d: amounts(7).length,
            count30d: amounts(30).length,
            meanMinor1d: sum(amounts(1)) / BigInt(amounts(1).length),
            meanMinor7d: sum(amounts(7)) / BigInt(amounts(7).length),
            meanMinor30d: sum(amounts(30)) / BigInt(amounts(30).length),
            genuineCount: BigInt(genuine.length),
            ratioPermille: ratio(BigInt(now.amount)),
            largestRatio7dPermille: ratios[0],
            secondRatio7dPermille: ratios[1] ?? 0n,
            unusual7dPermille: Math.floor((1000 * ratios.filter((one) => one > 2000n).length) / ratios.length),
            veryUnusual7d: ratios.filter((one) => one > 2500n).length,
            knownFraudAgeS: frauds.length === 0 ? 86_400_000n : BigInt(Math.floor((at - Math.max(...frauds)) / 1000)),
            learnedIncomplete: false,
          });
          all.push({ ...now });
        }
      }),
      { numRuns: 300 },
    );
  });
});

const ms = (days: number): number => Number(START_MS) + Math.round(days * DAY);
const sum = (values: readonly bigint[]): bigint => values.reduce((total, value) => total + value, 0n);
