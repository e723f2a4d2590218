import { describe, expect, it } from "vitest";

import { Decision } from "../protos/gen/fraud/v1/decision.js";
import { Alert, Alert_Kind } from "../protos/gen/fraud/v1/evidence.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import { LiveStats } from "./live-stats.js";

const any = (value: Uint8Array) => Any.encode({ typeUrl: "", value: Buffer.from(value) }).finish();
const decision = (transactionId: string) =>
  any(Decision.encode(Decision.fromPartial({ evidence: { transaction: { transactionId } } })).finish());
const alert = (accountId: string, kind: Alert_Kind) =>
  any(Alert.encode(Alert.fromPartial({ accountId, kind, reasons: [{ code: "FAST", points: 400 }] })).finish());

describe("LiveStats", () => {
  it("takes latencies from the scheduled time to the decision", () => {
    const stats = new LiveStats("r", 10);
    stats.onSent("r-1", 1000, 1010);
    stats.onSent("r-2", 1002, 1010);
    expect(stats.waiting).toBe(2);
    stats.onDecision(decision("r-1"), 1500);
    stats.onDecision(decision("of-another-run"), 1600);
    expect(stats.snapshot(1600)).toMatchObject({ sent: 2, decided: 1, waiting: 1, p50Ms: 500, p99Ms: 500 });
    expect(stats.lastDecisionAtMs).toBe(1500);
  });

  it("counts a repeated decision once: the judge reports it, not the view", () => {
    const stats = new LiveStats("r", 10);
    stats.onSent("r-1", 1000, 1000);
    stats.onDecision(decision("r-1"), 1500);
    stats.onDecision(decision("r-1"), 1600);
    expect(stats.snapshot(1600).decided).toBe(1);
  });

  it("measures rates over the last whole seconds", () => {
    const stats = new LiveStats("r", 10);
    for (let n = 0; n < 50; n++) stats.onSent(`r-${n}`, 0, 10_000 + n * 100);
    expect(stats.snapshot(15_000).sentPerSecond).toBe(10);
    expect(stats.snapshot(60_000).sentPerSecond).toBe(0);
  });

  it("shows the newest alerts of its own run, without closings", () => {
    const stats = new LiveStats("r", 10);
    stats.onAlert(alert("r-a1", Alert_Kind.OPENED));
    stats.onAlert(alert("r-a1", Alert_Kind.CLOSED));
    stats.onAlert(alert("other-a1", Alert_Kind.OPENED));
    for (let n = 2; n < 20; n++) stats.onAlert(alert(`r-a${n}`, Alert_Kind.OPENED));
    const { alerts, lastAlerts } = stats.snapshot(0);
    expect(alerts).toBe(19);
    expect(lastAlerts).toHaveLength(8);
    expect(lastAlerts[0]).toMatchObject({ accountId: "r-a19", reasons: ["FAST"], place: "online" });
  });
});
