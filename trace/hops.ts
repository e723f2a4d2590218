import { positionText, type RawRecord } from "../contract/raw-record.js";
import type { Decision } from "../protos/gen/fraud/v1/decision.js";
import type { EnteredRecord } from "./read.js";
import type { CommitFinding, Hop, TracedAlert } from "./types.js";

interface Moments {
  readonly accountId: string;
  readonly merchantId: string | undefined;
  readonly entered: EnteredRecord | undefined;
  readonly decision: { readonly record: RawRecord; readonly decision: Decision } | undefined;
  readonly commit: CommitFinding | undefined;
  readonly alerts: readonly TracedAlert[];
}

/**
 * A transaction's way as moments, each with the time since the one before it. Wall-clock times of the attempt that
 * counts: what was done before a failure and undone left none.
 */
export function hopsOf({ accountId, merchantId, entered, decision, commit, alerts }: Moments): Hop[] {
  const hops: Hop[] = [];
  const add = (
    name: Hop["name"],
    atMs: number | bigint | undefined,
    where: string,
    source: string,
    since = hops.at(-1),
  ): void => {
    // What has no time left none.
    if (atMs === undefined || Number(atMs) === 0) return;
    hops.push({ name, atMs: Number(atMs), tookMs: since && Number(atMs) - since.atMs, where, source });
  };
  if (entered !== undefined) {
    const { record, transaction } = entered;

    add(
      "entered",
      record.timestampMs,
      positionText(record),
      transaction.origin !== undefined
        ? `when the broker took it in ${positionText(transaction.origin)}`
        : "when the intake took it by HTTP",
    );
  }
  const timing = decision?.decision.timing;
  if (decision === undefined) return hops;
  add("counted", timing?.countedAtMs, `fraud/account-counter/${accountId}`, "the function server's clock");
  add("merchant", timing?.merchantAtMs, `fraud/merchant-model/${merchantId ?? ""}`, "the function server's clock");
  add("scored", timing?.scoredAtMs, `fraud/transaction-scorer/${accountId}`, "the function server's clock");
  const scored = hops.at(-1);
  add(
    "written",
    decision.record.timestampMs,
    positionText(decision.record),
    "the record's timestamp, by Flink's producer",
  );
  if (commit?.kind === "commit") {
    add(
      "committed",
      commit.atMs,
      `marker at offset ${commit.offset}`,
      "the transaction's marker, by the broker's clock",
    );
    // Committed readers wait for what other producers had open before it.
    if (commit.visibleAtMs > commit.atMs)
      add("visible", commit.visibleAtMs, "to read_committed", "the last marker that a committed reader waits for");
  }
  for (const { byThis, raisedAtMs, alertId, kind, place } of alerts)
    if (byThis) add("alert", raisedAtMs, `${kind} ${alertId} in ${place}`, "the function server's clock", scored);
  return hops;
}
