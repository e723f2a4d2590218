import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Evidence } from "../../protos/gen/fraud/v1/decision.js";
import { MerchantState, MerchantVerdict } from "../../protos/gen/fraud/v1/internal.js";
import { parseSettings } from "../settings.js";
import { sampleTransaction, START_MS } from "../testing/samples.js";
import { learnMerchant, learnMerchantVerdict } from "./learned-features.js";

const DAY = 86_400_000;
const NEVER = 86_400_000n;
const learned = (events: number) => parseSettings({ learned: { events } }).learned;

/** State as it is between two calls: bytes. */
const stored = (state: MerchantState): MerchantState => MerchantState.decode(MerchantState.encode(state).finish());

/** A merchant, step after step; times in days after the first. Transactions are of account `a` unless it is given. */
function merchant(events: number) {
  let state = MerchantState.fromPartial({});
  const at = (days: number): bigint => START_MS + BigInt(Math.round(days * DAY));
  const verdict = (transactionId: string, fraudDelta: number, days: number, accountId = "a") => {
    state = stored(state);
    const message = { accountId, transactionId, fraudDelta, effectiveAtMs: at(days) };
    learnMerchantVerdict(state, MerchantVerdict.fromPartial(message), learned(events));
  };
  return {
    sell(id: string, days: number, account: { ratioPermille?: bigint; fraudFromDays?: number; id?: string } = {}) {
      state = stored(state);
      const transaction = sampleTransaction({
        transactionId: id,
        accountId: account.id ?? "a",
        eventTimeMs: at(days),
      });
      const evidence = Evidence.fromPartial({
        account: {
          features: { ratioPermille: account.ratioPermille },
          knownFraudFromMs: account.fraudFromDays === undefined ? undefined : at(account.fraudFromDays),
        },
      });
      const { features, learnedIncomplete } = learnMerchant(state, transaction, evidence, learned(events));
      return { ...features, learnedIncomplete };
    },
    fraud: (id: string, days: number, accountId?: string) => verdict(id, 1, days, accountId),
    takeBack: (id: string, days: number) => verdict(id, -1, days),
    get past() {
      return state.past;
    },
    switchOff() {
      return learnMerchant(state, sampleTransaction(), Evidence.fromPartial({}), learned(0));
    },
  };
}

describe("a merchant's learned features", () => {
  it("are of what is known: by its delay, or earlier as fraud", () => {
    const one = merchant(20);
    expect(one.sell("genuine", 0)).toEqual({
      count1d: 0,
      count7d: 0,
      count30d: 0,
      risk1dPermille: 0,
      risk7dPermille: 0,
      risk30dPermille: 0,
      lastLabel: -1,
      run: 0,
      runAgeS: NEVER,
      runGapS: NEVER,
      runUnexplained: 0,
      runLeastRatioPermille: NEVER,
      genuineAgeS: NEVER,
      learnedIncomplete: false,
    });
    one.sell("f1", 1, { ratioPermille: 1_999n });
    one.sell("f2", 2, { ratioPermille: 2_000n });
    one.fraud("f1", 8);
    one.fraud("f2", 2.5);
    // Of f2 it is known early: it is in the run, and in no window until its delay has passed.
    expect(one.sell("x", 7.5)).toMatchObject({
      count30d: 1,
      risk30dPermille: 0,
      lastLabel: 1,
      run: 1,
      runAgeS: BigInt(5.5 * 86_400),
      runGapS: BigInt(2 * 86_400),
      runUnexplained: 0,
      runLeastRatioPermille: 2_000n,
      genuineAgeS: BigInt(7.5 * 86_400),
    });
    expect(one.sell("y", 9)).toMatchObject({
      count1d: 1,
      count7d: 3,
      count30d: 3,
      risk1dPermille: 1_000,
      risk7dPermille: 666,
      risk30dPermille: 666,
      run: 2,
      runAgeS: BigInt(8 * 86_400),
      runUnexplained: 1,
      runLeastRatioPermille: 1_999n,
    });
    // x was genuine: the run is over.
    expect(one.sell("z", 14.5)).toMatchObject({ lastLabel: 0, run: 0, genuineAgeS: BigInt(7 * 86_400) });
    one.takeBack("f2", 3);
    expect(one.sell("zz", 14.5)).toMatchObject({ risk30dPermille: 250 });
  });

  it("know accounts apart that have the same transaction ids", () => {
    const one = merchant(20);
    one.sell("t", 0, { id: "a" });
    one.sell("t", 0, { id: "b" });
    one.fraud("t", 7, "b");
    expect(one.sell("x", 7)).toMatchObject({ count30d: 2, risk30dPermille: 500 });
  });

  it("know a verdict that came before its transaction from the account's evidence", () => {
    const one = merchant(20);
    one.sell("f", 1, { fraudFromDays: 1 });
    expect(one.sell("x", 1.5)).toMatchObject({ run: 1, lastLabel: 1 });
  });

  it("go on with a run when its first frauds are no longer kept one by one", () => {
    const gone = merchant(3);
    const kept = merchant(200);
    for (let n = 0; n < 60; n++)
      for (const one of [gone, kept]) {
        one.sell(`t${n}`, 10 * n, { ratioPermille: BigInt(3_000 - 50 * n) });
        if (n >= 7) one.fraud(`t${n}`, 10 * n + 7);
      }
    const [found, expected] = [gone.sell("x", 600), kept.sell("x", 600)];
    expect(found).toEqual({ ...expected, learnedIncomplete: false });
    expect(found).toMatchObject({ run: 53, runUnexplained: 39, runLeastRatioPermille: 50n });
    expect(gone.past!.run).toMatchObject({ count: 51 });
  });

  it("take what comes after it should have left for what it is then", () => {
    const one = merchant(1);
    one.sell("a", 100);
    one.sell("f", 110, { fraudFromDays: 110 });
    one.sell("g", 120, { fraudFromDays: 120 });
    one.sell("h", 130);
    // Known are a, then f and g: a run of two.
    expect(one.past!.run).toMatchObject({ count: 2 });
    one.sell("before the run", 105);
    expect(one.past!.run).toMatchObject({ count: 2 });
    one.sell("fraud before the last genuine", 101, { fraudFromDays: 101 });
    expect(one.past!.run).toMatchObject({ count: 2 });
    one.sell("in the run", 115);
    expect(one.past!.run).toBeUndefined();
    expect(one.past!.lastGenuineMs).toBe(START_MS + BigInt(115 * DAY));
  });

  it("say when a window held more than is kept", () => {
    const one = merchant(1);
    one.sell("a", 0);
    one.sell("b", 1);
    expect(one.sell("c", 36.999)).toMatchObject({ learnedIncomplete: true });
    const other = merchant(1);
    other.sell("a", 0);
    other.sell("b", 1);
    expect(other.sell("c", 37)).toMatchObject({ learnedIncomplete: false });
    const early = sampleTransaction({ eventTimeMs: 1n });
    expect(
      learnMerchant(MerchantState.fromPartial({}), early, Evidence.fromPartial({}), learned(1)).learnedIncomplete,
    ).toBe(false);
  });

  it("are absent when they are off, and nothing is kept", () => {
    const one = merchant(3);
    one.sell("a", 0);
    expect(one.switchOff()).toEqual({ features: {}, learnedIncomplete: false });
    expect(one.past).toBeUndefined();
  });

  it("do not depend on the order in which transactions came, nor on that of labels", () => {
    const day = fc.double({ min: 0, max: 45, noNaN: true });
    const sale = fc.record({ days: day, ratioPermille: fc.bigInt({ min: 0n, max: 5_000n }), fraud: fc.option(day) });
    fc.assert(
      fc.property(
        fc
          .array(sale, { maxLength: 40 })
          .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray([...all.keys()], { minLength: all.length }))),
        day,
        ([sales, order], now) => {
          const outcomes = [[...sales.keys()], order].map((numbers) => {
            const one = merchant(64);
            for (const n of numbers) one.sell(`t${n}`, sales[n]!.days, { ratioPermille: sales[n]!.ratioPermille });
            for (const n of numbers) if (sales[n]!.fraud !== null) one.fraud(`t${n}`, sales[n]!.fraud);
            return one.sell("now", now);
          });
          expect(outcomes[1]).toEqual(outcomes[0]);
          const known = sales
            .filter(
              ({ days, fraud }) =>
                ms(days) <= ms(now) && ((fraud !== null && ms(fraud) <= ms(now)) || ms(days) <= ms(now - 7)),
            )
            .sort((a, b) => a.days - b.days);
          const isFraud = ({ fraud }: { fraud: number | null }) => fraud !== null && ms(fraud) <= ms(now);
          const run = known.slice(known.findLastIndex((one) => !isFraud(one)) + 1);
          // Of the same moment hashes tell which was first.
          if (new Set(known.map(({ days }) => ms(days))).size < known.length) return;
          const month = known.filter(({ days }) => ms(days) <= ms(now - 7) && ms(days) > ms(now - 37));
          expect(outcomes[0]).toMatchObject({
            run: run.length,
            runUnexplained: run.filter(({ ratioPermille }) => ratioPermille < 2_000n).length,
            count30d: month.length,
            risk30dPermille: month.length === 0 ? 0 : Math.floor((1000 * month.filter(isFraud).length) / month.length),
            lastLabel: known.length === 0 ? -1 : run.length > 0 ? 1 : 0,
          });
        },
      ),
      { numRuns: 300 },
    );
  });
});

const ms = (days: number): number => Number(START_MS) + Math.round(days * DAY);
