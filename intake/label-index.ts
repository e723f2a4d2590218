import { ACCOUNT_COUNTER } from "../contract/function-names.js";
import { keepNewest } from "../process/keep-newest.js";
import { RejectedRecord, RejectReason, StateEvent, StateEvent_Kind } from "../protos/gen/fraud/v1/evidence.js";
import { FraudLabel } from "../protos/gen/fraud/v1/transaction.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import { typeUrlOf } from "../statefun/index.js";
import { Waiters } from "./waiters.js";

/** The account counter's outcome of a label, as the API shows it. */
export type LabelOutcome = {
  readonly labelId: string;
  readonly accountId: string;
  readonly transactionId: string;
} & (
  | {
      readonly status: "recorded";
      /** The label's own, or the next one where it had none. */
      readonly revision: number;
      /** 1: one confirmed fraud more; -1: one taken back; 0: none of these. */
      readonly fraudDelta: number;
      /** From when the added fraud counts, or the one taken back counted; milliseconds since 1970. */
      readonly effectiveAtMs: string;
      /** Its number among all changes of the account's state. */
      readonly eventSeq: string;
    }
  | {
      readonly status: "refused";
      /** Such as `STALE_REVISION`. */
      readonly reason: string;
      readonly detail: string;
    }
);

/**
 * The outcomes of the newest labels, by label id, from the committed records of `evidence` and `functions.rejected`:
 * the intake answers before the account counter knows. The last of several with one id holds.
 */
export class LabelIndex {
  readonly #limit: number;
  readonly #onOutcome: (outcome: LabelOutcome) => void;
  /** In the order in which they came, so that the oldest is the first. */
  readonly #outcomes = new Map<string, LabelOutcome>();
  readonly #waiters = new Waiters<LabelOutcome>();

  /**
   * @param limit - how many outcomes to keep
   * @param onOutcome - told of each
   */
  constructor(limit: number, onOutcome: (outcome: LabelOutcome) => void = () => undefined) {
    this.#limit = limit;
    this.#onOutcome = onOutcome;
  }

  /** Takes a record of one of the two topics; those that are not about a label are skipped. */
  onRecord({ value }: { readonly value: Buffer | null }): void {
    const outcome = value === null ? undefined : outcomeIn(Any.decode(value));
    if (outcome === undefined) return;
    const { labelId } = outcome;
    this.#outcomes.delete(labelId);
    this.#outcomes.set(labelId, outcome);
    keepNewest(this.#outcomes, this.#limit);
    this.#onOutcome(outcome);
    this.#waiters.tell(labelId, () => outcome);
  }

  /** The outcome of a label; `undefined` if it was not sent, is not handled yet, or is not among the newest. */
  find(labelId: string): LabelOutcome | undefined {
    return this.#outcomes.get(labelId);
  }

  /** Waits for a label's outcome. @returns `undefined` when the time is up */
  async wait(labelId: string, timeoutMs: number, gone?: AbortSignal): Promise<LabelOutcome | undefined> {
    return this.find(labelId) ?? (await this.#waiters.wait(labelId, timeoutMs, undefined, gone));
  }

  /** Ends all waiting. */
  stop(): void {
    this.#waiters.stop();
  }
}

function outcomeIn({ typeUrl: type, value }: Any): LabelOutcome | undefined {
  if (type === typeUrlOf(StateEvent)) {
    const {
      function: name,
      addressId,
      kind,
      sourceId,
      transactionId,
      revision,
      fraudDelta,
      effectiveAtMs,
      eventSeq,
    } = StateEvent.decode(value);
    if (kind !== StateEvent_Kind.LABEL || name !== ACCOUNT_COUNTER) return undefined;
    return {
      labelId: sourceId,
      accountId: addressId,
      transactionId,
      status: "recorded",
      revision,
      fraudDelta,
      effectiveAtMs: String(effectiveAtMs),
      eventSeq: String(eventSeq),
    };
  }
  if (type !== typeUrlOf(RejectedRecord)) return undefined;
  const { original, reason, message } = RejectedRecord.decode(value);
  if (original?.typeUrl !== typeUrlOf(FraudLabel) || reason === RejectReason.UNREADABLE) return undefined;
  const { labelId, accountId, transactionId } = FraudLabel.decode(original.value);
  return {
    labelId,
    accountId,
    transactionId,
    status: "refused",
    reason: RejectReason[reason] ?? String(reason),
    detail: message,
  };
}
