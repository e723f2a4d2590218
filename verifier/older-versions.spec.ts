import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

import { describe, expect, it } from "vitest";

import { Decision } from "../protos/gen/fraud/v1/decision.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import type { StoredRecord, VerifiedRecords } from "./records.js";
import { edited } from "./testing/falsified.js";
import { broken, examples, judged, KNOWN } from "./testing/played-run.js";

const TOPICS: Readonly<Record<keyof VerifiedRecords, string>> = {
  transactions: "transactions.valid",
  labels: "labels.valid",
  decisions: "decisions",
  evidence: "evidence",
  alerts: "alerts",
  rejected: "functions.rejected",
};

/** A run that the functions of both versions have worked through, each by its own code. */
function recorded(older: string, newer: string): VerifiedRecords {
  const file = readFileSync(new URL(`./testing/recorded/versions-${older}-and-${newer}.json.gz`, import.meta.url));
  const values = JSON.parse(gunzipSync(file).toString()) as Record<keyof VerifiedRecords, string[]>;
  const records = (of: keyof VerifiedRecords): StoredRecord[] =>
    values[of].map((value, offset) => ({
      topic: TOPICS[of],
      partition: 0,
      offset: BigInt(offset),
      value: Buffer.from(value, "base64"),
    }));
  return {
    transactions: records("transactions"),
    labels: records("labels"),
    decisions: records("decisions"),
    evidence: records("evidence"),
    alerts: records("alerts"),
    rejected: records("rejected"),
  };
}

const evidenceOf = ({ value }: VerifiedRecords["decisions"][number]) =>
  Decision.decode(Any.decode(value!).value).evidence!;

describe.each([
  ["4", "6"],
  ["5", "6"],
  ["7", "8"],
] as const)("a run of version %s, upgraded in the middle to %s", (older, newer) => {
  const records = recorded(older, newer);

  it("is replayed, each record by the version that made it", async () => {
    const versions = records.decisions.map((one) => evidenceOf(one).account!.logicVersion.split("+")[0]);
    for (const version of [older, newer])
      expect(versions.filter((one) => one === version).length, version).toBeGreaterThan(30);
    expect(new Set(versions).size).toBe(2);
    const found = await judged(records, KNOWN);
    expect(examples(found)).toEqual([]);
    expect(broken(found)).toEqual([]);
  });

  it("shows what the older version did otherwise than it should have", async () => {
    const at = records.decisions.findIndex(
      (one) =>
        evidenceOf(one).account!.logicVersion.startsWith(`${older}+`) &&
        (evidenceOf(one).account!.features!.travelDistanceM ?? 0n) > 1_000_000n,
    );
    expect(at).toBeGreaterThanOrEqual(0);
    const decisions = edited(records.decisions, at, Decision, ({ evidence }) => {
      const features = evidence!.account!.features!;
      features.travelDistanceM = features.travelDistanceM! + 1n;
    });
    expect(broken(await judged({ ...records, decisions }, KNOWN))).toContain("account-features");
  });
});

it("places that version 8 has kept are dropped when version 7 takes a transaction in between", () => {
  const of = recorded("7", "8").decisions.map((one) => evidenceOf(one));
  const began = of.filter(({ account, transaction }, n) => {
    const before = of.slice(0, n).findLast((one) => one.transaction!.accountId === transaction!.accountId);
    return (
      account!.features!.onWeb !== undefined &&
      account!.learnedIncomplete &&
      before !== undefined &&
      before.account!.features!.onWeb === undefined
    );
  });
  expect(began.length).toBeGreaterThan(0);
});
