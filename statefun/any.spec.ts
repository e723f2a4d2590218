import { describe, expect, it } from "vitest";

import { Counter, Program, Send } from "../protos/gen/statefun/testing/v1/program.js";
import { encode, type MessageType } from "./any.js";

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
