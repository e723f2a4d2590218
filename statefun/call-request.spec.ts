import { BinaryWriter } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ToFunction, ToFunction_Invocation, ToFunction_InvocationBatchRequest } from "./gen/io/statefun/reqreply.js";
import { CallRequest } from "./call-request.js";

const LIMITS = { maxMessageBytes: 1_000, maxStateBytes: 2_000 };
const read = (body: Uint8Array, maxInvocations = 100) => new CallRequest(body, LIMITS, maxInvocations);
const text = fc.string({ maxLength: 8, unit: "grapheme" });
const address = fc.record({ namespace: text, type: text, id: text });
const value = fc.record({
  typename: text,
  hasValue: fc.boolean(),
  value: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
});
const optional = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });
const batch = fc.record({
  target: address,
  invocations: fc.array(fc.record({ caller: optional(address), argument: optional(value) }), {
    minLength: 1,
    maxLength: 5,
  }),
  state: fc.array(fc.record({ stateName: fc.constantFrom("a", "b", "c"), stateValue: optional(value) })),
});
type Batch = Parameters<typeof ToFunction_InvocationBatchRequest.encode>[0];
const encoded = (value: Batch): Uint8Array => ToFunction.encode({ request: { $case: "invocation", value } }).finish();
const TARGET = { namespace: "demo", type: "greet", id: "ada" };
const message = (bytes: number) => ({
  caller: undefined,
  argument: { typename: "t", hasValue: true, value: Buffer.alloc(bytes) },
});
const one = { target: TARGET, state: [], invocations: [message(1)] };
const refused = (status: number) => expect.objectContaining({ code: "MALFORMED_REQUEST", status }) as Error;
const asBatch = (bytes: Uint8Array): Uint8Array => new BinaryWriter().uint32(802).bytes(bytes).finish();
const field = (number: number, bytes: Uint8Array): Uint8Array =>
  new BinaryWriter()
    .uint32((number << 3) | 2)
    .bytes(bytes)
    .finish();
const headOf = (batch: Batch) => ToFunction_InvocationBatchRequest.encode(batch).finish();

describe("a call", () => {
  it("is read as the generated code reads it", () => {
    fc.assert(
      fc.property(batch, (sent) => {
        const request = read(encoded(sent));
        expect(request.target).toEqual(sent.target);
        expect(request.length).toBe(sent.invocations.length);
        for (const [at, { caller, argument }] of sent.invocations.entries())
          expect(request.invocation(at)).toEqual({
            caller,
            typename: argument?.typename ?? "",
            value: argument?.value ?? Buffer.alloc(0),
          });
        const states = request.states(["a", "b"]);
        for (const name of ["a", "b", "c"]) {
          const first = sent.state.find(({ stateName }) => stateName === name)?.stateValue;
          expect(states.get(name)).toEqual(name !== "c" && first?.hasValue === true ? first.value : undefined);
          expect(states.has(name)).toBe(name !== "c" && sent.state.some(({ stateName }) => stateName === name));
        }
      }),
    );
  });

  it("may have fields of a later version", () => {
    const later = Buffer.concat([
      new BinaryWriter()
        .uint32(40)
        .uint64(2n ** 63n)
        .uint32(49)
        .fixed64(1n)
        .uint32(61)
        .fixed32(1)
        .finish(),
      field(9, Buffer.from("x")),
    ]);
    const invocation = Buffer.concat([later, ToFunction_Invocation.encode(message(3)).finish(), later]);
    const body = Buffer.concat([
      later,
      asBatch(Buffer.concat([later, headOf({ ...one, invocations: [] }), field(3, invocation)])),
    ]);
    expect(read(body).invocation(0).value).toHaveLength(3);
  });

  it("is not copied", () => {
    const body = encoded(one);
    expect(read(body).invocation(0).value.buffer).toBe(body.buffer);
  });

  it("throws nothing but refusals, whatever its bytes are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (bytes, isBatch) => {
        try {
          const request = read(isBatch ? asBatch(bytes) : bytes);
          request.states(["a"]);
          for (let at = 0; at < request.length; at++) request.invocation(at);
        } catch (error) {
          expect(error).toMatchObject({ code: "MALFORMED_REQUEST" });
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a call of more than may be", () => {
  const unread = Buffer.from("0800".repeat(100), "hex");
  it.each<[string, () => unknown, number]>([
    ["messages", () => read(encoded({ ...one, invocations: Array(101).fill(message(0)) as never })), 413],
    ["a message's bytes", () => read(encoded({ ...one, invocations: [message(1_001)] })).invocation(0), 413],
    [
      "a state's bytes",
      () => read(encoded({ ...one, state: [{ stateName: "a", stateValue: message(2_001).argument }] })).states(["a"]),
      413,
    ],
    ["a name's bytes", () => read(encoded({ ...one, target: { ...TARGET, id: "x".repeat(16_385) } })), 413],
    [
      "a state's name",
      () => read(encoded({ ...one, state: [{ stateName: "x".repeat(16_385), stateValue: undefined }] })).states(["a"]),
      413,
    ],
    [
      "states",
      () => read(encoded({ ...one, state: Array(1_025).fill({ stateName: "", stateValue: undefined }) as never })),
      413,
    ],
    ["fields", () => read(Buffer.concat([encoded(one), unread])), 413],
    ["fields of its batch", () => read(asBatch(Buffer.concat([headOf(one), ...Array<Buffer>(20).fill(unread)]))), 413],
    ["fields of its target", () => read(asBatch(Buffer.concat([field(1, unread), headOf(one)]))), 413],
    ["fields of a message", () => read(asBatch(Buffer.concat([field(3, unread), headOf(one)]))).invocation(0), 413],
    ["a number of eleven bytes", () => read(Buffer.alloc(30, 0xff)), 400],
    ["a length that leads nowhere", () => read(Buffer.from("a206ffffff7f1a00", "hex")), 400],
    ["a group", () => read(Buffer.from("0b0c", "hex")), 400],
    ["no target", () => read(encoded({ ...one, target: undefined })), 400],
    ["no message", () => read(encoded({ ...one, invocations: [] })), 400],
  ])("is refused: %s", (_, reading, status) => {
    expect(reading).toThrow(refused(status));
  });

  it("may hold just as much", () => {
    const request = read(encoded({ ...one, invocations: Array(100).fill(message(1_000)) as never }));
    expect(request.invocation(99).value).toHaveLength(1_000);
    const states = read(encoded({ ...one, state: [{ stateName: "a", stateValue: message(2_000).argument }] })).states([
      "a",
    ]);
    expect(states.get("a")).toHaveLength(2_000);
  });
});
