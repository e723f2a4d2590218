import { BinaryWriter } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Any } from "./gen/google/protobuf/any.js";
import { KafkaProducerRecord } from "./gen/io/statefun/egress.js";
import { Counter, Program, Send } from "../protos/gen/statefun/testing/v1/program.js";
import {
  AnyMessage,
  encode,
  encodeAround,
  MAX_OBJECTS,
  MAX_UNKNOWN_FIELDS,
  type MessageType,
  pack,
  typeUrlOf,
} from "./any.js";
import { UnreadableMessageError } from "./errors.js";
import { BatchState } from "./state.js";
import { valueSpec } from "./value-spec.js";

const counter = (value: bigint) => Buffer.from(Counter.encode({ value }).finish());

describe("encode", () => {
  it("gives bytes that later encodings leave alone", () => {
    const first = encode(Counter, { value: 1n });
    encode(Send, { typename: "x".repeat(1_000), id: "", program: undefined });
    expect(first).toEqual(counter(1n));
  });

  it("works inside another encoding", () => {
    const nested: MessageType<{ value: bigint }> = {
      ...Counter,
      encode: (message, writer) => (
        encode(Send, { typename: "a/b", id: "c", program: undefined }),
        Counter.encode(message, writer)
      ),
    };
    expect(encode(nested, { value: 7n })).toEqual(counter(7n));
  });

  it("is not spoiled by one that failed half-way", () => {
    const broken = {
      commands: [{ command: { $case: "setState", value: { name: "x", value: 2n ** 64n } } }],
    } as Program;
    expect(() => encode(Program, broken)).toThrow();
    expect(encode(Counter, { value: 3n })).toEqual(counter(3n));
  });
});

describe("a record around a packed message", () => {
  it("is what the generated code makes of it, of any length", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string({ minLength: 1, maxLength: 40_000 }), (key, topic, id) => {
        const message = { typename: "demo/greet", id, program: undefined };
        const [before, after] = [
          { key, topic: "", valueBytes: Buffer.alloc(0) },
          { key: "", topic, valueBytes: Buffer.alloc(0) },
        ];
        const valueBytes = Buffer.from(Any.encode(pack(Send, message)).finish());
        expect(encodeAround(KafkaProducerRecord, before, (2 << 3) | 2, Send, message, after)).toEqual(
          encode(KafkaProducerRecord, { key, topic, valueBytes }),
        );
      }),
    );
  });

  it("is read as holding nothing when the message holds nothing", () => {
    const none = { key: "", topic: "", valueBytes: Buffer.alloc(0) };
    const record = KafkaProducerRecord.decode(
      encodeAround(KafkaProducerRecord, none, (2 << 3) | 2, Counter, { value: 0n }, none),
    );
    expect(Any.decode(record.valueBytes)).toMatchObject({ typeUrl: typeUrlOf(Counter), value: Buffer.alloc(0) });
  });
});

describe("fields that a type does not know", () => {
  const counted = (count: number): Buffer => {
    const writer = Counter.encode({ value: 7n });
    // Another one each time: nothing of it can be shared.
    for (let number = 100; number < 100 + count; number++) writer.uint32(number << 3).uint32(1);
    return Buffer.from(writer.finish());
  };
  const groups = (count: number): Buffer => {
    const writer = new BinaryWriter();
    for (let n = 0; n < count; n++) writer.uint32((100 << 3) | 3).uint32((100 << 3) | 4);
    return Buffer.from(writer.finish());
  };
  const message = (bytes: Buffer) => new AnyMessage(typeUrlOf(Counter), bytes);
  const state = (bytes: Buffer) => new BatchState(valueSpec("count", Counter), bytes);

  it.each([
    ["a message", MAX_UNKNOWN_FIELDS.message, message],
    ["a state", MAX_UNKNOWN_FIELDS.state, state],
  ])("are kept, up to a number, of %s", (_, most, of) => {
    const bytes = counted(most);
    expect(encode(Counter, of(bytes).unpack(Counter)!)).toEqual(bytes);
    for (const more of [counted(most + 1), groups(most + 1)]) {
      expect(() => of(more).unpack(Counter)).toThrow(UnreadableMessageError);
      expect(() => of(more).unpack(Counter)).toThrow(`more than ${most} unknown fields`);
    }
  });

  it("are counted in groups within groups", () => {
    const nested = (inner: number): Buffer => {
      const writer = new BinaryWriter().uint32((100 << 3) | 3);
      for (let n = 0; n < inner; n++) writer.uint32(101 << 3).uint32(1);
      return Buffer.from(writer.uint32((100 << 3) | 4).finish());
    };
    expect(message(nested(MAX_UNKNOWN_FIELDS.message - 1)).unpack(Counter).value).toBe(0n);
    expect(() => message(nested(MAX_UNKNOWN_FIELDS.message)).unpack(Counter)).toThrow("unknown fields");
  });
});

describe("messages and numbers within a value", () => {
  const program = (commands: number): AnyMessage =>
    new AnyMessage(typeUrlOf(Program), Buffer.alloc(2 * commands, "0a00", "hex"));

  it("have a bound, however small they are", () => {
    expect(program(MAX_OBJECTS).unpack(Program).commands).toHaveLength(MAX_OBJECTS);
    const tooMany = program(MAX_OBJECTS + 1);
    expect(() => tooMany.unpack(Program)).toThrow(UnreadableMessageError);
    expect(() => tooMany.unpack(Program)).toThrow(`more than ${MAX_OBJECTS} messages`);
  });

  it("are counted together", () => {
    // A counter again and again: the last one counts.
    const counters = (times: number): AnyMessage =>
      new AnyMessage(typeUrlOf(Counter), Buffer.alloc(2 * times, "0801", "hex"));
    expect(counters(MAX_OBJECTS).unpack(Counter).value).toBe(1n);
    expect(() => counters(MAX_OBJECTS + 1).unpack(Counter)).toThrow("numbers of 64 bits");
  });

  it("are counted at every depth", () => {
    // The command, what it sends, and its program are three more.
    const sending = (commands: number): Program => ({
      commands: [
        {
          command: {
            $case: "send",
            value: {
              typename: "a/b",
              id: "c",
              program: { commands: Array.from({ length: commands }, () => ({ command: undefined })) },
            },
          },
        },
      ],
    });
    const message = (commands: number): AnyMessage =>
      new AnyMessage(typeUrlOf(Program), encode(Program, sending(commands)));
    expect(message(MAX_OBJECTS - 3).unpack(Program).commands).toHaveLength(1);
    expect(() => message(MAX_OBJECTS - 2).unpack(Program)).toThrow("messages and numbers");
  });
});
