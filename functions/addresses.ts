import type { Address } from "../statefun/index.js";

/** Type names of the functions; also their addresses in `module.yaml`. They never change. */
export const ACCOUNT_COUNTER = "fraud/account-counter";
export const MERCHANT_MODEL = "fraud/merchant-model";
export const TRANSACTION_SCORER = "fraud/transaction-scorer";
export const ALERTER = "fraud/alerter";

/** The one Kafka egress for every output topic: each further one would cost a transactional producer a checkpoint. */
export const KAFKA_EGRESS = "fraud/kafka-egress";

export const accountCounterOf = (id: string): Address => ({ typename: ACCOUNT_COUNTER, id });
export const merchantModelOf = (id: string): Address => ({ typename: MERCHANT_MODEL, id });
export const transactionScorerOf = (id: string): Address => ({ typename: TRANSACTION_SCORER, id });
export const alerterOf = (id: string): Address => ({ typename: ALERTER, id });
