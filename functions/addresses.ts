import { ACCOUNT_COUNTER, MERCHANT_MODEL } from "../contract/function-names.js";
import { ScoringRequest } from "../protos/gen/fraud/v1/decision.js";
import {
  CloseEpisode,
  ExpireFrauds,
  FetchWaiting,
  MerchantVerdict,
  RestAddress,
  SuspiciousDecision,
  WaitingRequest,
} from "../protos/gen/fraud/v1/internal.js";
import { FraudLabel, Transaction } from "../protos/gen/fraud/v1/transaction.js";
import { functionType } from "../statefun/index.js";

/** The one Kafka egress for every output topic: each further one would cost a transactional producer a checkpoint. */
export const KAFKA_EGRESS = "fraud/kafka-egress";

// Type names that nobody else needs to know. They never change: state is kept under them.
export const TRANSACTION_SCORER = "fraud/transaction-scorer";
export const WAITING_ROOM = "fraud/waiting-room";
export const ALERTER = "fraud/alerter";

// What each accepts: to send it anything else does not compile.
export const accountCounterOf = functionType(ACCOUNT_COUNTER, [Transaction, FraudLabel, ExpireFrauds, RestAddress]);
export const merchantModelOf = functionType(MERCHANT_MODEL, [ScoringRequest, MerchantVerdict, RestAddress]);
export const transactionScorerOf = functionType(TRANSACTION_SCORER, [ScoringRequest, WaitingRequest]);
export const waitingRoomOf = functionType(WAITING_ROOM, [WaitingRequest, FetchWaiting]);
export const alerterOf = functionType(ALERTER, [SuspiciousDecision, CloseEpisode]);
