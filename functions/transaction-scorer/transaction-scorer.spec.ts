import { describe, expect, it } from "vitest";

import { Outcome, type ScoringEvidence } from "../../protos/gen/fraud/v1/decision.js";
import { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { TestRuntime } from "../../statefun/testing/test-runtime.js";
import { accountCounterOf } from "../addresses.js";
import type { Dependencies } from "../dependencies.js";
import { fraudFunctions } from "../fraud-functions.js";
import { written } from "../testing/outcome.js";
import { sampleDependencies, sampleTransaction } from "../testing/samples.js";
import { type Model, parseModel } from "./model.js";

/** One split: an amount above ten is declined, another approved. */
const treesOver = (feature: string, id: string): Model =>
  parseModel(
    Buffer.from(
      JSON.stringify({
        id,
        kind: "trees",
        description: "",
        features: [feature],
        trainedOn: { firstDay: 0, lastDay: 1 },
        training: {},
        reviewAt: 500,
        declineAt: 900,
        thresholds: {},
        ordinary: [5],
        probability: { margins: [-5_000_000, 5_000_000], values: [10_000, 990_000] },
        score: { margins: [-5_000_000, 5_000_000], values: [0, 1000] },
        trees: [{ feature: [0], threshold: [10], left: [-1], right: [-2], leaf: [-5_000_000, 5_000_000] }],
      }),
    ),
  );
const AMOUNT = treesOver("amount_minor", "by-amount");
/** Nobody knows how far the account has travelled: it can score nothing. */
const TRAVEL = treesOver("account.travel_distance_m", "by-travel");
const UNKNOWN = Buffer.alloc(32, 7);
const hashOf = ({ hash }: Model): Buffer => Buffer.from(hash);

async function scored(
  stamps: Partial<Pick<Transaction, "modelHash" | "challengerHash">>,
  change: Partial<Dependencies> = {},
) {
  const dependencies = { ...sampleDependencies(), otherModels: [AMOUNT, TRAVEL], ...change };
  const runtime = new TestRuntime(fraudFunctions(dependencies), { seed: 1 });
  runtime.ingress(accountCounterOf("a"), Transaction, sampleTransaction({ amountMinor: 2_000n, ...stamps }));
  await runtime.run();
  const { decisions } = written(runtime);
  expect(decisions).toHaveLength(1);
  return {
    scoring: decisions[0]!.evidence!.scoring!,
    counts: (dependencies as ReturnType<typeof sampleDependencies>).counts,
  };
}

describe("a transaction", () => {
  it("is scored by the server's first model where it names none, and by the one that it names", async () => {
    expect((await scored({})).scoring).toMatchObject({ modelId: "sample", challenger: undefined });
    expect((await scored({ modelHash: hashOf(AMOUNT) })).scoring).toMatchObject({
      modelId: "by-amount",
      modelHash: hashOf(AMOUNT),
      score: 1000,
      outcome: Outcome.DECLINE,
      marginE6: 5_000_000n,
      probabilityPpm: 990_000,
      contributions: [{ feature: "amount_minor", marginE6: 10_000_000n }],
      reasons: [{ code: "AMOUNT_MINOR", points: 1000 }],
      suspiciousSeq: 1n,
      error: "",
    });
  });

  it("is an error that says so where it names a model that the server does not have: no other decides instead", async () => {
    const { scoring, counts } = await scored({ modelHash: UNKNOWN });
    expect(scoring).toMatchObject({ modelId: "", modelHash: UNKNOWN, score: 0, outcome: Outcome.ERROR });
    expect(scoring.error).toBe(
      `transaction-scorer: this server does not have the model ${"07".repeat(32)} that the transaction names; FRAUD_MODEL lists the files of those that it has`,
    );
    expect(counts.get("unknown_models")).toBe(1);
  });

  it("is an error where the model lacks a feature", async () => {
    expect((await scored({ modelHash: hashOf(TRAVEL) })).scoring).toMatchObject({
      outcome: Outcome.ERROR,
      modelId: "by-travel",
      error: "transaction-scorer: the model by-travel needs account.travel_distance_m, which is not known",
    });
  });
});

describe("a challenger", () => {
  const champion = async (): Promise<ScoringEvidence> => (await scored({ modelHash: hashOf(AMOUNT) })).scoring;

  it("leaves its score, and changes nothing else", async () => {
    const sample = sampleDependencies().model;
    const { scoring } = await scored({ modelHash: hashOf(AMOUNT), challengerHash: hashOf(sample) });
    expect({ ...scoring, challenger: undefined }).toEqual(await champion());
    expect(scoring.challenger).toMatchObject({
      modelId: "sample",
      modelHash: hashOf(sample),
      score: 0,
      probabilityPpm: undefined,
      outcome: Outcome.APPROVE,
      marginE6: undefined,
      error: "",
    });
    expect((await scored({ challengerHash: hashOf(AMOUNT) })).scoring).toMatchObject({
      modelId: "sample",
      outcome: Outcome.APPROVE,
      reasons: [],
      contributions: [],
      suspiciousSeq: undefined,
      challenger: {
        modelId: "by-amount",
        score: 1000,
        probabilityPpm: 990_000,
        outcome: Outcome.DECLINE,
        marginE6: 5_000_000n,
        error: "",
      },
    });
  });

  it.each<[string, Buffer, Partial<Dependencies>, RegExp]>([
    ["that the server does not have", UNKNOWN, {}, /^transaction-scorer: this server does not have the model 0707/],
    ["that lacks a feature", hashOf(TRAVEL), {}, /^transaction-scorer: the model by-travel needs/],
    [
      "that fails",
      hashOf(TRAVEL),
      // Nothing that a model file can hold does this.
      { otherModels: [AMOUNT, { ...TRAVEL, definition: undefined as never }] },
      /^transaction-scorer: TypeError: /,
    ],
  ])("%s leaves its error, and the champion decides as without it", async (_, challengerHash, change, error) => {
    const { scoring } = await scored({ modelHash: hashOf(AMOUNT), challengerHash }, change);
    expect({ ...scoring, challenger: undefined }).toEqual(await champion());
    expect(scoring.challenger).toMatchObject({ modelHash: challengerHash, score: 0, outcome: Outcome.ERROR });
    expect(scoring.challenger!.error).toMatch(error);
  });

  it("scores on where the champion fails", async () => {
    expect((await scored({ modelHash: UNKNOWN, challengerHash: hashOf(AMOUNT) })).scoring).toMatchObject({
      outcome: Outcome.ERROR,
      challenger: { score: 1000, error: "" },
    });
  });
});
