import { ACCOUNT_COUNTER } from "../../contract/function-names.js";
import { TOPICS } from "../../contract/topics.js";
import { RejectedRecord, RejectReason, StateEvent, StateEvent_Kind } from "../../protos/gen/fraud/v1/evidence.js";
import { type AccountEvidence, ScoringRequest } from "../../protos/gen/fraud/v1/decision.js";
import { AccountState, ExpireFrauds, MerchantVerdict, RestAddress } from "../../protos/gen/fraud/v1/internal.js";
import { FraudLabel, type Origin, Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import {
  type AnyMessage,
  type Context,
  type MessageType,
  UnreadableMessageError,
  valueSpec,
} from "../../statefun/index.js";
import { KAFKA_EGRESS, merchantModelOf } from "../addresses.js";
import type { Dependencies } from "../dependencies.js";
import { errorText } from "../error-text.js";
import { countTransaction, forgetFeatures } from "./features.js";
import { learnAccount, learnAccountVerdict } from "./learned-features.js";
import {
  alreadyRead,
  convertMemory,
  familiarity,
  possibleRepeat,
  rememberedCount,
  rememberOrigin,
  rememberTransaction,
} from "./repeats.js";
import { labelProblem, transactionProblem } from "./validation.js";
import {
  completeLabel,
  expireVerdicts,
  heldRevision,
  isRecorded,
  MAX_REVISION_JUMP,
  recordVerdict,
  rememberLabel,
} from "./verdicts.js";

/** The same memory: it is encoded at once. */
const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

/** State of `fraud/account-counter`. */
export const accountState = valueSpec("account", AccountState);

/**
 * `fraud/account-counter/<account>`: numbers the account's transactions, drops repeats, adds the account's features,
 * and records verdicts. The only function that ingresses reach, so the only one that refuses records: what it has
 * numbered always comes out as a decision.
 */
export function accountCounter(dependencies: Dependencies) {
  const { settings, logicVersion, metrics, now } = dependencies;

  return (context: Context<readonly [typeof accountState]>, message: AnyMessage): void => {
    if (message.is(Transaction)) {
      const transaction = readable(Transaction);
      if (transaction !== undefined) onTransaction(transaction);
    } else if (message.is(FraudLabel)) {
      const label = readable(FraudLabel);
      if (label !== undefined) onLabel(label);
    } else if (message.is(ExpireFrauds)) {
      onExpiry();
    } else if (message.is(RestAddress)) {
      onRest(message.unpack(RestAddress));
    } else {
      reject(RejectReason.UNEXPECTED_TYPE, `${ACCOUNT_COUNTER} takes no ${message.typeUrl.slice(0, 200)}`);
    }

    function onTransaction(transaction: Transaction): void {
      const { accountId, origin } = transaction;
      if (accountId !== context.address.id)
        return reject(RejectReason.MISROUTED, `account_id is not the record's key`, origin);
      const problem = transactionProblem(transaction);
      if (problem !== undefined) return reject(RejectReason.INVALID_FIELD, problem, origin);

      const state = load();
      if (alreadyRead(state, origin)) return metrics.count("repeats");
      rememberOrigin(state, origin);
      const known = familiarity(state, transaction);
      if (known !== "new") {
        save(state);
        if (known === "repeat") return metrics.count("repeats");
        return reject(RejectReason.ID_CONFLICT, "other content under a transaction_id that the account knows", origin);
      }
      const isPossibleRepeat = possibleRepeat(state, transaction);
      rememberTransaction(state, transaction, settings.account.recentTransactions);

      state.seq++;
      state.eventSeq++;
      const account: AccountEvidence = {
        seq: state.seq,
        eventSeq: state.eventSeq,
        logicVersion,
        features: undefined,
        error: "",
        possibleRepeat: isPossibleRepeat,
        forgottenSeq: state.seq - BigInt(rememberedCount(state)),
        learnedIncomplete: false,
      };
      if (isPossibleRepeat) metrics.count("possible_repeats");
      try {
        const latestMs = state.latestEventTimeMs;
        const counted = countTransaction(state, transaction, settings.account);
        const learned = learnAccount(state, transaction, settings.learned, { latestMs, counted });
        account.features = { ...counted, ...learned.features };
        account.learnedIncomplete = learned.learnedIncomplete;
        account.knownFraudFromMs = learned.knownFraudFromMs;
      } catch (cause) {
        // Numbered is numbered: a transaction that vanished here would stall its account for ever.
        account.error = errorText(cause);
        metrics.count("function_errors");
      }
      scheduleExpiry(state);
      scheduleRest(state);
      save(state);
      metrics.count("transactions");
      context.packAndSend(merchantModelOf(transaction.merchantId), ScoringRequest, {
        evidence: { transaction, account, merchant: undefined, scoring: undefined },
        timing: { countedAtMs: now(), merchantAtMs: 0n, scoredAtMs: 0n },
      });
    }

    function onLabel(sent: FraudLabel): void {
      const { accountId, origin } = sent;
      if (accountId !== context.address.id)
        return reject(RejectReason.MISROUTED, `account_id is not the record's key`, origin);
      const problem = labelProblem(sent);
      if (problem !== undefined) return reject(RejectReason.INVALID_FIELD, problem, origin);

      const state = load();
      if (alreadyRead(state, origin)) return metrics.count("stale_labels");
      rememberOrigin(state, origin);
      if (isRecorded(state, sent)) {
        save(state);
        return metrics.count("stale_labels");
      }
      const held = heldRevision(state, sent);
      const label = completeLabel(state, sent);
      if (label.revision > held + MAX_REVISION_JUMP) {
        save(state);
        return reject(
          RejectReason.REVISION_AHEAD,
          `revision ${label.revision} is more than ${MAX_REVISION_JUMP} beyond ${held}, the one that holds; without a revision a label gets the next one`,
          origin,
        );
      }
      const change = recordVerdict(state, label, settings.account.maxVerdicts);
      if (change === undefined) {
        save(state);
        metrics.count("stale_labels");
        return reject(
          RejectReason.STALE_REVISION,
          `a verdict of revision ${held} holds, so revision ${label.revision} changes nothing; without a revision a label gets the next one`,
          origin,
        );
      }
      rememberLabel(state, sent);
      learnAccountVerdict(state, label.transactionId, change, settings.learned);
      state.eventSeq++;
      scheduleExpiry(state);
      scheduleRest(state);
      save(state);
      emit(state, {
        kind: StateEvent_Kind.LABEL,
        sourceId: label.labelId,
        revision: label.revision,
        transactionId: label.transactionId,
        fraudDelta: change.delta,
        effectiveAtMs: change.effectiveAtMs,
      });
      if (change.delta === 0) return;
      context.packAndSend(merchantModelOf(change.merchantId), MerchantVerdict, {
        labelId: label.labelId,
        revision: label.revision,
        accountId,
        transactionId: label.transactionId,
        fraudDelta: change.delta,
        effectiveAtMs: change.effectiveAtMs,
      });
    }

    /**
     * A timer while there are verdicts and the account's time moves on: only its transactions and labels set one. An
     * account at rest has none, since without a later event nothing more can expire.
     */
    function scheduleExpiry(state: AccountState): void {
      if (state.expiryScheduled || state.verdicts.length === 0) return;
      state.expiryScheduled = true;
      context.packAndSendAfter(settings.account.expiryDelayMs, context.address, ExpireFrauds, {});
    }

    /** Only removes what no evaluation counts any more: when it fires changes no feature. */
    function onExpiry(): void {
      const state = load();
      const cutoffMs = state.latestEventTimeMs - BigInt(settings.account.fraudWindowMs);
      const removed = expireVerdicts(state, cutoffMs);
      state.expiryScheduled = false;
      if (removed > 0) {
        state.eventSeq++;
        emit(state, { kind: StateEvent_Kind.EXPIRY, cutoffMs });
      }
      save(state);
    }

    /** A single timer, which is set again when it fires until the account rests: an account at rest has none. */
    function scheduleRest(state: AccountState): void {
      const { restMs } = settings.account;
      if (state.restScheduled || restMs === 0) return;
      state.restScheduled = true;
      context.packAndSendAfter(restMs, context.address, RestAddress, { eventSeq: state.eventSeq });
    }

    function onRest({ eventSeq }: RestAddress): void {
      const state = load();
      state.restScheduled = false;
      if (settings.account.restMs > 0 && eventSeq === state.eventSeq) {
        forgetFeatures(state);
        state.verdicts = [];
        state.eventSeq++;
        emit(state, { kind: StateEvent_Kind.REST });
      } else scheduleRest(state);
      save(state);
    }

    function load(): AccountState {
      const state = context.state("account").unpack(AccountState) ?? AccountState.fromPartial({});
      convertMemory(state);
      return state;
    }

    function save(state: AccountState): void {
      context.state("account").pack(AccountState, state);
    }

    function emit(state: AccountState, event: Partial<StateEvent>): void {
      const { id } = context.address;
      context.packAndSendToKafka(KAFKA_EGRESS, { topic: TOPICS.evidence.name, key: id }, StateEvent, {
        ...StateEvent.fromPartial({
          function: ACCOUNT_COUNTER,
          addressId: id,
          eventSeq: state.eventSeq,
          eventTimeMs: state.latestEventTimeMs,
          logicVersion,
        }),
        ...event,
      });
    }

    function readable<T>(type: MessageType<T>): T | undefined {
      try {
        return message.unpack(type);
      } catch (cause) {
        if (!(cause instanceof UnreadableMessageError)) throw cause;
        reject(RejectReason.UNREADABLE, cause.message);
        return undefined;
      }
    }

    function reject(reason: RejectReason, text: string, origin?: Origin): void {
      metrics.count("rejected");
      const { id } = context.address;
      context.packAndSendToKafka(KAFKA_EGRESS, { topic: TOPICS.functionsRejected.name, key: id }, RejectedRecord, {
        function: ACCOUNT_COUNTER,
        addressId: id,
        reason,
        message: text,
        original: { typeUrl: message.typeUrl, value: asBuffer(message.value) },
        origin,
        logicVersion,
      });
    }
  };
}
