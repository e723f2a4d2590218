import { KafkaProducerRecord, KinesisEgressRecord } from "./gen/io/statefun/egress.js";
import type { FromFunction_DelayedInvocation, TypedValue } from "./gen/io/statefun/reqreply.js";
import { type Address, fromWire, toWire, typenameParts } from "./address.js";
import { encode, encodeAround, type MessageType, typeUrlOf } from "./any.js";
import type { CallRequest } from "./call-request.js";
import { StatefunError } from "./errors.js";
import { type Reply, ReplyWriter } from "./reply.js";
import { BatchState, type StateValue } from "./state.js";
import type { StateType, ValueSpec } from "./value-spec.js";

/**
 * What a function may do while it handles one message. Effects take place once the whole batch has succeeded.
 *
 * @typeParam States - the states that the function's binding declares: using any other is a compile error
 */
export interface Context<States extends readonly ValueSpec[] = readonly ValueSpec[]> {
  /** The address that this call runs for. */
  readonly address: Address;
  /** Who sent the message; `undefined` when it came from an ingress. */
  readonly caller: Address | undefined;
  /** @throws {StatefunError} `UNDECLARED_STATE` for a name that the function's binding does not declare */
  state<Name extends States[number]["name"]>(name: Name): StateValue<StateType<States, Name>>;
  /** @throws {StatefunError} `NOT_ACCEPTED` when the receiver is known to take other messages */
  packAndSend<T>(to: Address<T>, type: MessageType<T>, message: T): void;
  /**
   * Sends a message later.
   *
   * @param delayMs - milliseconds of processing time
   * @param options - with a token, {@link cancelDelayed} can take the message back
   */
  packAndSendAfter<T>(
    delayMs: number,
    to: Address<T>,
    type: MessageType<T>,
    message: T,
    options?: { readonly cancellationToken?: string },
  ): void;
  /** Takes back delayed messages that were sent with this token and have not fired. */
  cancelDelayed(cancellationToken: string): void;
  /** @throws {StatefunError} `NO_CALLER` when the message came from an ingress */
  packAndReply<T>(type: MessageType<T>, message: T): void;
  /**
   * Writes a record to a Kafka egress; its value is the message packed in an Any.
   *
   * @param egress - the egress' type name in `module.yaml`
   */
  packAndSendToKafka<T>(egress: string, record: KafkaTarget, type: MessageType<T>, message: T): void;
  /**
   * Writes a record to a Kinesis egress; its data is the message packed in an Any.
   *
   * @param egress - the egress' type name in `module.yaml`
   */
  packAndSendToKinesis<T>(egress: string, record: KinesisTarget, type: MessageType<T>, message: T): void;
}

/** Where a Kafka record goes. StateFun's protocol has no record headers. An empty key means no key. */
export interface KafkaTarget {
  readonly topic: string;
  readonly key: string;
}

/** Where a Kinesis record goes. */
export interface KinesisTarget {
  readonly stream: string;
  readonly partitionKey: string;
  /** Chooses the shard, in place of the partition key's hash. */
  readonly explicitHashKey?: string;
}

/** The context of one batch: the same object for each of its messages, so that later ones see earlier changes. */
export class BatchContext implements Context {
  readonly address: Address;
  caller: Address | undefined;
  readonly #states = new Map<string, BatchState>();
  readonly #reply: ReplyWriter;

  /** @param received - the values of the declared states, as StateFun sent them */
  constructor(
    { target }: CallRequest,
    specs: readonly ValueSpec[],
    received: ReadonlyMap<string, Buffer | undefined>,
    maxReplyBytes: number,
  ) {
    this.address = fromWire(target);
    this.#reply = new ReplyWriter(maxReplyBytes);
    for (const spec of specs) this.#states.set(spec.name, new BatchState(spec, received.get(spec.name)));
  }

  state(name: string): StateValue {
    const state = this.#states.get(name);
    if (state === undefined) {
      const declared = [...this.#states.keys()].join(", ") || "none";
      throw new StatefunError(
        "UNDECLARED_STATE",
        `${this.address.typename} declares no state "${name}" (declared: ${declared})`,
      );
    }
    return state;
  }

  packAndSend<T>(to: Address<T>, type: MessageType<T>, message: T): void {
    requireAccepted(to, type);
    const sent = { target: toWire(to), argument: typedValue(type, message) };
    this.#reply.add("outgoingMessages", sent, to.id.length + sent.argument.value.length);
  }

  packAndSendAfter<T>(
    delayMs: number,
    to: Address<T>,
    type: MessageType<T>,
    message: T,
    options: { readonly cancellationToken?: string } = {},
  ): void {
    requireAccepted(to, type);
    if (!Number.isSafeInteger(delayMs) || delayMs < 0)
      throw new StatefunError("INVALID_ARGUMENT", `a delay is a whole number of milliseconds, not ${delayMs}`);
    this.#delay({
      delayInMs: BigInt(delayMs),
      target: toWire(to),
      argument: typedValue(type, message),
      isCancellationRequest: false,
      cancellationToken: options.cancellationToken ?? "",
    });
  }

  cancelDelayed(cancellationToken: string): void {
    if (cancellationToken === "")
      throw new StatefunError("INVALID_ARGUMENT", "an empty cancellation token names no message");
    this.#delay({
      delayInMs: 0n,
      target: undefined,
      argument: undefined,
      isCancellationRequest: true,
      cancellationToken,
    });
  }

  packAndReply<T>(type: MessageType<T>, message: T): void {
    if (this.caller === undefined)
      throw new StatefunError(
        "NO_CALLER",
        `${this.address.typename} cannot reply to ${type.$type}: the message came from an ingress`,
      );
    this.packAndSend(this.caller, type, message);
  }

  packAndSendToKafka<T>(egress: string, { topic, key }: KafkaTarget, type: MessageType<T>, message: T): void {
    if (topic === "") throw new StatefunError("INVALID_ARGUMENT", `a record for ${egress} has no topic`);
    const [before, after] = [
      { key, topic: "", valueBytes: NO_BYTES },
      { key: "", topic, valueBytes: NO_BYTES },
    ];
    this.#toEgress(
      egress,
      KafkaProducerRecord,
      encodeAround(KafkaProducerRecord, before, VALUE_BYTES, type, message, after),
    );
  }

  packAndSendToKinesis<T>(
    egress: string,
    { stream, partitionKey, explicitHashKey = "" }: KinesisTarget,
    type: MessageType<T>,
    message: T,
  ): void {
    if (stream === "" || partitionKey === "")
      throw new StatefunError("INVALID_ARGUMENT", `a record for ${egress} needs a stream and a partition key`);
    const [before, after] = [
      { partitionKey, stream: "", explicitHashKey: "", valueBytes: NO_BYTES },
      { partitionKey: "", stream, explicitHashKey, valueBytes: NO_BYTES },
    ];
    this.#toEgress(
      egress,
      KinesisEgressRecord,
      encodeAround(KinesisEgressRecord, before, VALUE_BYTES, type, message, after),
    );
  }

  #delay(invocation: FromFunction_DelayedInvocation): void {
    const { target, argument, cancellationToken } = invocation;
    const bytes = (target?.id.length ?? 0) + (argument?.value.length ?? 0) + cancellationToken.length;
    this.#reply.add("delayedInvocations", invocation, bytes);
  }

  #toEgress(egress: string, recordType: { readonly $type: string }, value: Buffer): void {
    const { namespace, type: name } = typenameParts(egress);
    const argument = { typename: typeUrlOf(recordType), hasValue: true, value };
    const sent = { egressNamespace: namespace, egressType: name, argument };
    this.#reply.add("outgoingEgresses", sent, value.length);
  }

  /** Remembers what the batch has done so far, for {@link rollback}. */
  savepoint(): void {
    this.#reply.savepoint();
    for (const state of this.#states.values()) state.savepoint();
  }

  /** Undoes everything since the last {@link savepoint}. */
  rollback(): void {
    this.#reply.rollback();
    for (const state of this.#states.values()) state.rollback();
  }

  /** What the batch did, encoded; call it once, after its last message. */
  finish(): Reply {
    for (const state of this.#states.values()) {
      const mutation = state.mutation();
      if (mutation !== undefined) this.#reply.add("stateMutations", mutation, mutation.stateValue?.value.length ?? 0);
    }
    return this.#reply.finish();
  }
}

const NO_BYTES = Buffer.alloc(0);
/** Field 2 of Kafka's and Kinesis' records. */
const VALUE_BYTES = (2 << 3) | 2;

function requireAccepted<T>({ typename, accepted }: Address<T>, type: MessageType<T>): void {
  if (accepted === undefined || accepted.names.has(type.$type)) return;
  throw new StatefunError(
    "NOT_ACCEPTED",
    `${typename} does not accept ${type.$type} (accepts: ${[...accepted.names].join(", ")})`,
  );
}

function typedValue<T>(type: MessageType<T>, message: T): TypedValue {
  return { typename: typeUrlOf(type), hasValue: true, value: encode(type, message) };
}
