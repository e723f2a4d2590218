import type { Address as WireAddress } from "./gen/io/statefun/reqreply.js";
import { RequestError } from "./errors.js";

/** What a call may hold; see the options of the handler. */
export interface CallLimits {
  readonly maxMessageBytes: number;
  readonly maxStateBytes: number;
}

/** Fields of one message of the envelope: none has more than three. More are those of a later version, or an attack. */
const MAX_FIELDS = 64;
/** States that StateFun may send for one address. */
const MAX_STATES = 1_024;
/** Of a namespace, a type, an id, or the type name of a value. Decoded, each becomes a string at once. */
const MAX_NAME_BYTES = 16 * 1024;

// Fields of StateFun's messages, with their wire types.
const [FIRST, SECOND, THIRD] = [(1 << 3) | 2, (2 << 3) | 2, (3 << 3) | 2];
const INVOCATION_BATCH = (100 << 3) | 2;
const HAS_VALUE = (2 << 3) | 0;

/** A message, as it was sent. */
export interface ReceivedInvocation {
  readonly caller: WireAddress | undefined;
  readonly typename: string;
  /** In the request's own memory. */
  readonly value: Buffer;
}

/**
 * One call, an encoded ToFunction. Nothing of it is copied, and a message is decoded only when it is asked for: an
 * empty one takes a hundred times its two bytes then.
 */
export class CallRequest {
  readonly target: WireAddress;
  readonly #bytes: Buffer;
  readonly #limits: CallLimits;
  /** Where each begins and ends. */
  readonly #invocations: number[] = [];
  readonly #states: number[] = [];
  /** Used again and again: a message at a time is read, and one within it. */
  readonly #outer: Fields;
  readonly #inner: Fields;
  /** The last value's type name: most have the same. */
  #typename = "";
  #typenameAt = 0;

  /** @throws {RequestError} `MALFORMED_REQUEST`: 413 when it holds more than the limits, otherwise 400 */
  constructor(body: Uint8Array, limits: CallLimits, maxInvocations: number) {
    const bytes = (this.#bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength));
    this.#limits = limits;
    this.#outer = new Fields(bytes);
    this.#inner = new Fields(bytes);
    let [from, to] = [0, 0];
    const all = this.#outer.begin(0, bytes.length);
    // A later one takes the place of an earlier one.
    while (all.next()) if (all.tag === INVOCATION_BATCH) [from, to] = [all.from, all.to];
    const batch = this.#outer.begin(from, to, maxInvocations + MAX_STATES + MAX_FIELDS);
    let target: WireAddress | undefined;
    while (batch.next()) {
      if (batch.tag === THIRD) {
        if (this.#invocations.push(batch.from, batch.to) > 2 * maxInvocations)
          throw tooMuch(`the request has more than ${maxInvocations} invocations`);
      } else if (batch.tag === SECOND) {
        if (this.#states.push(batch.from, batch.to) > 2 * MAX_STATES)
          throw tooMuch(`the request has more than ${MAX_STATES} states`);
      } else if (batch.tag === FIRST) target = this.#addressAt(batch.from, batch.to);
    }
    if (target === undefined || this.#invocations.length === 0)
      throw malformed("the request holds no invocation batch with a target and a message");
    this.target = target;
  }

  /** How many messages there are. */
  get length(): number {
    return this.#invocations.length / 2;
  }

  /** How many bytes the whole request has. */
  get bytes(): number {
    return this.#bytes.length;
  }

  /** A message. @throws {RequestError} as the constructor does */
  invocation(at: number): ReceivedInvocation {
    const fields = this.#outer.begin(this.#invocations[2 * at]!, this.#invocations[2 * at + 1]!);
    let caller: WireAddress | undefined;
    let argument: Value | undefined;
    while (fields.next()) {
      if (fields.tag === FIRST) caller = this.#addressAt(fields.from, fields.to);
      else if (fields.tag === SECOND) argument = this.#valueAt(fields.from, fields.to);
    }
    const { typename, value } = argument ?? NOTHING;
    if (value.length > this.#limits.maxMessageBytes)
      throw tooMuch(`a message has ${value.length} bytes, of ${this.#limits.maxMessageBytes} at most`);
    return { caller, typename, value };
  }

  /**
   * The values of some states: `undefined` in it for one that has none. A state that StateFun has not sent is missing.
   *
   * @throws {RequestError} as the constructor does
   */
  states(names: readonly string[]): ReadonlyMap<string, Buffer | undefined> {
    const found = new Map<string, Buffer | undefined>();
    for (let at = 0; at < this.#states.length; at += 2) {
      const fields = this.#outer.begin(this.#states[at]!, this.#states[at + 1]!);
      let name = "";
      let value: Value | undefined;
      while (fields.next()) {
        if (fields.tag === FIRST) name = textAt(this.#bytes, fields.from, fields.to);
        else if (fields.tag === SECOND) value = this.#valueAt(fields.from, fields.to);
      }
      if (!names.includes(name) || found.has(name)) continue;
      if (value !== undefined && value.value.length > this.#limits.maxStateBytes)
        throw tooMuch(`state "${name}" has ${value.value.length} bytes, of ${this.#limits.maxStateBytes} at most`);
      found.set(name, value?.hasValue === true ? value.value : undefined);
    }
    return found;
  }

  #addressAt(from: number, to: number): WireAddress {
    const bytes = this.#bytes;
    let [namespace, type, id] = ["", "", ""];
    const fields = this.#inner.begin(from, to);
    while (fields.next()) {
      if (fields.tag === FIRST) namespace = textAt(bytes, fields.from, fields.to);
      else if (fields.tag === SECOND) type = textAt(bytes, fields.from, fields.to);
      else if (fields.tag === THIRD) id = textAt(bytes, fields.from, fields.to);
    }
    return { namespace, type, id };
  }

  #valueAt(from: number, to: number): Value {
    let [typename, hasValue, value] = [NOTHING.typename, NOTHING.hasValue, NOTHING.value];
    const fields = this.#inner.begin(from, to);
    while (fields.next()) {
      if (fields.tag === FIRST) typename = this.#typenameOf(fields.from, fields.to);
      else if (fields.tag === HAS_VALUE) hasValue = fields.isSet;
      else if (fields.tag === THIRD) value = this.#bytes.subarray(fields.from, fields.to);
    }
    return { typename, hasValue, value };
  }

  #typenameOf(from: number, to: number): string {
    const [bytes, last] = [this.#bytes, this.#typenameAt];
    let same = 0;
    // The names are ASCII, or else differ in their lengths and are read.
    if (this.#typename.length === to - from)
      while (same < to - from && bytes[from + same] === bytes[last + same]) same++;
    if (same < to - from) this.#typename = textAt(bytes, from, to);
    this.#typenameAt = from;
    return this.#typename;
  }
}

interface Value {
  readonly typename: string;
  readonly hasValue: boolean;
  readonly value: Buffer;
}
const NOTHING: Value = { typename: "", hasValue: false, value: Buffer.alloc(0) };

function textAt(bytes: Buffer, from: number, to: number): string {
  if (to - from > MAX_NAME_BYTES) throw tooMuch(`a name has ${to - from} bytes, of ${MAX_NAME_BYTES} at most`);
  return bytes.toString("utf8", from, to);
}

/** The fields of one message, one after the other. */
class Fields {
  tag = 0;
  /** Where the contents begin and end, of a field that has a length. */
  from = 0;
  to = 0;
  /** Whether a number is not 0. */
  isSet = false;
  readonly #bytes: Buffer;
  #end = 0;
  #max = 0;
  #at = 0;
  #seen = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Begins with another message. */
  begin(from: number, to: number, max = MAX_FIELDS): this {
    this.#at = from;
    this.#end = to;
    this.#max = max;
    this.#seen = 0;
    return this;
  }

  /** Goes to the next field; says whether there is one. */
  next(): boolean {
    if (this.#at === this.#end) return false;
    if (++this.#seen > this.#max) throw tooMuch(`a message of the request has more than ${this.#max} fields`);
    this.tag = this.#number();
    if (this.tag >>> 3 === 0) throw notCall();
    switch (this.tag & 7) {
      case 0:
        this.#number();
        break;
      case 1:
        this.#at += 8;
        break;
      case 2: {
        const length = this.#number();
        this.from = this.#at;
        this.to = this.#at += length;
        break;
      }
      case 5:
        this.#at += 4;
        break;
      default:
        // proto3 has no groups.
        throw notCall();
    }
    if (this.#at > this.#end) throw notCall();
    return true;
  }

  /** The lower 32 bits of a number. */
  #number(): number {
    const bytes = this.#bytes;
    let low = 0;
    this.isSet = false;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= this.#end) throw notCall();
      const byte = bytes[this.#at++]!;
      if ((byte & 0x7f) !== 0) this.isSet = true;
      if (shift < 32) low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return low >>> 0;
    }
    throw notCall();
  }
}

const malformed = (text: string): RequestError => new RequestError("MALFORMED_REQUEST", 400, text);
const notCall = (): RequestError => malformed("the body is not a ToFunction message");
const tooMuch = (text: string): RequestError => new RequestError("MALFORMED_REQUEST", 413, text);
