import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { FromFunction } from "./gen/io/statefun/reqreply.js";
import { joined, ReplyWriter, sizeOf } from "./reply.js";

const invocation = (value: Buffer) => ({
  target: { namespace: "demo", type: "next", id: "x" },
  argument: { typename: "t", hasValue: true, value },
});
const egress = (value: Buffer) => ({
  egressNamespace: "demo",
  egressType: "kafka",
  argument: { typename: "t", hasValue: true, value },
});
interface Step {
  readonly section: "outgoingMessages" | "outgoingEgresses";
  readonly value: Buffer;
  /** What is done after it. */
  readonly then: "go on" | "save" | "undo";
}
const step: fc.Arbitrary<Step> = fc.record({
  section: fc.constantFrom("outgoingMessages" as const, "outgoingEgresses" as const),
  value: fc
    .oneof({ weight: 4, arbitrary: fc.nat(2_000) }, { weight: 1, arbitrary: fc.constantFrom(20_000, 70_000) })
    .map((bytes) => Buffer.alloc(bytes, bytes)),
  then: fc.constantFrom("go on" as const, "go on" as const, "save" as const, "undo" as const),
});
const add = (writer: ReplyWriter, { section, value }: Pick<Step, "section" | "value">): void => {
  if (section === "outgoingMessages") writer.add(section, invocation(value), value.length);
  else writer.add(section, egress(value), value.length);
};

describe("a reply", () => {
  it("is what the generated code would make of it, whatever is undone on the way", () => {
    let [atOnce, inPieces] = [0, 0];
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(step, { maxLength: 40 }),
          // Very many small ones.
          fc
            .array(step, { minLength: 100, maxLength: 300, size: "max" })
            .map((steps) => steps.map((one) => ({ ...one, value: one.value.subarray(0, 3) }))),
        ),
        (steps) => {
          const writer = new ReplyWriter(Infinity);
          let saved: Step[] = [];
          let kept: Step[] = [];
          for (const one of steps) {
            add(writer, one);
            kept.push(one);
            if (one.then === "save") {
              writer.savepoint();
              saved = [...kept];
            } else if (one.then === "undo") {
              writer.rollback();
              kept = [...saved];
            }
          }
          const of = (section: Step["section"]) => kept.filter((one) => one.section === section);
          const value = {
            stateMutations: [],
            outgoingMessages: of("outgoingMessages").map((one) => invocation(one.value)),
            delayedInvocations: [],
            outgoingEgresses: of("outgoingEgresses").map((one) => egress(one.value)),
          };
          const message: FromFunction = { response: { $case: "invocationResult", value } };
          const expected = FromFunction.encode(message).finish();
          const reply = writer.finish();
          expect(sizeOf(reply)).toBe(expected.length);
          const read = FromFunction.encode(FromFunction.decode(joined(reply))).finish();
          expect(Buffer.compare(read, expected)).toBe(0);
          // A small one is one write.
          if (expected.length <= 16 * 1024) expect(reply).toHaveLength(1);
          if (Buffer.compare(joined(reply), expected) === 0) atOnce++;
          if (reply.length > 1) inPieces++;
        },
      ),
      { numRuns: 200 },
    );
    // Both kinds have been tried.
    expect(Math.min(atOnce, inPieces)).toBeGreaterThan(0);
  });

  it("is encoded in pieces of a bounded size, however much there is", () => {
    const writer = new ReplyWriter(Infinity);
    for (let n = 0; n < 1_000; n++) add(writer, { section: "outgoingMessages", value: Buffer.alloc(n % 3_000) });
    for (const piece of writer.finish()) expect(piece.length).toBeLessThan(40 * 1024);
  });

  it("holds large values as they are, in the order in which they came", () => {
    const writer = new ReplyWriter(Infinity);
    const values = [10, 90_000, 20, 9_000, 70_000, 30].map((bytes) => Buffer.alloc(bytes, bytes));
    for (const section of ["outgoingMessages", "outgoingEgresses"] as const)
      for (const value of values) add(writer, { section, value });
    const reply = writer.finish();
    for (const value of values)
      expect(reply.filter((piece) => piece === value)).toHaveLength(value.length > 8_192 ? 2 : 0);
    const { response } = FromFunction.decode(joined(reply));
    if (response?.$case !== "invocationResult") throw new Error("no result");
    expect(response.value.outgoingMessages.map(({ argument }) => argument!.value)).toEqual(values);
    expect(response.value.outgoingEgresses.map(({ argument }) => argument!.value)).toEqual(values);
  });

  it("has a bound, also for a function that goes on regardless", () => {
    const failure = expect.objectContaining({ code: "FUNCTION_FAILED", status: 500 }) as Error;
    const small = new ReplyWriter(1_000);
    for (const bytes of [900, 100]) add(small, { section: "outgoingMessages", value: Buffer.alloc(bytes) });
    expect(() => small.finish()).toThrow(failure);
    const large = new ReplyWriter(100_000);
    let refused = 0;
    for (let n = 0; n < 1_000; n++) {
      try {
        add(large, { section: "outgoingEgresses", value: Buffer.alloc(1_000) });
      } catch (error) {
        expect(error).toEqual(failure);
        refused++;
      }
    }
    // Once for each piece.
    expect(refused).toBeGreaterThan(20);
    expect(() => large.finish()).toThrow(failure);
  });

  it("may be just as large as its bound", () => {
    const value = Buffer.alloc(500);
    const one = new ReplyWriter(Infinity);
    add(one, { section: "outgoingMessages", value });
    const bytes = sizeOf(one.finish());
    for (const [max, fits] of [
      [bytes, true],
      [bytes - 1, false],
    ] as const) {
      const writer = new ReplyWriter(max);
      add(writer, { section: "outgoingMessages", value });
      if (fits) expect(sizeOf(writer.finish())).toBe(bytes);
      else expect(() => writer.finish()).toThrow();
    }
  });
});
