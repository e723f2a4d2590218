import { describe, expect, it } from "vitest";

import { TOPICS } from "../../../contract/topics.js";
import { Outcome } from "../../../protos/gen/fraud/v1/decision.js";
import {
  Alert,
  Alert_Cause,
  Alert_Kind,
  RejectedRecord,
  RejectReason,
  StateEvent,
  StateEvent_Kind,
} from "../../../protos/gen/fraud/v1/evidence.js";
import { FraudLabel, Transaction, Verdict } from "../../../protos/gen/fraud/v1/transaction.js";
import { Any } from "../../../protos/gen/google/protobuf/any.js";
import { repositoryModels } from "../models.js";
import {
  decisionRecord,
  fedRecord,
  sampleDecision,
  sampleDecisionRecord,
  SAMPLE_PIPELINE,
} from "../testing/samples.js";
import { Dashboard } from "./dashboard.js";

const models = repositoryModels();
const newDashboard = () => {
  const dashboard = new Dashboard({ keepAlerts: 100, keepDecisions: 1_000, models });
  dashboard.caughtUp();
  return dashboard;
};
interface Message<T> {
  readonly $type: string;
  encode(message: T): { finish(): Uint8Array };
}
const any = <T>(type: Message<T>, message: T): Buffer =>
  Buffer.from(
    Any.encode({
      typeUrl: `type.googleapis.com/${type.$type}`,
      value: Buffer.from(type.encode(message).finish()),
    }).finish(),
  );
const alertBytes = (fields: Partial<Alert> = {}): Buffer =>
  any(
    Alert,
    Alert.fromPartial({
      alertId: "a/1",
      accountId: "a",
      alertSeq: 1n,
      episode: 1n,
      kind: Alert_Kind.OPENED,
      cause: Alert_Cause.FIRST,
      suspiciousCount: 1,
      score: 450,
      reasons: [{ code: "TRAVEL_IMPOSSIBLE", points: 450 }],
      ...fields,
      transaction: fields.transaction ?? sampleDecision().evidence!.transaction!,
    }),
  );
const label = (fields: Partial<FraudLabel> = {}): Buffer =>
  Buffer.from(
    FraudLabel.encode(
      FraudLabel.fromPartial({
        labelId: "l1",
        accountId: "a",
        transactionId: "t1",
        merchantId: "m1",
        revision: 1,
        verdict: Verdict.FRAUD,
        note: "stolen",
        analyst: "ada",
        ...fields,
      }),
    ).finish(),
  );
const effect = (address: "fraud/account-counter" | "fraud/merchant-model", eventSeq: bigint): Buffer =>
  any(
    StateEvent,
    StateEvent.fromPartial({ function: address, eventSeq, kind: StateEvent_Kind.LABEL, sourceId: "l1", fraudDelta: 1 }),
  );

describe("Dashboard", () => {
  it("explains an alert by its decision: rules, features, versions, numbers and places", () => {
    const dashboard = newDashboard();
    dashboard.onRecord(decisionRecord(sampleDecisionRecord({ accountSeq: 7n }), { partition: 2, offset: 41n }));
    dashboard.onRecord(fedRecord(TOPICS.alerts.name, alertBytes(), { partition: 1, offset: 5n }));
    const { decision, alert } = dashboard.detail("a/1")!;
    expect(alert).toMatchObject({
      kind: "opened",
      cause: "first suspicious transaction",
      score: 450,
      place: "Lisbon, PT",
      latitude: 38.72,
      kafka: { topic: "alerts", partition: 1, offset: "5" },
    });
    expect(decision).toMatchObject({
      modelId: "points-v1",
      modelKnown: true,
      accountSeq: "7",
      kafka: { topic: "decisions", partition: 2, offset: "41" },
    });
    const fired = decision!.rules.filter((rule) => rule.fired);
    expect(fired).toEqual([
      {
        code: "TRAVEL_IMPOSSIBLE",
        words: "Farther from the last transaction than one can travel in the time",
        points: 450,
        fired: true,
        conditions: [
          { label: "Speed needed from the last place", wanted: "at least 900 km/h", value: "1,200 km/h", holds: true },
          { label: "Distance from the last place", wanted: "at least 300 km", value: "900 km", holds: true },
        ],
      },
    ]);
    expect(decision!.features.find(({ name }) => name === "account.travel_speed_kmh")).toMatchObject({
      value: "1,200 km/h",
      points: 450,
    });
    expect(decision!.features.find(({ name }) => name === "account.amount_ratio_permille")).toMatchObject({
      value: "",
      points: 0,
    });
  });

  it("has no spot on the map for a place of exactly 0, 0", () => {
    const dashboard = newDashboard();
    const location = { latitudeE6: 0, longitudeE6: 0, name: "Corner shop" };
    dashboard.onRecord(decisionRecord(sampleDecisionRecord({ location }), { partition: 2, offset: 41n }));
    dashboard.onRecord(fedRecord(TOPICS.alerts.name, alertBytes(), { partition: 1, offset: 5n }));
    expect(dashboard.detail("a/1")!.decision).toMatchObject({ place: "Corner shop", latitude: null, longitude: null });
  });

  it("shows what was decided before and after a verdict, by the addresses' own numbers", () => {
    const dashboard = newDashboard();
    const decide = (
      transactionId: string,
      accountEventSeq: bigint,
      merchantEventSeq: bigint,
      score: number,
      confirmed: number,
    ): void =>
      dashboard.onRecord(
        decisionRecord(
          sampleDecisionRecord({
            transactionId,
            accountSeq: accountEventSeq,
            accountEventSeq,
            merchantEventSeq,
            score,
            confirmed,
            outcome: Outcome.REVIEW,
          }),
        ),
      );
    decide("t1", 1n, 1n, 450, 0);
    dashboard.onRecord(fedRecord(TOPICS.alerts.name, alertBytes()));
    expect(dashboard.detail("a/1")!.next).toBeNull();
    // Read before the label was, but decided after it: numbers tell.
    decide("t2", 3n, 3n, 200, 1);
    dashboard.onRecord(fedRecord(TOPICS.labelsValid.name, label()));
    dashboard.onRecord(fedRecord(TOPICS.evidence.name, effect("fraud/account-counter", 2n)));
    dashboard.onRecord(fedRecord(TOPICS.evidence.name, effect("fraud/merchant-model", 4n)));
    const { next, verdicts } = dashboard.detail("a/1")!;
    expect(next!.account).toMatchObject({
      before: { transactionId: "t1", score: 450, accountFrauds: 0, verdict: "FRAUD" },
      after: [{ transactionId: "t2", score: 200, accountFrauds: 1 }],
    });
    expect(next!.merchant).toMatchObject({ before: { transactionId: "t2" }, after: [] });
    expect(verdicts).toMatchObject([
      {
        analyst: "ada",
        note: "stolen",
        revision: 1,
        accountEffect: { eventSeq: "2", delta: 1 },
        merchantEffect: { eventSeq: "4" },
      },
    ]);
  });

  it("tells what changed, once", () => {
    const dashboard = newDashboard();
    dashboard.onRecord(fedRecord(TOPICS.alerts.name, alertBytes()));
    dashboard.onRecord(fedRecord(TOPICS.labelsValid.name, label()));
    dashboard.onRecord(
      fedRecord(TOPICS.alerts.name, alertBytes({ alertId: "a/2", kind: Alert_Kind.CLOSED, cause: Alert_Cause.TIMER })),
    );
    expect(dashboard.takeDelta()).toMatchObject({
      alerts: [{ id: "a/1", verdict: "FRAUD", open: false }],
      closed: [["a", "1"]],
      verdicts: [{ labelId: "l1" }],
    });
    expect(dashboard.takeDelta()).toBeUndefined();
    dashboard.onRecord(fedRecord(TOPICS.evidence.name, effect("fraud/account-counter", 2n)));
    expect(dashboard.takeDelta()).toMatchObject({ verdicts: [{ labelId: "l1", accountEffect: { eventSeq: "2" } }] });
  });

  it("puts the alerts of the past in the order of time, whichever partition is read first", () => {
    const dashboard = new Dashboard({ keepAlerts: 100, keepDecisions: 1_000, models });
    const past = (id: string, timestampMs: number): void =>
      dashboard.onRecord(fedRecord(TOPICS.alerts.name, alertBytes({ alertId: id }), { earlier: true, timestampMs }));
    past("a/3", 30);
    past("a/1", 10);
    past("a/2", 20);
    expect(dashboard.alerts.size).toBe(0);
    dashboard.caughtUp();
    expect(
      dashboard.alerts
        .query({ text: "", minScore: 0, reason: "", status: "all", kind: "all" }, { limit: 10 })
        .rows.map(({ id }) => id),
    ).toEqual(["a/3", "a/2", "a/1"]);
    expect(dashboard.takeDelta()).toBeUndefined();
    expect(dashboard.pulse(1, SAMPLE_PIPELINE).alerts).toBe(0);
  });

  it("counts and times what goes in and comes out", () => {
    const dashboard = newDashboard();
    const transaction = (transactionId: string): Buffer =>
      Buffer.from(
        Transaction.encode(Transaction.fromPartial({ transactionId, accountId: "a", merchantId: "m" })).finish(),
      );
    for (const id of ["t1", "t2"])
      dashboard.onRecord(
        fedRecord(TOPICS.transactionsValid.name, transaction(id), { timestampMs: 1_000, arrivedAtMs: 1_010 }),
      );
    dashboard.onWritten(decisionRecord(sampleDecisionRecord(), { arrivedAtMs: 1_060 }));
    dashboard.onRecord(decisionRecord(sampleDecisionRecord({ outcome: Outcome.DECLINE }), { arrivedAtMs: 1_900 }));
    const refused = RejectedRecord.fromPartial({
      reason: RejectReason.ID_CONFLICT,
      original: { typeUrl: `type.googleapis.com/${Transaction.$type}`, value: transaction("t2") },
    });
    dashboard.onRecord(fedRecord(TOPICS.functionsRejected.name, any(RejectedRecord, refused)));
    expect(dashboard.pulse(2_000, SAMPLE_PIPELINE)).toMatchObject({
      in: 2,
      out: 1,
      decline: 1,
      visible: { p50: 60 },
      committed: { p50: 900 },
      counts: { sent: 2, decided: 1, rejected: 1, waiting: 0, missing: 0, duplicates: 0 },
    });
  });

  it("survives what it cannot read, and says how much", () => {
    const dashboard = newDashboard();
    for (const { name } of Object.values(TOPICS)) dashboard.onRecord(fedRecord(name, Buffer.from([0xff, 0xff])));
    dashboard.onWritten(decisionRecord(Buffer.from([0xff])));
    expect(dashboard.unreadable).toBeGreaterThanOrEqual(6);
    expect(dashboard.alerts.size).toBe(0);
    // Nor does it take an unknown function's event for a merchant's.
    const before = dashboard.unreadable;
    dashboard.onRecord(
      fedRecord(
        TOPICS.evidence.name,
        any(
          StateEvent,
          StateEvent.fromPartial({
            function: "fraud/device-model",
            addressId: "m",
            kind: StateEvent_Kind.LABEL,
            sourceId: "l",
          }),
        ),
      ),
    );
    expect(dashboard.unreadable).toBe(before + 1);
  });
});

describe("quality", () => {
  it("counts the verdict that holds, whenever it comes, and in whichever order its revisions do", () => {
    const dashboard = newDashboard();
    const counted = () => dashboard.quality(0).models[0]!.suspicious;
    const give = (fields: Partial<FraudLabel>): void =>
      dashboard.onRecord(fedRecord(TOPICS.labelsValid.name, label(fields)));
    // Before its decision.
    give({ labelId: "l1", transactionId: "t1" });
    expect(dashboard.quality(0)).toEqual({ limit: 100_000, verdictsWithoutDecision: 1, models: [] });
    dashboard.onRecord(decisionRecord(sampleDecisionRecord({ transactionId: "t1" })));
    expect(counted()).toEqual({ decided: 1, frauds: 1, genuine: 0 });
    expect(dashboard.quality(0).verdictsWithoutDecision).toBe(0);
    // Again, as another record; then taken back; then the first one late once more.
    give({ labelId: "l1", transactionId: "t1" });
    expect(counted()).toEqual({ decided: 1, frauds: 1, genuine: 0 });
    give({ labelId: "l2", transactionId: "t1", revision: 2, verdict: Verdict.LEGITIMATE });
    expect(counted()).toEqual({ decided: 1, frauds: 0, genuine: 1 });
    give({ labelId: "l1", transactionId: "t1" });
    expect(counted()).toEqual({ decided: 1, frauds: 0, genuine: 1 });
    // One that came without a revision counts as newer as soon as the account counter has given it one.
    give({ labelId: "l3", transactionId: "t1", revision: undefined });
    expect(counted()).toEqual({ decided: 1, frauds: 0, genuine: 1 });
    const event = { function: "fraud/account-counter", eventSeq: 9n, kind: StateEvent_Kind.LABEL, sourceId: "l3" };
    dashboard.onRecord(
      fedRecord(
        TOPICS.evidence.name,
        any(StateEvent, StateEvent.fromPartial({ ...event, fraudDelta: 1, revision: 3 })),
      ),
    );
    expect(counted()).toEqual({ decided: 1, frauds: 1, genuine: 0 });
  });
});

describe("an alert", () => {
  it("has its decision's outcome, whichever of the two is read first", () => {
    const alert = fedRecord(TOPICS.alerts.name, alertBytes());
    const decision = decisionRecord(sampleDecisionRecord({ outcome: Outcome.DECLINE }));
    const dashboard = newDashboard();
    dashboard.onRecord(alert);
    // As it is sent, not as it changes later.
    expect(JSON.parse(JSON.stringify(dashboard.takeDelta()))).toMatchObject({ alerts: [{ id: "a/1", outcome: null }] });
    dashboard.onRecord(decision);
    expect(dashboard.takeDelta()).toEqual({ outcomes: [["a/1", "DECLINE"]] });
    expect(dashboard.detail("a/1")!.alert.outcome).toBe("DECLINE");

    const other = newDashboard();
    other.onRecord(decision);
    other.onRecord(alert);
    expect(other.takeDelta()).toMatchObject({ alerts: [{ id: "a/1", outcome: "DECLINE" }] });
    expect(other.takeDelta()).toBeUndefined();
  });
});
