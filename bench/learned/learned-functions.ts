import { ACCOUNT_COUNTER, MERCHANT_MODEL } from "../../contract/function-names.js";
import { fraudFunctions } from "../../functions/fraud-functions.js";
import { sampleDependencies } from "../../functions/testing/samples.js";
import { FromFunction, ToFunction, type TypedValue } from "../../protos/gen/io/statefun/reqreply.js";
import { type Address, type MessageType, RequestReplyHandler, typeUrlOf } from "../../statefun/index.js";

/** The functions that have learned features, and the name of their state. */
const STATES: Readonly<Record<string, string>> = { [ACCOUNT_COUNTER]: "account", [MERCHANT_MODEL]: "merchant" };

/** A message to an address, as it is on its way. */
export interface Sent {
  readonly typename: string;
  readonly id: string;
  readonly argument: TypedValue;
}

/** A message of a function. */
export function sentTo<T>({ typename, id }: Address<T>, type: MessageType<T>, message: T): Sent {
  const value = Buffer.from(type.encode(message).finish());
  return { typename, id, argument: { typename: typeUrlOf(type), hasValue: true, value } };
}

/** The account counter and the merchant model, called one after the other with requests' bytes; keeps their states. */
export class LearnedFunctions {
  readonly #handler: RequestReplyHandler;
  readonly #states = new Map<string, TypedValue>();

  /** @param settings - of the functions, as in `FRAUD_SETTINGS` */
  constructor(settings: object) {
    this.#handler = new RequestReplyHandler(fraudFunctions(sampleDependencies(settings)), {
      maxBodyBytes: Infinity,
      logger: { error: (_, message) => process.stderr.write(`${message}\n`) },
    });
  }

  /** What a call answers to a request. */
  readonly answer = (request: Uint8Array): Uint8Array | Promise<Uint8Array> => this.#handler.handle(request);

  /** The request that takes a message to its address now. */
  request({ typename, id, argument }: Sent): Uint8Array {
    const [namespace, type] = typename.split("/") as [string, string];
    const stateValue = this.#states.get(keyOf(typename, id)) ?? {
      typename: "",
      hasValue: false,
      value: Buffer.alloc(0),
    };
    return ToFunction.encode({
      request: {
        $case: "invocation",
        value: {
          target: { namespace, type, id },
          state: [{ stateName: STATES[typename]!, stateValue }],
          invocations: [{ caller: undefined, argument }],
        },
      },
    }).finish();
  }

  /**
   * Delivers a message and keeps the state that comes back.
   *
   * @returns what the function sends to functions with learned features, and to the next
   */
  async deliver(sent: Sent): Promise<Sent[]> {
    const { response } = FromFunction.decode(await this.answer(this.request(sent)));
    if (response?.$case !== "invocationResult") throw new Error("the function did not answer");
    const { stateMutations, outgoingMessages } = response.value;
    for (const { stateValue } of stateMutations)
      if (stateValue !== undefined) this.#states.set(keyOf(sent.typename, sent.id), stateValue);
    return outgoingMessages.map(({ target, argument }) => ({
      typename: `${target!.namespace}/${target!.type}`,
      id: target!.id,
      argument: argument!,
    }));
  }

  /** How many bytes the state of each address of a function has, in ascending order. */
  stateBytes(typename: string): number[] {
    const own = [...this.#states].filter(([key]) => key.startsWith(`${typename}/`));
    return own.map(([, { value }]) => value.length).toSorted((a, b) => a - b);
  }
}

const keyOf = (typename: string, id: string): string => `${typename}/${id}`;
