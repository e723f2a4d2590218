import { ACCOUNT_COUNTER, MERCHANT_MODEL } from "../contract/function-names.js";
import { StatefulFunctions } from "../statefun/index.js";
import { accountCounter, accountState } from "./account-counter/account-counter.js";
import { ALERTER, TRANSACTION_SCORER, WAITING_ROOM } from "./addresses.js";
import { alerter, alerterState } from "./alerter/alerter.js";
import type { Dependencies } from "./dependencies.js";
import { merchantModel, merchantState } from "./merchant-model/merchant-model.js";
import { scorerState, transactionScorer } from "./transaction-scorer/transaction-scorer.js";
import { waitingRoom, waitingState } from "./waiting-room/waiting-room.js";

/** The pipeline's four functions and the scorer's waiting room, bound to their type names. */
export function fraudFunctions(dependencies: Dependencies): StatefulFunctions {
  return new StatefulFunctions()
    .bind(ACCOUNT_COUNTER, accountCounter(dependencies), { states: [accountState] })
    .bind(MERCHANT_MODEL, merchantModel(dependencies), { states: [merchantState] })
    .bind(TRANSACTION_SCORER, transactionScorer(dependencies), { states: [scorerState] })
    .bind(WAITING_ROOM, waitingRoom(), { states: [waitingState] })
    .bind(ALERTER, alerter(dependencies), { states: [alerterState] });
}
