import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { beforeAll, describe, expect, it } from "vitest";

import type { RawRecord } from "../contract/raw-record.js";
import { accountCounterOf } from "../functions/addresses.js";
import { fraudFunctions } from "../functions/fraud-functions.js";
import { logicVersion, parseSettings } from "../functions/settings.js";
import { sampleDependencies, sampleLabel, sampleTransaction, START_MS } from "../functions/testing/samples.js";
import { parseModel } from "../functions/transaction-scorer/model.js";
import { type JsonObject, RecordDecoder } from "../kafka/decode.js";
import { Decision, Evidence, Outcome, type ScoringEvidence } from "../protos/gen/fraud/v1/decision.js";
import { FraudLabel, Transaction } from "../protos/gen/fraud/v1/transaction.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import { TestRuntime } from "../statefun/testing/test-runtime.js";
import { knownModels } from "../verifier/reference/scoring.js";
import { knownVersions } from "../verifier/reference/settings.js";
import { assemble, type Material } from "./assemble.js";
import { tracePage } from "./page.js";
import { traceLines } from "./text.js";
import type { CommitFinding, Trace } from "./types.js";

const MODEL = Buffer.from(
  JSON.stringify({
    id: "spec",
    kind: "points",
    description: "",
    reviewAt: 300,
    declineAt: 600,
    rules: [
      { code: "QUICK", description: "", points: 350, when: [{ feature: "account.velocity_count", atLeast: 3 }] },
      { code: "FRAUD", description: "", points: 400, when: [{ feature: "merchant.fraud_rate_permille", atLeast: 10 }] },
    ],
  }),
);
const COMMIT: CommitFinding = {
  kind: "commit",
  offset: 99n,
  atMs: Number(START_MS) + 1_200,
  visibleAtMs: Number(START_MS) + 1_250,
};

type Topics = Record<"transactions.valid" | "labels.valid" | "decisions" | "evidence" | "alerts", RawRecord[]>;
let topics: Topics;

/**
 * Account `a` at two merchants, another account at one of them, and a verdict between: ten transactions `t-0` to `t-9`.
 */
beforeAll(async () => {
  const settings = parseSettings({});
  let clock = START_MS;
  const functions = fraudFunctions({
    ...sampleDependencies(),
    settings,
    model: parseModel(MODEL),
    logicVersion: logicVersion(settings),
    now: () => (clock += 10n),
  });
  const runtime = new TestRuntime(functions, { seed: 1 });
  const records: Topics = { "transactions.valid": [], "labels.valid": [], decisions: [], evidence: [], alerts: [] };
  const put = (topic: keyof Topics, key: string, value: Buffer): void =>
    void records[topic].push({
      topic,
      partition: 0,
      offset: BigInt(records[topic].length),
      timestampMs: Number(START_MS),
      key: Buffer.from(key),
      value,
    });
  for (let n = 0; n < 10; n++) {
    const transaction = sampleTransaction({
      transactionId: `t-${n}`,
      accountId: n % 3 === 2 ? "b" : "a",
      merchantId: n % 2 === 0 ? "m0" : "m1",
      amountMinor: BigInt(1_000 + n),
      eventTimeMs: START_MS + BigInt(n * 1000),
      origin: { topic: "transactions", partition: 0, offset: BigInt(n) },
    });
    put("transactions.valid", transaction.accountId, Buffer.from(Transaction.encode(transaction).finish()));
    runtime.ingress(accountCounterOf(transaction.accountId), Transaction, transaction);
    await runtime.run();
    if (n === 4) {
      const label = sampleLabel({ labelId: "l-0", accountId: "a", transactionId: "t-0", merchantId: "m0" });
      put("labels.valid", "a", Buffer.from(FraudLabel.encode(label).finish()));
      runtime.ingress(accountCounterOf("a"), FraudLabel, label);
      await runtime.run();
    }
  }
  for (const topic of ["decisions", "evidence", "alerts"] as const)
    for (const { key, value } of runtime.kafka(topic))
      put(topic, key, Buffer.from(Any.encode({ typeUrl: value.typeUrl, value: Buffer.from(value.value) }).finish()));
  topics = records;
});

/** The trace of a transaction of account `a`, after changes to the topics. */
function trace(
  transactionId: string,
  change: Partial<Topics> = {},
  {
    cut = false,
    commit = COMMIT,
    known = {},
  }: { cut?: boolean; commit?: CommitFinding | undefined; known?: Partial<Material["known"]> } = {},
): Trace {
  const now = { ...topics, ...change };
  const entered = now["transactions.valid"]
    .map((record) => ({ record, transaction: Transaction.decode(record.value!) }))
    .filter(({ transaction }) => transaction.transactionId === transactionId);
  const partitions = [
    { topic: "decisions", partition: 0, from: cut ? 3n : 0n, lastStableOffset: 100n, highWatermark: 100n },
  ];
  return assemble(
    {
      transactionId,
      accountId: "a",
      sightings: { entered, refused: [], partitions: [] },
      related: {
        decisions: now.decisions,
        evidence: now.evidence,
        alerts: now.alerts,
        labels: now["labels.valid"],
        partitions,
      },
      known: { versions: knownVersions([{}]), models: knownModels([MODEL]), ...known },
    },
    commit,
  );
}

/** The decisions with one altered. */
function altered(transactionId: string, edit: (decision: Decision) => void): Partial<Topics> {
  return {
    decisions: topics.decisions.map((record) => {
      const { typeUrl, value } = Any.decode(record.value!);
      const decision = Decision.decode(value);
      if (decision.evidence!.transaction!.transactionId !== transactionId) return record;
      edit(decision);
      return {
        ...record,
        value: Buffer.from(Any.encode({ typeUrl, value: Buffer.from(Decision.encode(decision).finish()) }).finish()),
      };
    }),
  };
}

describe("a trace", () => {
  it("derives every decision again, byte for byte", () => {
    for (const id of ["t-0", "t-1", "t-3", "t-4", "t-6", "t-7", "t-9"])
      expect(trace(id).rederivation, id).toMatchObject({
        verdict: "identical",
        summary: expect.stringMatching(/^byte-identical: \d+ bytes/) as string,
      });
    // Six transactions and the verdict between them; at its merchant five of both accounts.
    expect(trace("t-9").rederivation!.parts).toMatchObject({ account: { replayed: 8 }, merchant: { replayed: 5 } });
    expect(trace("t-6").rederivation!.parts.merchant.replayed).toBe(5);
  });

  it("shows the way and the time of each hop", () => {
    const { hops, entered, state } = trace("t-3");
    expect(state).toBe("decided");
    expect(entered).toEqual({ door: "Kafka", origin: "transactions 0@3", place: "transactions.valid 0@3", again: [] });
    expect(hops.map(({ name }) => name)).toEqual([
      "entered",
      "counted",
      "merchant",
      "scored",
      "written",
      "committed",
      "visible",
      "alert",
    ]);
    expect(hops.slice(2, 4).map(({ tookMs }) => tookMs)).toEqual([10, 10]);
    expect(hops.find(({ name }) => name === "visible")).toMatchObject({ tookMs: 50 });
  });

  it("shows the alerts of its episode, the verdict on it and what that changed", () => {
    expect(trace("t-3").alerts).toMatchObject([
      { kind: "OPENED", cause: "FIRST", byThis: true, alertId: "a/1" },
      { byThis: false },
    ]);
    const labelled = trace("t-0");
    expect(labelled.labels).toMatchObject([{ labelId: "l-0", verdict: "FRAUD" }]);
    expect(labelled.stateEvents.map(({ address, fraudDelta }) => [address, fraudDelta])).toEqual([
      ["fraud/account-counter/a", 1],
      ["fraud/merchant-model/m0", 1],
    ]);
    expect(labelled.alerts).toEqual([]);
  });

  it("is plain JSON, a page and lines", () => {
    const whole = trace("t-3");
    expect(JSON.parse(JSON.stringify(whole))).toEqual(JSON.parse(JSON.stringify(whole, undefined, 2)));
    for (const [amountMinor, currency, text] of [
      [1_999n, "JPY", "1,999 JPY"],
      [123_450n, "KWD", "123.450 KWD"],
      [0n, "EUR", "0.00 EUR"],
    ] as const) {
      const { value } = new RecordDecoder().decode(
        "transactions.valid",
        Buffer.from(Transaction.encode(sampleTransaction({ amountMinor, currency })).finish()),
      );
      const changed = { ...whole, transaction: value as JsonObject };
      expect(tracePage(changed).text).toContain(`<td class="">${text}</td>`);
      expect(traceLines(changed, 100).join("\n")).toContain(`${text}, used `);
    }
    expect(tracePage(whole).text).toContain('<p class="verdict good">✔ Derived again from the topics: byte-identical');
    const lines = traceLines(whole, 100).join("\n");
    for (const part of ["t-3", "account a", "QUICK 350", "event_seq", "transactions.valid 0@3", "byte-identical"])
      expect(lines).toContain(part);
  });

  it("shows a model's probability and contributions, and what a challenger said in shadow", () => {
    const shown = trace(
      "t-3",
      altered("t-3", ({ evidence }) => {
        Object.assign(evidence!.scoring!, {
          probabilityPpm: 124_200,
          contributions: [{ feature: "amount_minor", marginE6: -129_999n }],
          challenger: {
            modelId: "<b>next",
            modelHash: Buffer.alloc(32, 1),
            score: 750,
            probabilityPpm: 990_000,
            outcome: Outcome.DECLINE,
            marginE6: undefined,
            error: "",
          },
        } satisfies Partial<ScoringEvidence>);
      }),
    );
    const said = "says DECLINE, score 750, 99.0 % likely fraud; it does not agree, and changes nothing";
    const lines = traceLines(shown, 100).join("\n");
    for (const part of [
      "score 350, 12.4 % likely fraud",
      `challenger: <b>next ${said}`,
      "contribution amount_minor −129999",
      "challenger.model_hash 010101010101…",
    ])
      expect(lines).toContain(part);
    const { text } = tracePage(shown);
    for (const part of ["REVIEW, score 350, 12.4 % likely fraud by spec", `&lt;b&gt;next ${said}`])
      expect(text).toContain(part);
    expect(text).not.toContain("<b>next");
    const plain = traceLines(trace("t-3"), 100).join("\n");
    for (const part of ["likely fraud", "challenger", "contribution"]) expect(plain).not.toContain(part);
  });

  it("says that there is not a decision yet, and that the commit is not known", () => {
    expect(trace("t-4", { decisions: [] }, { commit: undefined })).toMatchObject({
      state: "pending",
      decision: undefined,
      rederivation: undefined,
      hops: [{ name: "entered" }],
    });
    expect(trace("t-4", {}, { commit: { kind: "unknown", reason: "nobody answers" } }).commit).toEqual({
      how: "unknown",
      source: "nobody answers",
    });
  });
});

describe("a trace of a transaction that came again after its account had forgotten it", () => {
  it("shows the last decision, its own record, and where it was decided before", async () => {
    const settings = { account: { recentTransactions: 2 } };
    const parsed = parseSettings(settings);
    let clock = START_MS;
    const functions = fraudFunctions({
      ...sampleDependencies(),
      settings: parsed,
      model: parseModel(MODEL),
      logicVersion: logicVersion(parsed),
      now: () => (clock += 10n),
    });
    const runtime = new TestRuntime(functions, { seed: 1 });
    const entered: RawRecord[] = [];
    const first = sampleTransaction();
    for (const transaction of [
      first,
      ...[1, 2, 3].map((n) => sampleTransaction({ transactionId: `o-${n}`, eventTimeMs: START_MS + BigInt(n) })),
      first,
    ]) {
      const value = Buffer.from(Transaction.encode(transaction).finish());
      entered.push({
        topic: "transactions.valid",
        partition: 0,
        offset: BigInt(entered.length),
        timestampMs: Number(clock),
        key: Buffer.from("a"),
        value,
      });
      runtime.ingress(accountCounterOf("a"), Transaction, transaction);
      await runtime.run();
    }
    const decisions = runtime.kafka("decisions").map(({ key, value }, n): RawRecord => ({
      topic: "decisions",
      partition: 0,
      offset: BigInt(n),
      timestampMs: 0,
      key: Buffer.from(key),
      value: Buffer.from(Any.encode({ typeUrl: value.typeUrl, value: Buffer.from(value.value) }).finish()),
    }));
    const sightings = {
      entered: [0, 4].map((n) => ({ record: entered[n]!, transaction: first })),
      refused: [],
      partitions: [],
    };
    const again = assemble(
      {
        transactionId: "t-1",
        accountId: "a",
        sightings,
        related: { decisions, evidence: [], alerts: [], labels: [], partitions: [] },
        known: { versions: knownVersions([settings]), models: knownModels([MODEL]) },
      },
      COMMIT,
    );
    expect(again).toMatchObject({
      state: "decided",
      decision: { place: "decisions 0@4", possibleRepeat: true, earlier: ["decisions 0@0"] },
      entered: { place: "transactions.valid 0@4", again: ["transactions.valid 0@0"] },
      rederivation: { verdict: "identical" },
    });
    for (const text of [traceLines(again, 100).join("\n"), tracePage(again).text])
      expect(text).toContain("decided before, in decisions 0@0");
  });
});

describe("a trace turns red when", () => {
  it("a feature of the account was altered", () => {
    const { verdict, parts } = trace(
      "t-4",
      altered("t-4", ({ evidence }) => (evidence!.account!.features!.dayCount += 1)),
    ).rederivation!;
    expect(verdict).toBe("different");
    expect(parts.account.differences).toEqual([{ field: "account.features.dayCount", found: "5", expected: "4" }]);
    expect(parts.merchant.verdict).toBe("identical");
    expect(
      tracePage(
        trace(
          "t-4",
          altered("t-4", ({ evidence }) => (evidence!.account!.features!.dayCount += 1)),
        ),
      ).text,
    ).toContain('<p class="verdict bad">✘');
  });

  it("a feature of the merchant, a score, a number or the transaction was altered", () => {
    const fields = (edit: (decision: Decision) => void) =>
      Object.values(trace("t-4", altered("t-4", edit)).rederivation!.parts).flatMap(({ differences }) =>
        differences.map(({ field }) => field),
      );
    expect(fields(({ evidence }) => (evidence!.merchant!.features!.recentAmountMinor += 1n))).toEqual([
      "merchant.features.recentAmountMinor",
    ]);
    expect(fields(({ evidence }) => (evidence!.scoring!.score += 1))).toEqual(["scoring.score"]);
    expect(fields(({ evidence }) => (evidence!.scoring!.suspiciousSeq = 9n))).toEqual(["scoring.suspiciousSeq"]);
    expect(fields(({ evidence }) => (evidence!.account!.seq += 1n))).toEqual(["account.seq"]);
    expect(fields(({ evidence }) => (evidence!.transaction!.merchantName = "another"))).toEqual([
      "transaction.merchantName",
    ]);
  });

  it("an earlier transaction was altered: it changes what the replay gives", () => {
    expect(
      trace(
        "t-4",
        altered("t-1", ({ evidence }) => (evidence!.transaction!.amountMinor += 1n)),
      ).rederivation,
    ).toMatchObject({ verdict: "different", parts: { account: { verdict: "different" } } });
  });

  it("the fields agree and the bytes do not", () => {
    // The evidence with its first field moved to the end: the same message, other bytes.
    const decisions = topics.decisions.map((record) => {
      const { typeUrl, value } = Any.decode(record.value!);
      const { evidence, timing } = Decision.decode(value);
      if (evidence!.transaction!.transactionId !== "t-4") return record;
      const { transaction, ...rest } = evidence!;
      const body = Buffer.concat([
        Evidence.encode({ transaction: undefined, ...rest }).finish(),
        Evidence.encode({ transaction, account: undefined, merchant: undefined, scoring: undefined }).finish(),
      ]);
      const whole = Buffer.concat([
        new BinaryWriter().uint32(10).bytes(body).finish(),
        Decision.encode({ evidence: undefined, timing }).finish(),
      ]);
      return { ...record, value: Buffer.from(Any.encode({ typeUrl, value: whole }).finish()) };
    });
    expect(trace("t-4", { decisions }).rederivation).toMatchObject({
      verdict: "different",
      summary: expect.stringContaining("the fields agree, the bytes do not") as string,
    });
  });
});

describe("a trace says what it cannot look at", () => {
  const without = (ids: readonly string[]) => ({
    decisions: topics.decisions.filter(
      ({ value }) => !ids.includes(Decision.decode(Any.decode(value!).value).evidence!.transaction!.transactionId),
    ),
  });

  it("retention cut the beginning off", () => {
    const { verdict, summary, parts } = trace("t-4", without(["t-0", "t-1"]), { cut: true }).rederivation!;
    expect(verdict).toBe("cut-off");
    expect(summary).toContain("account: retention cut it off: event_seq 1..2 is no longer there");
    expect(parts.scoring.verdict).toBe("identical");
    // Neither good nor bad.
    expect(tracePage(trace("t-4", without(["t-0", "t-1"]), { cut: true })).text).toContain(
      '<p class="verdict">– Derived again',
    );
  });

  it("an input is missing though retention removed nothing, or is there twice", () => {
    expect(trace("t-4", without(["t-1"])).rederivation).toMatchObject({
      verdict: "incomplete",
      summary: expect.stringContaining("event_seq 2 is not in the topics") as string,
    });
    expect(
      trace("t-4", { decisions: [...topics.decisions, { ...topics.decisions[0]!, offset: 1000n }] }).rederivation,
    ).toMatchObject({
      verdict: "incomplete",
      parts: { account: { note: expect.stringContaining("twice") as string } },
    });
  });

  it("the label of a verdict is gone", () => {
    expect(trace("t-9", { "labels.valid": [] }, { cut: true }).rederivation!.parts.account).toMatchObject({
      verdict: "cut-off",
      note: expect.stringContaining("label l-0 revision 1") as string,
    });
  });

  it("its version or model is not known here", () => {
    expect(trace("t-4", {}, { known: { versions: new Map() } }).rederivation).toMatchObject({
      verdict: "unknown",
      summary: expect.stringContaining("--settings") as string,
    });
    expect(trace("t-4", {}, { known: { models: new Map() } }).rederivation!.parts).toMatchObject({
      scoring: { verdict: "unknown" },
      account: { verdict: "identical" },
    });
  });
});
