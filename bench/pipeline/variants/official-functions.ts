import {
  type Context as OfficialContext,
  kafkaEgressMessage,
  type Message as OfficialMessage,
  messageBuilder,
  StateFun,
} from "apache-flink-statefun";

import { ACCOUNT_COUNTER, MERCHANT_MODEL } from "../../../contract/function-names.js";
import { accountCounter, accountState } from "../../../functions/account-counter/account-counter.js";
import { ALERTER, TRANSACTION_SCORER, WAITING_ROOM } from "../../../functions/addresses.js";
import { alerter, alerterState } from "../../../functions/alerter/alerter.js";
import type { Dependencies } from "../../../functions/dependencies.js";
import { merchantModel, merchantState } from "../../../functions/merchant-model/merchant-model.js";
import { scorerState, transactionScorer } from "../../../functions/transaction-scorer/transaction-scorer.js";
import { waitingRoom, waitingState } from "../../../functions/waiting-room/waiting-room.js";
import { Any } from "../../../protos/gen/google/protobuf/any.js";
import {
  type Address,
  AnyMessage,
  type Context,
  type KafkaTarget,
  type MessageType,
  pack,
  type StateType,
  type StateValue,
  type ValueSpec,
} from "../../../statefun/index.js";
import { officialType } from "./official-types.js";

/**
 * The pipeline's four functions on Apache's JavaScript SDK: the same logic, with that SDK's context, storage and types.
 * Nothing is decoded or encoded that a function written for it would not decode or encode.
 */
export function officialFunctions(dependencies: Dependencies): StateFun {
  const statefun = new StateFun();
  bind(statefun, ACCOUNT_COUNTER, accountState, accountCounter(dependencies));
  bind(statefun, MERCHANT_MODEL, merchantState, merchantModel(dependencies));
  bind(statefun, TRANSACTION_SCORER, scorerState, transactionScorer(dependencies));
  bind(statefun, WAITING_ROOM, waitingState, waitingRoom());
  bind(statefun, ALERTER, alerterState, alerter(dependencies));
  return statefun;
}

function bind<S extends ValueSpec>(
  statefun: StateFun,
  typename: string,
  state: S,
  run: (context: Context<readonly [S]>, message: AnyMessage) => void,
): void {
  statefun.bind({
    typename,
    specs: [{ name: state.name, type: officialType(state.type) }],
    fn: (context, message) => run(new ContextOfOurs<readonly [S]>(context), messageOfOurs(message)),
  });
}

const messageOfOurs = (message: OfficialMessage): AnyMessage =>
  new AnyMessage(message.valueTypeName, message.rawValueBytes);

/** Our context on Apache's: each call of one becomes a call of the other. */
class ContextOfOurs<States extends readonly ValueSpec[]> implements Context<States> {
  readonly #official: OfficialContext;

  constructor(official: OfficialContext) {
    this.#official = official;
  }

  get address(): Address {
    return this.#official.self;
  }

  get caller(): Address | undefined {
    return this.#official.caller ?? undefined;
  }

  state<Name extends States[number]["name"]>(name: Name): StateValue<StateType<States, Name>> {
    const storage = this.#official.storage as Record<string, unknown>;
    return {
      unpack: <T>() => (storage[name] ?? undefined) as T | undefined,
      pack: (_type, value) => void (storage[name] = value),
      clear: () => void (storage[name] = null),
    };
  }

  packAndSend<T>(to: Address<T>, type: MessageType<T>, message: T): void {
    this.#official.send(messageTo(to, type, message));
  }

  packAndSendAfter<T>(
    delayMs: number,
    to: Address<T>,
    type: MessageType<T>,
    message: T,
    { cancellationToken }: { readonly cancellationToken?: string } = {},
  ): void {
    this.#official.sendAfter(delayMs, messageTo(to, type, message), cancellationToken);
  }

  cancelDelayed(cancellationToken: string): void {
    this.#official.cancelDelayedMessage(cancellationToken);
  }

  packAndReply<T>(type: MessageType<T>, message: T): void {
    if (this.caller === undefined) throw new Error("no caller to reply to");
    this.packAndSend(this.caller, type, message);
  }

  packAndSendToKafka<T>(egress: string, { topic, key }: KafkaTarget, type: MessageType<T>, message: T): void {
    this.#official.send(
      kafkaEgressMessage({
        typename: egress,
        topic,
        key,
        value: Any.fromPartial(pack(type, message)),
        valueType: officialType(Any),
      }),
    );
  }

  packAndSendToKinesis(): void {
    throw new Error("the pipeline writes to Kafka");
  }
}

const messageTo = <T>(to: Address<T>, type: MessageType<T>, value: T): OfficialMessage =>
  messageBuilder({ typename: to.typename, id: to.id, value, valueType: officialType(type) });
