import type { StateFun } from "apache-flink-statefun";

import { KafkaProducerRecord } from "../../../protos/gen/io/statefun/egress.js";
import {
  type Address,
  FromFunction,
  FromFunction_PersistedValueMutation_MutationType as MutationType,
  type FromFunction_InvocationResponse,
  ToFunction,
  type TypedValue,
} from "../../../protos/gen/io/statefun/reqreply.js";
import { type MessageType, typeUrlOf } from "../../../statefun/index.js";

interface Call {
  readonly target: Address;
  readonly caller: Address | undefined;
  readonly argument: TypedValue;
}

/** A record that a function wrote to Kafka. */
export interface Written {
  readonly topic: string;
  readonly key: string;
  readonly value: Buffer;
}

/**
 * StateFun in memory, for functions on Apache's SDK: one message a call, in the order in which they were sent. Delayed
 * messages never fire.
 */
export class OfficialRuntime {
  readonly #statefun: StateFun;
  readonly #states = new Map<string, Map<string, TypedValue | undefined>>();
  readonly #queue: Call[] = [];
  readonly written: Written[] = [];

  constructor(statefun: StateFun) {
    this.#statefun = statefun;
  }

  /** A message from outside. */
  ingress<T>(typename: string, id: string, type: MessageType<T>, message: T): void {
    this.#queue.push({
      target: addressOf(typename, id),
      caller: undefined,
      argument: { typename: typeUrlOf(type), hasValue: true, value: Buffer.from(type.encode(message).finish()) },
    });
  }

  /** Handles messages until there are none. */
  async run(): Promise<void> {
    for (let call = this.#queue.shift(); call !== undefined; call = this.#queue.shift()) {
      const { stateMutations, outgoingMessages, outgoingEgresses } = await this.#call(call);
      const state = this.#stateOf(call.target);
      for (const { stateName, mutationType, stateValue } of stateMutations)
        state.set(stateName, mutationType === MutationType.MODIFY ? stateValue : undefined);
      for (const { target, argument } of outgoingMessages)
        this.#queue.push({ target: target!, caller: call.target, argument: argument! });
      for (const { argument } of outgoingEgresses) {
        const { topic, key, valueBytes } = KafkaProducerRecord.decode(argument!.value);
        this.written.push({ topic, key, value: valueBytes });
      }
    }
  }

  /** How many values the addresses of a function keep. */
  kept(typename: string): number {
    return [...this.#states]
      .filter(([address]) => address.startsWith(`${typename}/`))
      .reduce((sum, [, values]) => sum + [...values.values()].filter((value) => value !== undefined).length, 0);
  }

  async #call(call: Call): Promise<FromFunction_InvocationResponse> {
    const state = this.#stateOf(call.target);
    const body = ToFunction.encode({
      request: {
        $case: "invocation",
        value: {
          target: call.target,
          state: [...state].map(([stateName, stateValue]) => ({
            stateName,
            stateValue: stateValue ?? { typename: "", hasValue: false, value: Buffer.alloc(0) },
          })),
          invocations: [{ caller: call.caller, argument: call.argument }],
        },
      },
    }).finish();
    const { response } = FromFunction.decode(await this.#post(body));
    if (response?.$case === "invocationResult") return response.value;
    for (const { stateName } of response?.value.missingValues ?? []) state.set(stateName, undefined);
    return await this.#call(call);
  }

  async #post(body: Uint8Array): Promise<Buffer> {
    let [status, answer] = [0, Buffer.alloc(0)];
    await this.#statefun.handle([body], {
      writeHead: (code: number) => void (status = code),
      end: (bytes?: Uint8Array) => void (answer = Buffer.from(bytes ?? [])),
    });
    if (status !== 200) throw new Error(`Apache's SDK answered ${status}`);
    return answer;
  }

  #stateOf({ namespace, type, id }: Address): Map<string, TypedValue | undefined> {
    const address = `${namespace}/${type}/${id}`;
    const state = this.#states.get(address) ?? new Map<string, TypedValue | undefined>();
    this.#states.set(address, state);
    return state;
  }
}

function addressOf(typename: string, id: string): Address {
  const [namespace = "", type = ""] = typename.split("/");
  return { namespace, type, id };
}
