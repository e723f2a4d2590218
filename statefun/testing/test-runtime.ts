import { Any } from "../gen/google/protobuf/any.js";
import { KafkaProducerRecord } from "../gen/io/statefun/egress.js";
import {
  FromFunction,
  type FromFunction_InvocationResponse,
  ToFunction,
  type ToFunction_Invocation,
  type TypedValue,
} from "../gen/io/statefun/reqreply.js";
import { type Address, fromWire, toWire } from "../address.js";
import { AnyMessage, decode, encode, type MessageType, typeUrlOf } from "../any.js";
import { RequestReplyHandler } from "../request-reply-handler.js";
import type { StatefulFunctions } from "../stateful-functions.js";

/** A record that a function wrote to a Kafka egress. */
export interface EgressRecord {
  readonly topic: string;
  readonly key: string;
  readonly value: AnyMessage;
}

interface Delayed {
  readonly dueMs: number;
  readonly order: number;
  readonly token: string;
  readonly sender: Address;
  readonly target: Address;
  readonly argument: TypedValue;
}

/** Messages from one sender to one address, oldest first. */
interface Channel {
  readonly target: Address<never>;
  readonly queue: ToFunction_Invocation[];
}

/** Options of a {@link TestRuntime}. */
export interface TestRuntimeOptions {
  /** Chooses the interleaving; the same seed gives the same run. */
  readonly seed?: number;
  /** The most messages that one call may carry. */
  readonly maxBatch?: number;
  /**
   * How likely a crash is before a call, from 0 to 1; a checkpoint is as likely. A crash takes everything back to the
   * last checkpoint, including what was written to Kafka since then: no reader of committed records has seen it. 0 by
   * default.
   */
  readonly crashRate?: number;
}

/** All that StateFun would have in a checkpoint. */
interface World {
  /** Messages under way, by sender and target. */
  readonly channels: Map<string, Channel>;
  readonly states: Map<string, Map<string, TypedValue | undefined>>;
  readonly egress: EgressRecord[];
  delayed: Delayed[];
}

/** The collections' contents are never changed, so it is enough to copy the collections. */
const copyOf = ({ channels, states, egress, delayed }: World): World => ({
  channels: new Map([...channels].map(([key, { target, queue }]) => [key, { target, queue: [...queue] }])),
  states: new Map([...states].map(([key, values]) => [key, new Map(values)])),
  egress: [...egress],
  delayed: [...delayed],
});

const MAX_CALLS = 1_000_000;

/**
 * StateFun in memory, for specs: messages from one sender to one address keep their order, and nothing else does; which
 * channel goes next and how many messages make a batch is up to the seed. Calls go through the real handler as bytes.
 * Delayed messages fire on virtual time.
 */
export class TestRuntime {
  readonly #handler: RequestReplyHandler;
  readonly #maxBatch: number;
  readonly #crashRate: number;
  readonly #random: () => number;
  #world: World = { channels: new Map(), states: new Map(), egress: [], delayed: [] };
  #checkpoint: World = copyOf(this.#world);
  #order = 0;
  #nowMs = 0;
  #crashes = 0;
  #delivered = 0;

  constructor(functions: StatefulFunctions, { seed = 1, maxBatch = 5, crashRate = 0 }: TestRuntimeOptions = {}) {
    this.#handler = new RequestReplyHandler(functions, { maxBodyBytes: Infinity, logger: { error: () => undefined } });
    this.#maxBatch = maxBatch;
    this.#crashRate = crashRate;
    this.#random = mulberry32(seed);
  }

  /** A record from an ingress; those of the same `partition` to the same address keep their order. */
  ingress<T>(target: Address<T>, type: MessageType<T>, message: T, partition = "0"): void {
    this.ingressBytes(target, typeUrlOf(type), encode(type, message), partition);
  }

  /** Like {@link ingress}, for arbitrary bytes. */
  ingressBytes(target: Address<never>, typeUrl: string, value: Uint8Array, partition = "0"): void {
    const record = { caller: undefined, argument: { typename: typeUrl, hasValue: true, value: Buffer.from(value) } };
    // Kafka keeps it, whatever happens here: for the last checkpoint it is still to be read.
    for (const world of [this.#world, this.#checkpoint]) enqueue(world, `ingress ${partition}`, target, record);
  }

  /**
   * Delivers until nothing is left but delayed messages.
   *
   * @throws what a function throws, and when a program sends messages without end
   */
  async run(): Promise<void> {
    for (let calls = 0; this.#world.channels.size > 0; calls++) {
      if (calls > MAX_CALLS) throw new Error(`no end after ${MAX_CALLS} calls`);
      if (this.#crashRate > 0) {
        if (this.#random() < this.#crashRate) this.checkpoint();
        if (this.#random() < this.#crashRate) this.crash();
        // At the checkpoint there may have been nothing under way.
        if (this.#world.channels.size === 0) break;
      }
      const keys = [...this.#world.channels.keys()];
      const key = keys[Math.floor(this.#random() * keys.length)]!;
      const channel = this.#world.channels.get(key)!;
      const batch = channel.queue.splice(0, 1 + Math.floor(this.#random() * this.#maxBatch));
      if (channel.queue.length === 0) this.#world.channels.delete(key);
      await this.#call(channel.target, batch);
    }
  }

  /** Advances virtual time; what falls due is delivered in order of time. */
  async advance(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    await this.run();
    for (;;) {
      const due = this.#world.delayed
        .filter(({ dueMs }) => dueMs <= end)
        .sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)[0];
      if (due === undefined) break;
      this.#world.delayed = this.#world.delayed.filter((other) => other !== due);
      this.#nowMs = Math.max(this.#nowMs, due.dueMs);
      enqueue(this.#world, `timer ${due.order}`, due.target, { caller: toWire(due.sender), argument: due.argument });
      await this.run();
    }
    this.#nowMs = end;
  }

  /** Remembers everything, for {@link crash}. */
  checkpoint(): void {
    this.#checkpoint = copyOf(this.#world);
  }

  /** Goes back to the last checkpoint. Virtual time does not go back, just as a wall clock never does. */
  crash(): void {
    this.#world = copyOf(this.#checkpoint);
    this.#crashes++;
  }

  /** How many crashes there were. */
  get crashes(): number {
    return this.#crashes;
  }

  /** Messages that calls have carried, those that a crash took back included. */
  get delivered(): number {
    return this.#delivered;
  }

  /** Delayed messages that have not fired. */
  get delayedCount(): number {
    return this.#world.delayed.length;
  }

  /** Records written to a topic, oldest first. */
  kafka(topic: string): EgressRecord[] {
    return this.#world.egress.filter((record) => record.topic === topic);
  }

  /** Records written to any topic since this was called last, oldest first; forgets them. Not for runs with crashes. */
  takeKafka(): EgressRecord[] {
    return this.#world.egress.splice(0);
  }

  /** A state value of an address; `undefined` when there is none. */
  state<T>(address: Address<never>, name: string, type: MessageType<T>): T | undefined {
    const value = this.#world.states.get(keyOf(address))?.get(name);
    return value && decode(type, value.value);
  }

  async #call(target: Address<never>, invocations: ToFunction_Invocation[]): Promise<void> {
    this.#delivered += invocations.length;
    const key = keyOf(target);
    let states = this.#world.states.get(key);
    if (states === undefined) this.#world.states.set(key, (states = new Map<string, TypedValue | undefined>()));
    const request = (): Uint8Array =>
      ToFunction.encode({
        request: {
          $case: "invocation",
          value: {
            target: toWire(target),
            state: [...states].map(([stateName, stateValue]) => ({
              stateName,
              stateValue: stateValue ?? { typename: "", hasValue: false, value: Buffer.alloc(0) },
            })),
            invocations,
          },
        },
      }).finish();
    let { response } = FromFunction.decode(await this.#handler.handle(request()));
    if (response?.$case === "incompleteInvocationContext") {
      for (const { stateName } of response.value.missingValues) states.set(stateName, undefined);
      ({ response } = FromFunction.decode(await this.#handler.handle(request())));
    }
    if (response?.$case !== "invocationResult") throw new Error("the handler asks again for state that it was given");
    this.#apply(target, response.value, states);
  }

  #apply(
    { typename, id }: Address<never>,
    result: FromFunction_InvocationResponse,
    states: Map<string, TypedValue | undefined>,
  ): void {
    const sender: Address = { typename, id };
    for (const { stateName, stateValue } of result.stateMutations) states.set(stateName, stateValue);
    for (const { target, argument } of result.outgoingMessages)
      enqueue(this.#world, keyOf(sender), fromWire(target!), { caller: toWire(sender), argument });
    for (const { isCancellationRequest, cancellationToken, delayInMs, target, argument } of result.delayedInvocations) {
      if (isCancellationRequest)
        this.#world.delayed = this.#world.delayed.filter(({ token }) => token !== cancellationToken);
      else {
        // In its own channel: a delayed message keeps no order with what is sent immediately.
        this.#world.delayed.push({
          dueMs: this.#nowMs + Number(delayInMs),
          order: this.#order++,
          token: cancellationToken,
          sender,
          target: fromWire(target!),
          argument: argument!,
        });
      }
    }
    for (const { argument } of result.outgoingEgresses) {
      const { topic, key, valueBytes } = decode(KafkaProducerRecord, argument!.value);
      const { typeUrl, value } = decode(Any, valueBytes);
      this.#world.egress.push({ topic, key, value: new AnyMessage(typeUrl, value) });
    }
  }
}

function enqueue({ channels }: World, sender: string, target: Address<never>, invocation: ToFunction_Invocation): void {
  const key = `${sender} → ${keyOf(target)}`;
  const channel = channels.get(key);
  if (channel === undefined) channels.set(key, { target, queue: [invocation] });
  else channel.queue.push(invocation);
}

const keyOf = ({ typename, id }: Address<never>): string => `${typename}/${id}`;

/** A small seeded generator of numbers in [0, 1): good enough to choose interleavings. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
