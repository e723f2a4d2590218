import { positionText } from "../contract/raw-record.js";
import type { Decision } from "../protos/gen/fraud/v1/decision.js";
import { Alert, Alert_Cause } from "../protos/gen/fraud/v1/evidence.js";
import { EpisodeReference } from "./reference/episodes.js";
import type { PropertyCheck } from "./property.js";
import { type AddressHistories, alertIn, type StoredRecord } from "./records.js";
import { type Known, shown } from "./replay.js";

interface RaisedAlert {
  readonly alert: Alert;
  readonly position: string;
}

/**
 * Checks that the alerts are exactly those that the suspicious decisions imply, in number, order and every field. A
 * close by timer depends on the wall clock: the alert itself says after which decision it came, and it is replayed
 * there.
 */
export function checkAlerts(
  accounts: AddressHistories,
  records: readonly StoredRecord[],
  { versions }: Known,
  check: PropertyCheck,
): void {
  const raised = new Map<string, RaisedAlert[]>();
  for (const record of records) {
    const alert = alertIn(record);
    const position = positionText(record);
    if (alert === undefined) check.violation("the record is not an alert", position);
    else raised.set(alert.accountId, [...(raised.get(alert.accountId) ?? []), { alert, position }]);
  }
  for (const [id, inputs] of accounts) {
    const suspicious = inputs.flatMap(({ decision, suspiciousSeq, position }) =>
      decision === undefined || suspiciousSeq === undefined
        ? []
        : [{ decision: decision(), seq: suspiciousSeq, position }],
    );
    suspicious.sort((a, b) => Number(a.seq - b.seq));
    checkAccount(id, suspicious, raised.get(id) ?? [], versions, check);
    raised.delete(id);
  }
  for (const [id, alerts] of raised)
    check.violation(
      `there are alerts on account ${id}, of which nothing was decided`,
      ...alerts.map(({ position }) => position),
    );
}

function checkAccount(
  id: string,
  suspicious: readonly { readonly decision: Decision; readonly position: string }[],
  raised: readonly RaisedAlert[],
  versions: Known["versions"],
  check: PropertyCheck,
): void {
  check.looked(raised.length);
  const timers = new Set(
    raised.filter(({ alert }) => alert.cause === Alert_Cause.TIMER).map(({ alert }) => alert.lastSuspiciousSeq),
  );
  const reference = new EpisodeReference(id);
  const expected: { alert: Alert; position: string }[] = [];
  for (const { decision, position } of suspicious) {
    const { logicVersion, suspiciousSeq } = decision.evidence!.scoring!;
    const settings = versions.get(logicVersion);
    if (settings === undefined) return;
    expected.push(...reference.decision(decision, settings).map((alert) => ({ alert, position })));
    const closed = timers.has(suspiciousSeq!) ? reference.close(Alert_Cause.TIMER) : undefined;
    if (closed !== undefined) expected.push({ alert: closed, position });
  }
  for (let at = 0; at < Math.max(expected.length, raised.length); at++) {
    const [want, have] = [expected[at], raised[at]];
    if (want === undefined) check.violation(`an alert that no decision implies: ${shown(have!.alert)}`, have!.position);
    else if (have === undefined) check.violation(`the alert is missing: ${shown(want.alert)}`, want.position);
    else if (!bytesOf(have.alert).equals(bytesOf(want.alert))) {
      check.violation(
        `the alert is ${shown(comparable(have.alert))}, a replay gives ${shown(comparable(want.alert))}`,
        have.position,
        want.position,
      );
      // The numbers after it are of no use.
      return;
    } else if (!versions.has(have.alert.logicVersion))
      check.violation(`nothing is known of the logic version ${have.alert.logicVersion}`, have.position);
  }
}

/** Everything but what the wall clock and the version decide. */
const bytesOf = (alert: Alert): Buffer => Buffer.from(Alert.encode(comparable(alert)).finish());
const comparable = (alert: Alert): Alert => ({ ...alert, raisedAtMs: 0n, logicVersion: "" });
