import { type Decision, Outcome } from "../../protos/gen/fraud/v1/decision.js";
import { Alert, Alert_Cause, Alert_Kind } from "../../protos/gen/fraud/v1/evidence.js";
import type { Settings } from "./settings.js";
import { atMost, MAX_SUM } from "./window.js";

interface Episode {
  count: number;
  amount: bigint;
  greatestScore: number;
  readonly opened: bigint;
  last: bigint;
  declined: boolean;
}

/** The alerts that one account's suspicious decisions must raise: written from `docs/features.md` alone. */
export class EpisodeReference {
  readonly #accountId: string;
  #alerts = 0n;
  #episodes = 0n;
  #suspicious = 0n;
  #open: Episode | undefined;

  constructor(accountId: string) {
    this.#accountId = accountId;
  }

  /** A suspicious decision, the account's next. */
  decision({ evidence }: Decision, { alerter }: Settings): Alert[] {
    const { eventTimeMs: time, amountMinor } = evidence!.transaction!;
    const { score, outcome, suspiciousSeq } = evidence!.scoring!;
    const declined = outcome === Outcome.DECLINE;
    const gap =
      this.#open !== undefined && time - this.#open.last > BigInt(alerter.gapMs) ? [this.close(Alert_Cause.GAP)!] : [];
    this.#suspicious = suspiciousSeq!;
    const open = this.#open;
    if (open === undefined) {
      this.#episodes++;
      this.#open = { count: 1, amount: amountMinor, greatestScore: score, opened: time, last: time, declined };
      return [...gap, this.#alert(Alert_Kind.OPENED, Alert_Cause.FIRST, evidence)];
    }
    open.count++;
    open.amount = atMost(open.amount + amountMinor, MAX_SUM);
    open.greatestScore = Math.max(open.greatestScore, score);
    open.last = time > open.last ? time : open.last;
    const firstDecline = declined && !open.declined;
    open.declined = open.declined || declined;
    if (firstDecline) return [this.#alert(Alert_Kind.ESCALATED, Alert_Cause.DECLINE, evidence)];
    return alerter.escalateAt.includes(open.count)
      ? [this.#alert(Alert_Kind.ESCALATED, Alert_Cause.COUNT, evidence)]
      : [];
  }

  /** The open episode ends; `undefined` when none is open. */
  close(cause: Alert_Cause): Alert | undefined {
    if (this.#open === undefined) return undefined;
    const alert = this.#alert(Alert_Kind.CLOSED, cause, undefined);
    this.#open = undefined;
    return alert;
  }

  #alert(kind: Alert_Kind, cause: Alert_Cause, evidence: Decision["evidence"]): Alert {
    const { count, amount, greatestScore, opened, last } = this.#open!;
    this.#alerts++;
    return Alert.fromPartial({
      alertId: `${this.#accountId}/${this.#alerts}`,
      accountId: this.#accountId,
      alertSeq: this.#alerts,
      episode: this.#episodes,
      kind,
      cause,
      lastSuspiciousSeq: this.#suspicious,
      suspiciousCount: count,
      suspiciousAmountMinor: amount,
      maxScore: greatestScore,
      openedAtMs: opened,
      lastEventTimeMs: last,
      ...(evidence && {
        transaction: evidence.transaction,
        score: evidence.scoring!.score,
        reasons: evidence.scoring!.reasons,
      }),
    });
  }
}
