import { TOPICS } from "../../contract/topics.js";
import {
  Decision,
  type Evidence,
  Outcome,
  type ScoringEvidence,
  ScoringRequest,
  type ShadowScore,
} from "../../protos/gen/fraud/v1/decision.js";
import { FetchWaiting, ScorerState, SuspiciousDecision, WaitingRequest } from "../../protos/gen/fraud/v1/internal.js";
import { type AnyMessage, type Context, valueSpec } from "../../statefun/index.js";
import { alerterOf, KAFKA_EGRESS, waitingRoomOf } from "../addresses.js";
import type { Dependencies } from "../dependencies.js";
import { errorText } from "../error-text.js";
import { type Assessment, assess, unscored } from "./model.js";
import { Models, type NamedModel } from "./models.js";
import { enqueue, takeNext, toFetch } from "./waiting-list.js";

/** State of `fraud/transaction-scorer`. */
export const scorerState = valueSpec("scorer", ScorerState);

/**
 * `fraud/transaction-scorer/<account>`: puts the account's transactions back into the order that the counter gave
 * them (a busy merchant lets others overtake), scores each, and emits exactly one decision for each.
 */
export function transactionScorer(dependencies: Dependencies) {
  const { settings, model, otherModels, logicVersion, metrics, now } = dependencies;
  const { maxWaitingBytes } = settings.scorer;
  const models = new Models(model, otherModels);

  return (context: Context<readonly [typeof scorerState]>, message: AnyMessage): void => {
    // From the waiting room, or for the first time.
    const fetched = message.is(WaitingRequest) ? message.unpack(WaitingRequest) : undefined;
    const request = fetched === undefined ? message.unpack(ScoringRequest) : undefined;
    const seq = fetched?.accountSeq ?? request?.evidence?.account?.seq;
    if (seq === undefined) throw new Error("a scoring request without an account's number");
    const state = context.state("scorer").unpack(ScorerState) ?? ScorerState.fromPartial({});

    if (seq <= state.decidedSeq) {
      // Exactly-once messaging rules this out; deciding twice would be worse than saying so.
      metrics.count("stale_scoring_requests");
      return;
    }
    if (seq > state.decidedSeq + 1n) {
      if (fetched === undefined) metrics.count("overtook");
      const entry = fetched ?? { accountSeq: seq, request: Buffer.from(message.value) };
      const parked = enqueue(state, entry, maxWaitingBytes);
      for (const one of parked) {
        metrics.count("parked");
        context.packAndSend(roomOf(one.accountSeq), WaitingRequest, one);
      }
      if (!parked.includes(entry)) metrics.waiting(state.waiting.length);
      context.state("scorer").pack(ScorerState, state);
      return;
    }
    const inTurn = request ?? ScoringRequest.decode(fetched!.request);
    for (let next: ScoringRequest | undefined = inTurn; next !== undefined; next = takeNext(state)) decide(next);
    for (const number of toFetch(state, maxWaitingBytes)) context.packAndSend(roomOf(number), FetchWaiting, {});
    context.state("scorer").pack(ScorerState, state);

    function roomOf(number: bigint) {
      return waitingRoomOf(`${context.address.id}/${number}`);
    }

    function decide(request: ScoringRequest): void {
      const { evidence, timing } = request;
      if (evidence?.transaction === undefined) throw new Error("a scoring request without a transaction");
      state.decidedSeq++;
      const { account, merchant, transaction } = evidence;
      const featureless = account?.error
        ? `account-counter: ${account.error}`
        : merchant?.error
          ? `merchant-model: ${merchant.error}`
          : undefined;
      const champion = models.named(transaction.modelHash);
      const assessed = featureless === undefined ? tryModel(champion, evidence) : unscored(featureless);
      const scoring: ScoringEvidence = {
        logicVersion,
        modelId: champion.id,
        modelHash: Buffer.from(champion.hash),
        suspiciousSeq: undefined,
        ...assessed,
        challenger:
          featureless === undefined && transaction.challengerHash.length > 0
            ? shadowScore(transaction.challengerHash, evidence)
            : undefined,
      };
      if (scoring.outcome === Outcome.REVIEW || scoring.outcome === Outcome.DECLINE) {
        state.suspiciousSeq++;
        scoring.suspiciousSeq = state.suspiciousSeq;
        context.packAndSend(alerterOf(context.address.id), SuspiciousDecision, {
          transaction,
          suspiciousSeq: state.suspiciousSeq,
          score: scoring.score,
          reasons: scoring.reasons,
          outcome: scoring.outcome,
        });
      }
      evidence.scoring = scoring;
      if (timing !== undefined) timing.scoredAtMs = now();
      metrics.decided(evidence, timing && timing.scoredAtMs - timing.countedAtMs);
      context.packAndSendToKafka(KAFKA_EGRESS, { topic: TOPICS.decisions.name, key: context.address.id }, Decision, {
        evidence,
        timing,
      });
    }
  };

  /** What the model says, whatever happens to it on the way. */
  function tryModel(model: NamedModel, evidence: Evidence, explained = true): Assessment {
    if (model.loaded === undefined) {
      metrics.count("unknown_models");
      return unscored(
        `transaction-scorer: this server does not have the model ${Buffer.from(model.hash).toString("hex")} that the transaction names; FRAUD_MODEL lists the files of those that it has`,
      );
    }
    try {
      const assessed = assess(model.loaded, evidence, explained);
      return assessed.error === "" ? assessed : unscored(`transaction-scorer: ${assessed.error}`);
    } catch (cause) {
      metrics.count("function_errors");
      return unscored(`transaction-scorer: ${errorText(cause)}`);
    }
  }

  /** The challenger's opinion. Nothing that goes wrong with it reaches the decision. */
  function shadowScore(hash: Uint8Array, evidence: Evidence): ShadowScore {
    const challenger = models.named(hash);
    const { score, probabilityPpm, outcome, marginE6, error } = tryModel(challenger, evidence, false);
    return {
      modelId: challenger.id,
      modelHash: Buffer.from(hash),
      score,
      probabilityPpm,
      outcome,
      marginE6,
      error,
    };
  }
}
