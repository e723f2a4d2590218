import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ACCOUNT_COUNTER, MERCHANT_MODEL } from "../contract/function-names.js";
import { logicVersion, parseSettings } from "../functions/settings.js";
import { Decision } from "../protos/gen/fraud/v1/decision.js";
import { StateEvent, StateEvent_Kind } from "../protos/gen/fraud/v1/evidence.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import { completeSettings, versionName } from "./reference/settings.js";
import { edited } from "./testing/falsified.js";
import {
  broken,
  examples,
  FORGETFUL,
  judged,
  KNOWN,
  NEW,
  OLD,
  PLACES,
  play,
  type Step,
  step,
} from "./testing/played-run.js";

describe("the verifier", () => {
  it("names versions as the functions do", () => {
    for (const settings of [{}, OLD, NEW, PLACES])
      expect(versionName(completeSettings(settings))).toBe(logicVersion(parseSettings(settings)));
  });

  it("reproduces whatever the functions did, in any interleaving, with crashes and upgrades", async () => {
    const totals: Record<string, number> = {};
    const learned: Record<string, number> = {};
    const count = (name: string, is: boolean) => (learned[name] = (learned[name] ?? 0) + Number(is));
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 60 }),
        fc.nat(),
        fc.constantFrom(0, 0.03),
        async (steps, seed, crashRate) => {
          const records = await play(steps, seed, crashRate);
          const found = await judged(records, KNOWN);
          expect(examples(found)).toEqual([]);
          for (const { name, checked } of found.properties) totals[name] = (totals[name] ?? 0) + checked;
          for (const { value } of records.decisions) {
            const { account, merchant } = Decision.decode(Any.decode(value!).value).evidence!;
            count("account's past left out", account!.learnedIncomplete);
            count("merchant's past left out", merchant!.learnedIncomplete);
            count("label before its transaction", account!.knownFraudFromMs !== undefined);
            count("genuine known", account!.features!.genuineCount! > 0n);
            count("fraud known", merchant!.features!.run! > 0);
          }
          for (const { value } of records.evidence) {
            const { kind, function: of } = StateEvent.decode(Any.decode(value!).value);
            count("account at rest", kind === StateEvent_Kind.REST && of === ACCOUNT_COUNTER);
            count("merchant at rest", kind === StateEvent_Kind.REST && of === MERCHANT_MODEL);
          }
        },
      ),
      { numRuns: 150, seed: 1 },
    );
    for (const [name, checked] of Object.entries(totals)) expect(checked, name).toBeGreaterThan(100);
    for (const [name, times] of Object.entries(learned)) expect(times, name).toBeGreaterThan(50);
  });
});

describe("the features of places", () => {
  it("are reproduced whatever comes, with labels early and late, without places, and switched on and off", async () => {
    const met: Record<string, number> = {};
    const count = (name: string, is: boolean) => (met[name] = (met[name] ?? 0) + Number(is));
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 60 }),
        fc.nat(),
        fc.constantFrom(0, 0.03),
        fc.constantFrom([PLACES, PLACES], [PLACES, NEW]),
        async (steps, seed, crashRate, versions) => {
          const records = await play(steps, seed, crashRate, undefined, versions);
          expect(examples(await judged(records, KNOWN))).toEqual([]);
          for (const { value } of records.decisions) {
            const { features, learnedIncomplete } = Decision.decode(Any.decode(value!).value).evidence!.account!;
            const { onWeb, usualDistanceM, newMerchants7d, newWeb7d, far7d, fastest7dKmh } = features!;
            count("off", onWeb === undefined);
            count("on the web", onWeb === 1);
            count("near the usual place", usualDistanceM !== undefined && usualDistanceM < 100_000n);
            count("far from it", usualDistanceM !== undefined && usualDistanceM > 100_000n);
            count("known far ones", (far7d ?? 0) > 1);
            count("new ones", (newMerchants7d ?? 0) > (newWeb7d ?? 0) && newWeb7d! > 0);
            count("journeys", fastest7dKmh !== undefined);
            count("switched on lately", onWeb !== undefined && learnedIncomplete);
          }
        },
      ),
      { numRuns: 300, seed: 3 },
    );
    for (const [name, times] of Object.entries(met)) expect(times, name).toBeGreaterThan(20);
  });

  it("call far what is more than 100,000 m from the usual place, to the metre", async () => {
    const home = { latitudeE6: 47_000_000, longitudeE6: 8_000_000 };
    const spent = (account: number, latitudeE6: number, minutes: number): Step => ({
      kind: "transaction",
      account,
      merchant: 0,
      minutes,
      amount: 100,
      place: { ...home, latitudeE6 },
      foretold: false,
    });
    // Two that are known after an hour, and as far as that, and a metre farther.
    const steps = [spent(0, 47_000_000, 0), spent(1, 47_000_000, 0), spent(0, 47_899_068, 60), spent(1, 47_899_077, 0)];
    const records = await play(steps, 5, 0, undefined, [PLACES, PLACES]);
    expect(examples(await judged(records, KNOWN))).toEqual([]);
    const found = records.decisions
      .map(({ value }) => Decision.decode(Any.decode(value!).value).evidence!.account!.features!)
      .map(({ usualDistanceM, far7d }) => [usualDistanceM, far7d]);
    expect(found).toEqual(
      expect.arrayContaining([
        [undefined, 0],
        [100_000n, 0],
        [100_001n, 1],
      ]),
    );
  });
});

describe("a place of exactly 0, 0", () => {
  const NOWHERE = { latitudeE6: 0, longitudeE6: 0 };
  const LISBON = { latitudeE6: 38_722_300, longitudeE6: -9_139_300 };
  const MADRID = { latitudeE6: 40_416_800, longitudeE6: -3_703_800 };
  const steps = [NOWHERE, LISBON, NOWHERE, MADRID, null, NOWHERE, LISBON].map((place): Step => ({
    kind: "transaction",
    account: 0,
    merchant: 0,
    minutes: 60,
    amount: 100,
    place,
    foretold: false,
  }));

  it("is none to the functions and to the verifier", async () => {
    const records = await play(steps, 5, 0);
    expect(examples(await judged(records, KNOWN))).toEqual([]);
    expect(
      records.decisions.map(
        ({ value }) => Decision.decode(Any.decode(value!).value).evidence!.account!.features!.travelDistanceM,
      ),
    ).toEqual([undefined, undefined, undefined, 502_990n, undefined, undefined, 502_990n]);
  });

  it("gives a journey away that should not be", async () => {
    const { decisions, ...others } = await play(steps, 5, 0);
    const forged = edited(decisions, 2, Decision, ({ evidence }) =>
      Object.assign(evidence!.account!.features!, {
        travelDistanceM: 4_000_000n,
        travelElapsedMs: 3_600_000n,
        travelSpeedKmh: 4_000n,
      }),
    );
    expect(broken(await judged({ ...others, decisions: forged }, KNOWN))).toContain("account-features");
  });
});

describe("a memory of repeats that is too short", () => {
  const forgetful = (steps: readonly Step[], seed: number, crashRate = 0) =>
    play(steps, seed, crashRate, undefined, [FORGETFUL, OLD]);

  it("decides again what it has forgotten, each marked, and the verifier expects it", async () => {
    let again = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 20, maxLength: 80 }),
        fc.nat(),
        fc.constantFrom(0, 0.03),
        async (steps, seed, crashRate) => {
          const found = await judged(await forgetful(steps, seed, crashRate), KNOWN);
          expect(examples(found)).toEqual([]);
          again += found.decidedAgain ?? 0;
        },
      ),
      { numRuns: 60, seed: 4 },
    );
    expect(again).toBeGreaterThan(20);
  });

  it("is found out when a mark is missing or wrong, and when the memory is shorter than it says", async () => {
    const steps = fc.sample(step, { numRuns: 300, seed: 11 });
    const records = await forgetful(steps, 5);
    expect(broken(await judged(records, KNOWN))).toEqual([]);
    const decisions = records.decisions.map(({ value }) => Decision.decode(Any.decode(value!).value).evidence!);
    const marked = decisions.findIndex(
      ({ account, transaction }, n) =>
        account!.possibleRepeat &&
        decisions
          .slice(0, n)
          .some(
            (one) =>
              one.transaction!.transactionId === transaction!.transactionId &&
              one.transaction!.contentHash.equals(transaction!.contentHash),
          ),
    );
    const plain = decisions.findIndex(({ account }) => !account!.possibleRepeat);
    const flip = (at: number) => ({
      ...records,
      decisions: edited(
        records.decisions,
        at,
        Decision,
        ({ evidence }) => (evidence!.account!.possibleRepeat = !evidence!.account!.possibleRepeat),
      ),
    });
    expect(broken(await judged(flip(marked), KNOWN))).toEqual(["duplicate", "account-features"]);
    expect(broken(await judged(flip(plain), KNOWN))).toEqual(["account-features"]);
    expect(broken(await judged(await play(steps, 5, 0, { recentTransactions: 2 }, [OLD, OLD]), KNOWN))).toEqual([
      "account-features",
    ]);
    const lying = records.decisions
      .map((_, n) => n)
      .reduce(
        (all, n) => edited(all, n, Decision, ({ evidence }) => (evidence!.account!.forgottenSeq = 0n)),
        records.decisions,
      );
    expect(broken(await judged({ ...records, decisions: lying }, KNOWN))).toEqual(
      expect.arrayContaining(["duplicate", "account-features"]),
    );
  });
});
