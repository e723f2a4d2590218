import { MERCHANT_MODEL } from "../../contract/function-names.js";
import { TOPICS } from "../../contract/topics.js";
import { type MerchantEvidence, ScoringRequest } from "../../protos/gen/fraud/v1/decision.js";
import { StateEvent, StateEvent_Kind } from "../../protos/gen/fraud/v1/evidence.js";
import { MerchantState, MerchantVerdict } from "../../protos/gen/fraud/v1/internal.js";
import { type AnyMessage, type Context, valueSpec } from "../../statefun/index.js";
import { KAFKA_EGRESS, transactionScorerOf } from "../addresses.js";
import type { Dependencies } from "../dependencies.js";
import { errorText } from "../error-text.js";
import { modelTransaction, recordFraud } from "./features.js";
import { learnMerchant, learnMerchantVerdict } from "./learned-features.js";

/** State of `fraud/merchant-model`. */
export const merchantState = valueSpec("merchant", MerchantState);

/**
 * `fraud/merchant-model/<merchant>`: numbers the merchant's transactions, adds the merchant's features and sends them
 * on to their account's scorer; counts confirmed frauds.
 */
export function merchantModel(dependencies: Dependencies) {
  const { settings, logicVersion, metrics, now } = dependencies;

  return (context: Context<readonly [typeof merchantState]>, message: AnyMessage): void => {
    const state = context.state("merchant").unpack(MerchantState) ?? MerchantState.fromPartial({});

    if (message.is(MerchantVerdict)) {
      const verdict = message.unpack(MerchantVerdict);
      state.eventSeq++;
      recordFraud(state, verdict.fraudDelta, verdict.effectiveAtMs, settings.merchant);
      learnMerchantVerdict(state, verdict, settings.learned);
      context.state("merchant").pack(MerchantState, state);
      context.packAndSendToKafka(KAFKA_EGRESS, { topic: TOPICS.evidence.name, key: context.address.id }, StateEvent, {
        function: MERCHANT_MODEL,
        addressId: context.address.id,
        eventSeq: state.eventSeq,
        kind: StateEvent_Kind.LABEL,
        sourceId: verdict.labelId,
        revision: verdict.revision,
        transactionId: verdict.transactionId,
        fraudDelta: verdict.fraudDelta,
        effectiveAtMs: verdict.effectiveAtMs,
        eventTimeMs: state.latestEventTimeMs,
        cutoffMs: 0n,
        logicVersion,
        accountId: verdict.accountId,
      });
      return;
    }

    const request = message.unpack(ScoringRequest);
    const { evidence, timing } = request;
    if (evidence?.transaction === undefined) throw new Error("a scoring request without a transaction");
    state.seq++;
    state.eventSeq++;
    const merchant: MerchantEvidence = {
      seq: state.seq,
      eventSeq: state.eventSeq,
      logicVersion,
      features: undefined,
      error: "",
      learnedIncomplete: false,
    };
    try {
      const features = modelTransaction(state, evidence.transaction, settings.merchant);
      const learned = learnMerchant(state, evidence.transaction, evidence, settings.learned);
      merchant.features = { ...features, ...learned.features };
      merchant.learnedIncomplete = learned.learnedIncomplete;
    } catch (cause) {
      // Numbered is numbered: the transaction goes on and says what went wrong.
      merchant.error = errorText(cause);
      metrics.count("function_errors");
    }
    context.state("merchant").pack(MerchantState, state);
    evidence.merchant = merchant;
    if (timing !== undefined) timing.merchantAtMs = now();
    context.packAndSend(transactionScorerOf(evidence.transaction.accountId), ScoringRequest, request);
  };
}
