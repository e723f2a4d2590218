import { TOPICS } from "../../contract/topics.js";
import { Decision, Outcome, type ScoringEvidence, ScoringRequest } from "../../protos/gen/fraud/v1/decision.js";
import { ScorerState, SuspiciousDecision } from "../../protos/gen/fraud/v1/internal.js";
import { type AnyMessage, type Context, valueSpec } from "../../statefun/index.js";
import { alerterOf, KAFKA_EGRESS } from "../addresses.js";
import type { Dependencies } from "../dependencies.js";
import { errorText } from "../error-text.js";
import { assess } from "./model.js";
import { enqueue, takeNext } from "./waiting-list.js";

/** State of `fraud/transaction-scorer`. */
export const scorerState = valueSpec("scorer", ScorerState);

/**
 * `fraud/transaction-scorer/<account>`: puts the account's transactions back into the order that the counter gave
 * them (a busy merchant lets others overtake), scores each, and emits exactly one decision for each.
 */
export function transactionScorer(dependencies: Dependencies) {
  const { settings, model, logicVersion, metrics, now } = dependencies;

  return (context: Context<readonly [typeof scorerState]>, message: AnyMessage): void => {
    const request = message.unpack(ScoringRequest);
    const seq = request.evidence?.account?.seq;
    if (seq === undefined) throw new Error("a scoring request without an account's number");
    const state = context.state("scorer").unpack(ScorerState) ?? ScorerState.fromPartial({});

    if (seq <= state.decidedSeq) {
      // Exactly-once messaging rules this out; deciding twice would be worse than saying so.
      metrics.count("stale_scoring_requests");
      return;
    }
    if (seq > state.decidedSeq + 1n) {
      metrics.count("overtook");
      if (enqueue(state, seq, message.value, settings.scorer.maxWaitingBytes)) {
        metrics.waiting(state.waiting.length);
        context.state("scorer").pack(ScorerState, state);
      } else {
        metrics.count("resent");
        context.packAndSendAfter(settings.scorer.resendDelayMs, context.address, ScoringRequest, request);
      }
      return;
    }
    for (let next: ScoringRequest | undefined = request; next !== undefined; next = takeNext(state)) decide(next);
    context.state("scorer").pack(ScorerState, state);

    function decide(request: ScoringRequest): void {
      const { evidence, timing } = request;
      if (evidence?.transaction === undefined) throw new Error("a scoring request without a transaction");
      state.decidedSeq++;
      const scoring: ScoringEvidence = {
        logicVersion,
        modelId: model.id,
        modelHash: Buffer.from(model.hash),
        score: 0,
        reasons: [],
        contributions: [],
        outcome: Outcome.ERROR,
        suspiciousSeq: undefined,
        error: "",
      };
      if (evidence.account?.error) scoring.error = `account-counter: ${evidence.account.error}`;
      else if (evidence.merchant?.error) scoring.error = `merchant-model: ${evidence.merchant.error}`;
      else {
        try {
          Object.assign(scoring, assess(model, evidence));
        } catch (cause) {
          scoring.error = `transaction-scorer: ${errorText(cause)}`;
          metrics.count("function_errors");
        }
      }
      if (scoring.outcome === Outcome.REVIEW || scoring.outcome === Outcome.DECLINE) {
        state.suspiciousSeq++;
        scoring.suspiciousSeq = state.suspiciousSeq;
        context.packAndSend(alerterOf(context.address.id), SuspiciousDecision, {
          transaction: evidence.transaction,
          suspiciousSeq: state.suspiciousSeq,
          score: scoring.score,
          reasons: scoring.reasons,
          outcome: scoring.outcome,
        });
      }
      evidence.scoring = scoring;
      if (timing !== undefined) timing.scoredAtMs = now();
      metrics.decided(
        scoring.outcome,
        scoring.reasons.map(({ code }) => code),
        timing && timing.scoredAtMs - timing.countedAtMs,
      );
      context.packAndSendToKafka(KAFKA_EGRESS, { topic: TOPICS.decisions.name, key: context.address.id }, Decision, {
        evidence,
        timing,
      });
    }
  };
}
