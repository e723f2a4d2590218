import { type Context, kafkaEgressMessage, type Message, messageBuilder, StateFun } from "apache-flink-statefun";

import { TOPICS } from "../../../contract/topics.js";
import { countTransaction } from "../../../functions/account-counter/features.js";
import { expireVerdicts, recordVerdict } from "../../../functions/account-counter/verdicts.js";
import { KAFKA_EGRESS } from "../../../functions/addresses.js";
import type { Dependencies } from "../../../functions/dependencies.js";
import { modelTransaction } from "../../../functions/merchant-model/features.js";
import { assess } from "../../../functions/transaction-scorer/model.js";
import {
  AccountEvidence,
  Decision,
  Evidence,
  MerchantEvidence,
  Outcome,
  ScoringEvidence,
  ScoringRequest,
} from "../../../protos/gen/fraud/v1/decision.js";
import { Alert, Alert_Cause, Alert_Kind } from "../../../protos/gen/fraud/v1/evidence.js";
import { AccountState, ExpireFrauds, MerchantState } from "../../../protos/gen/fraud/v1/internal.js";
import { FraudLabel, Transaction } from "../../../protos/gen/fraud/v1/transaction.js";
import { Any } from "../../../protos/gen/google/protobuf/any.js";
import { type MessageType, pack } from "../../../statefun/index.js";
import { officialType } from "./official-types.js";

const MANAGER = "workshop/transaction-manager";
const COUNTER = "workshop/counter";
const MERCHANT = "workshop/merchant";
const MODEL = "workshop/model";

/** What the transaction manager keeps of a transaction until it is decided. */
interface ManagerStorage {
  transaction: ScoringRequest | null;
  account: AccountEvidence | null;
  merchant: MerchantEvidence | null;
}

/**
 * The topology of Ververica's fraud detection workshop, on Apache's JavaScript SDK: a transaction manager for each
 * transaction asks the account's counter and the merchant's function at once, gathers both answers, has the model score
 * them, and decides. What they compute are this project's features and model, so that only the way differs.
 */
export function workshopFunctions({ settings, model, logicVersion, now }: Dependencies): StateFun {
  const statefun = new StateFun();

  statefun.bind({
    typename: MANAGER,
    specs: [
      { name: "transaction", type: officialType(ScoringRequest) },
      { name: "account", type: officialType(AccountEvidence) },
      { name: "merchant", type: officialType(MerchantEvidence) },
    ],
    fn: (context, message) => {
      const storage = context.storage as ManagerStorage;
      if (message.is(officialType(Transaction))) {
        const transaction = read(message, Transaction);
        storage.transaction = ScoringRequest.fromPartial({
          evidence: { transaction },
          timing: { countedAtMs: now() },
        });
        send(context, COUNTER, transaction.accountId, Transaction, transaction);
        send(context, MERCHANT, transaction.merchantId, Transaction, transaction);
      } else if (context.caller?.typename === COUNTER) {
        storage.account = read(message, AccountEvidence);
        gathered(context, storage);
      } else if (context.caller?.typename === MERCHANT) {
        storage.merchant = read(message, MerchantEvidence);
        gathered(context, storage);
      } else if (context.caller?.typename === MODEL) {
        decide(context, storage, read(message, ScoringEvidence));
      }
    },
  });

  function gathered(context: Context, storage: ManagerStorage): void {
    const { account, merchant } = storage;
    const request = storage.transaction;
    if (account === null || merchant === null || request === null) return;
    storage.transaction = {
      ...request,
      timing: { countedAtMs: 0n, scoredAtMs: 0n, ...request.timing, merchantAtMs: now() },
    };
    send(context, MODEL, context.self.id, Evidence, {
      transaction: request.evidence?.transaction,
      account,
      merchant,
      scoring: undefined,
    });
  }

  function decide(context: Context, storage: ManagerStorage, scoring: ScoringEvidence): void {
    const request = storage.transaction;
    const transaction = request?.evidence?.transaction;
    const { account, merchant } = storage;
    if (request === null || transaction === undefined || account === null || merchant === null)
      throw new Error("a score for no transaction");
    storage.transaction = null;
    storage.account = null;
    storage.merchant = null;
    emit(context, TOPICS.decisions.name, transaction.accountId, Decision, {
      evidence: { transaction, account, merchant, scoring },
      timing: { countedAtMs: 0n, merchantAtMs: 0n, ...request.timing, scoredAtMs: now() },
    });
    if (scoring.outcome === Outcome.REVIEW || scoring.outcome === Outcome.DECLINE)
      emit(
        context,
        TOPICS.alerts.name,
        transaction.accountId,
        Alert,
        Alert.fromPartial({
          alertId: transaction.transactionId,
          accountId: transaction.accountId,
          kind: Alert_Kind.OPENED,
          cause: Alert_Cause.FIRST,
          logicVersion,
          transaction,
          score: scoring.score,
          reasons: scoring.reasons,
          raisedAtMs: now(),
        }),
      );
  }

  statefun.bind({
    typename: COUNTER,
    specs: [{ name: "account", type: officialType(AccountState) }],
    fn: (context, message) => {
      const storage = context.storage as { account: AccountState | null };
      const state = storage.account ?? AccountState.fromPartial({});
      if (message.is(officialType(Transaction))) {
        state.seq++;
        state.eventSeq++;
        reply(context, AccountEvidence, {
          seq: state.seq,
          eventSeq: state.eventSeq,
          logicVersion,
          features: countTransaction(state, read(message, Transaction), settings.account),
          error: "",
          possibleRepeat: false,
          forgottenSeq: 0n,
          learnedIncomplete: false,
          knownFraudFromMs: undefined,
        });
      } else if (message.is(officialType(FraudLabel))) {
        if (recordVerdict(state, read(message, FraudLabel), settings.account.maxVerdicts) === undefined) return;
        context.sendAfter(
          settings.account.fraudWindowMs,
          messageBuilder({
            typename: COUNTER,
            id: context.self.id,
            value: ExpireFrauds.fromPartial({}),
            valueType: officialType(ExpireFrauds),
          }),
        );
      } else expireVerdicts(state, state.latestEventTimeMs - BigInt(settings.account.fraudWindowMs));
      storage.account = state;
    },
  });

  statefun.bind({
    typename: MERCHANT,
    specs: [{ name: "merchant", type: officialType(MerchantState) }],
    fn: (context, message) => {
      const storage = context.storage as { merchant: MerchantState | null };
      const state = storage.merchant ?? MerchantState.fromPartial({});
      state.seq++;
      state.eventSeq++;
      reply(context, MerchantEvidence, {
        seq: state.seq,
        eventSeq: state.eventSeq,
        logicVersion,
        features: modelTransaction(state, read(message, Transaction), settings.merchant),
        error: "",
        learnedIncomplete: false,
      });
      storage.merchant = state;
    },
  });

  statefun.bind({
    typename: MODEL,
    fn: (context, message) =>
      reply(context, ScoringEvidence, {
        logicVersion,
        modelId: model.id,
        modelHash: Buffer.from(model.hash),
        suspiciousSeq: undefined,
        challenger: undefined,
        ...assess(model, read(message, Evidence)),
      }),
  });

  return statefun;
}

function read<T>(message: Message, type: MessageType<T>): T {
  const value = message.as(officialType(type));
  if (value === null) throw new Error(`a message without its ${type.$type}`);
  return value;
}

function send<T>(context: Context, typename: string, id: string, type: MessageType<T>, value: T): void {
  context.send(messageBuilder({ typename, id, value, valueType: officialType(type) }));
}

function reply<T>(context: Context, type: MessageType<T>, value: T): void {
  if (context.caller === null) throw new Error("no caller to reply to");
  send(context, context.caller.typename, context.caller.id, type, value);
}

function emit<T>(context: Context, topic: string, key: string, type: MessageType<T>, value: T): void {
  context.send(
    kafkaEgressMessage({
      typename: KAFKA_EGRESS,
      topic,
      key,
      value: Any.fromPartial(pack(type, value)),
      valueType: officialType(Any),
    }),
  );
}
