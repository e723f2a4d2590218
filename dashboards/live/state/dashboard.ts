import { outcomeName } from "../../../contract/decision-summary.js";
import { ACCOUNT_COUNTER, MERCHANT_MODEL } from "../../../contract/function-names.js";
import { TOPICS } from "../../../contract/topics.js";
import type { LiveRecord } from "../../../kafka/consumer.js";
import {
  Alert,
  Alert_Kind,
  RejectedRecord,
  StateEvent,
  StateEvent_Kind,
} from "../../../protos/gen/fraud/v1/evidence.js";
import { FraudLabel, Transaction, Verdict } from "../../../protos/gen/fraud/v1/transaction.js";
import { Any } from "../../../protos/gen/google/protobuf/any.js";
import { alertOf, detailOf, isSuspicious, pointOf } from "../explain.js";
import type { Models } from "../models.js";
import { skimDecision, skimIdentity, skimTransaction } from "../skim.js";
import type {
  AlertDetail,
  AlertRow,
  Delta,
  FailureMark,
  NextScores,
  OutcomeName,
  PipelineState,
  Pulse,
  Quality,
  VerdictName,
  VerdictRow,
} from "../wire.js";
import { AlertStore } from "./alert-store.js";
import { DecisionHistory, type KeptDecision } from "./decision-history.js";
import { ExactlyOnce } from "./exactly-once.js";
import { QualityBook } from "./quality-book.js";
import { Traffic } from "./traffic.js";
import { VerdictBook } from "./verdict-book.js";

/** Seconds of figures that the charts show, and some before them for averages. */
const KEPT_SECONDS = 330;
/** Decisions after a verdict that its page shows, of the account and of the merchant each. */
const SHOWN_AFTER = 5;
/** Kills that the charts mark. */
const KEPT_FAILURES = 50;
/** Whose state an event changed. */
const SIDES: ReadonlyMap<string, "account" | "merchant"> = new Map([
  [ACCOUNT_COUNTER, "account"],
  [MERCHANT_MODEL, "merchant"],
]);

export interface DashboardOptions {
  readonly keepAlerts: number;
  readonly keepDecisions: number;
  /** Decisions that verdicts are brought together with. Default 100,000. */
  readonly keepScores?: number;
  readonly models: Models;
}

const KEEP_SCORES = 100_000;

/** A record, and whether it stood in its topic before this server started to follow it. */
export interface FedRecord extends LiveRecord {
  readonly earlier: boolean;
}

/** All that the web app knows, fed by the topics. Holds no connection and no clock: a spec can feed it. */
export class Dashboard {
  readonly alerts: AlertStore;
  readonly verdicts = new VerdictBook();
  readonly exactlyOnce = new ExactlyOnce();
  readonly traffic = new Traffic(KEPT_SECONDS);
  readonly history: DecisionHistory;
  readonly #quality: QualityBook;
  readonly #models: Models;
  readonly failures: FailureMark[] = [];
  #unreadable = 0;
  /** Alerts of the topic's past: partitions are read one after the other, and their order is not that of time. */
  #pastAlerts: FedRecord[] | undefined = [];
  #outbox = emptyOutbox();

  constructor({ keepAlerts, keepDecisions, keepScores = KEEP_SCORES, models }: DashboardOptions) {
    this.alerts = new AlertStore(keepAlerts);
    this.history = new DecisionHistory({ total: keepDecisions });
    this.#quality = new QualityBook(keepScores, models);
    this.#models = models;
  }

  /** Records that could not be read. */
  get unreadable(): number {
    return this.#unreadable;
  }

  /** Takes a committed record, or one of `transactions.valid`. Never throws. */
  onRecord(record: FedRecord): void {
    if (record.value === null) return;
    try {
      this.#take(record, record.value);
    } catch {
      this.#unreadable++;
    }
  }

  /** Takes a record of `decisions` that may still be aborted. Never throws. */
  onWritten({ value, arrivedAtMs }: LiveRecord): void {
    if (value === null) return;
    try {
      const { accountId, transactionId } = skimIdentity(value);
      const latencyMs = this.exactlyOnce.onVisible(accountId, transactionId, arrivedAtMs);
      if (latencyMs !== undefined) this.traffic.onVisible(latencyMs);
    } catch {
      this.#unreadable++;
    }
  }

  /** The topics' past has been read. */
  caughtUp(): void {
    const past = this.#pastAlerts ?? [];
    this.#pastAlerts = undefined;
    for (const record of past.toSorted((a, b) => a.timestampMs - b.timestampMs)) this.onRecord(record);
    // Nobody has missed these: whoever comes reads them from the store.
    this.#outbox = emptyOutbox();
  }

  onFailure(mark: FailureMark): void {
    this.failures.push(mark);
    if (this.failures.length > KEPT_FAILURES) this.failures.shift();
    this.#outbox.failures.push(mark);
  }

  /** What changed since the last call; `undefined` when nothing did. */
  takeDelta(): Delta | undefined {
    const { alerts, closed, outcomes, verdicts, failures } = this.#outbox;
    if (alerts.length + closed.length + outcomes.length + verdicts.size + failures.length === 0) return undefined;
    this.#outbox = emptyOutbox();
    return {
      ...(alerts.length > 0 && { alerts }),
      ...(closed.length > 0 && { closed }),
      ...(outcomes.length > 0 && { outcomes }),
      ...(verdicts.size > 0 && { verdicts: [...verdicts] }),
      ...(failures.length > 0 && { failures }),
    };
  }

  /** Ends a second of figures. */
  pulse(nowMs: number, pipeline: PipelineState): Pulse {
    this.exactlyOnce.onJob(pipeline.job === "RUNNING" && pipeline.kafka === "answers", nowMs);
    return this.traffic.close(nowMs, this.exactlyOnce.counts(nowMs), pipeline);
  }

  /** How well frauds are found, by the verdicts so far. */
  quality(nowMs: number): Quality {
    return {
      limit: this.#quality.limit,
      verdictsWithoutDecision: Math.max(0, this.verdicts.size - this.#quality.labelled),
      models: this.#quality.models(nowMs),
    };
  }

  /** What the page of an alert shows; `undefined` when the alert is not known. */
  detail(id: string): AlertDetail | undefined {
    const alert = this.alerts.find(id);
    if (alert === undefined) return undefined;
    const kept = this.history.find(alert.account, alert.transactionId);
    const verdicts = this.verdicts.of(alert.account, alert.transactionId);
    const counted = verdicts.find(({ accountEffect }) => accountEffect !== null);
    return {
      alert,
      decision: kept === undefined ? null : detailOf(kept, this.#models, TOPICS.decisions.name, this.#verdictOf),
      recent: this.#recent(alert, kept),
      verdicts,
      next:
        counted === undefined
          ? null
          : {
              verdict: counted,
              account: this.#next(
                this.history.ofAccount(alert.account),
                "accountEventSeq",
                counted.accountEffect?.eventSeq,
              ),
              merchant: this.#next(
                this.history.ofMerchant(alert.merchantId),
                "merchantEventSeq",
                counted.merchantEffect?.eventSeq,
              ),
            },
    };
  }

  /**
   * What a label on a transaction needs; `undefined` when the transaction is not kept. The verdict counts from the
   * account's newest event time on: it is given now, whenever the card was used.
   */
  labelFieldsOf(
    account: string,
    transactionId: string,
  ): { readonly merchantId: string; readonly eventTimeMs: number; readonly effectiveAtMs: number } | undefined {
    const kept = this.history.find(account, transactionId);
    if (kept === undefined) return undefined;
    const times = this.history.ofAccount(account).map((one) => pointOf(one, this.#verdictOf).eventTimeMs);
    const { merchantId, eventTimeMs } = pointOf(kept, this.#verdictOf);
    return { merchantId, eventTimeMs, effectiveAtMs: Math.max(eventTimeMs, ...times) };
  }

  readonly #verdictOf = (account: string, transactionId: string): VerdictName | null =>
    this.verdicts.verdictOf(account, transactionId);

  #recent(alert: AlertRow, kept: KeptDecision | undefined): AlertDetail["recent"] {
    const recent = this.history.ofAccount(alert.account);
    const all = kept === undefined || recent.includes(kept) ? recent : [kept, ...recent];
    return all.map((one) => pointOf(one, this.#verdictOf));
  }

  /**
   * The address numbers all that changes its state, so one can tell for certain what it decided before and after a
   * verdict.
   */
  #next(
    decisions: readonly KeptDecision[],
    number: "accountEventSeq" | "merchantEventSeq",
    verdictSeq: string | undefined,
  ): NextScores {
    if (verdictSeq === undefined) return { before: null, after: [] };
    const at = BigInt(verdictSeq);
    const points = decisions
      .map((one) => pointOf(one, this.#verdictOf))
      .sort((a, b) => Number(BigInt(a[number]) - BigInt(b[number])));
    return {
      before: points.findLast((one) => BigInt(one[number]) < at) ?? null,
      after: points.filter((one) => BigInt(one[number]) > at).slice(0, SHOWN_AFTER),
    };
  }

  #take(record: FedRecord, value: Buffer): void {
    switch (record.topic) {
      case TOPICS.transactionsValid.name: {
        const { accountId, transactionId } = skimTransaction(value);
        this.exactlyOnce.onSent(accountId, transactionId, {
          takenAtMs: record.timestampMs,
          nowMs: record.arrivedAtMs,
          earlier: record.earlier,
        });
        if (!record.earlier) this.traffic.onSent();
        return;
      }
      case TOPICS.decisions.name:
        return this.#onDecision(record, value);
      case TOPICS.alerts.name:
        return this.#onAlert(record, value);
      case TOPICS.labelsValid.name:
        return this.#onLabel(record, value);
      case TOPICS.evidence.name:
        return this.#onEvidence(value);
      case TOPICS.functionsRejected.name: {
        const { original } = RejectedRecord.decode(Any.decode(value).value);
        if (original?.typeUrl.endsWith(`/${Transaction.$type}`) !== true) return;
        const { accountId, transactionId } = skimTransaction(original.value);
        this.exactlyOnce.onRejected(accountId, transactionId);
      }
    }
  }

  #onDecision({ partition, offset, arrivedAtMs, earlier, timestampMs }: FedRecord, value: Buffer): void {
    const skimmed = skimDecision(value);
    const latencyMs = this.exactlyOnce.onDecided(skimmed.accountId, skimmed.transactionId, skimmed.accountSeq, {
      nowMs: arrivedAtMs,
      earlier,
      possibleRepeat: skimmed.possibleRepeat,
    });
    const seenAtMs = earlier ? timestampMs : arrivedAtMs;
    this.history.add(skimmed, { partition, offset, seenAtMs, suspicious: isSuspicious(skimmed.outcome) });
    this.#quality.onDecided(skimmed, this.#verdictOf(skimmed.accountId, skimmed.transactionId), seenAtMs);
    // Topics have no order between them: its alert may have been read before.
    const outcome = outcomeName(skimmed.outcome);
    const row = this.alerts.setOutcome(skimmed.accountId, skimmed.transactionId, outcome);
    if (row !== undefined) this.#outbox.outcomes.push([row.id, outcome]);
    if (!earlier) this.traffic.onDecided(outcome, latencyMs);
  }

  #onAlert(record: FedRecord, value: Buffer): void {
    if (record.earlier && this.#pastAlerts !== undefined) {
      this.#pastAlerts.push(record);
      return;
    }
    const alert = Alert.decode(Any.decode(value).value);
    if (alert.kind === Alert_Kind.CLOSED) {
      if (this.alerts.close(alert.accountId, alert.episode.toString()))
        this.#outbox.closed.push([alert.accountId, alert.episode.toString()]);
      return;
    }
    const kind = alert.kind === Alert_Kind.ESCALATED ? "escalated" : "opened";
    const seenAtMs = record.earlier ? record.timestampMs : record.arrivedAtMs;
    const transactionId = alert.transaction?.transactionId ?? "";
    const kept = this.history.find(alert.accountId, transactionId);
    const row = this.alerts.add(
      alertOf(alert, kind, { ...record, seenAtMs }),
      this.#verdictOf(alert.accountId, transactionId),
      kept === undefined ? null : pointOf(kept, this.#verdictOf).outcome,
    );
    if (row === undefined) return;
    this.#outbox.alerts.push(row);
    if (!record.earlier) this.traffic.onAlert();
  }

  #onLabel({ topic, partition, offset, timestampMs }: FedRecord, value: Buffer): void {
    const label = FraudLabel.decode(value);
    const row: VerdictRow = {
      labelId: label.labelId,
      account: label.accountId,
      transactionId: label.transactionId,
      merchantId: label.merchantId,
      verdict: label.verdict === Verdict.FRAUD ? "FRAUD" : "LEGITIMATE",
      revision: label.revision ?? 0,
      note: label.note ?? "",
      analyst: label.analyst ?? "",
      atMs: timestampMs,
      kafka: { topic, partition, offset: offset.toString() },
      accountEffect: null,
      merchantEffect: null,
    };
    if (!this.verdicts.add(row)) return;
    this.#onVerdict(row);
  }

  #onEvidence(value: Buffer): void {
    const event = StateEvent.decode(Any.decode(value).value);
    if (event.kind !== StateEvent_Kind.LABEL) return;
    const side = SIDES.get(event.function);
    if (side === undefined) throw new Error(`a state event of ${JSON.stringify(event.function)}, which has none`);
    const row = this.verdicts.onEffect(
      event.sourceId,
      side,
      { eventSeq: event.eventSeq.toString(), delta: event.fraudDelta },
      event.revision,
    );
    if (row === undefined) return;
    this.#onVerdict(row);
  }

  /** There is one more, or it has got its revision. */
  #onVerdict(row: VerdictRow): void {
    const holds = this.verdicts.verdictOf(row.account, row.transactionId);
    if (holds !== null) this.alerts.setVerdict(row.account, row.transactionId, holds);
    this.#quality.onVerdict(row.account, row.transactionId, holds);
    this.#outbox.verdicts.add(row);
  }
}

function emptyOutbox(): {
  alerts: AlertRow[];
  closed: [string, string][];
  outcomes: [string, OutcomeName][];
  verdicts: Set<VerdictRow>;
  failures: FailureMark[];
} {
  return { alerts: [], closed: [], outcomes: [], verdicts: new Set(), failures: [] };
}
