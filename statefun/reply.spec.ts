import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { FromFunction, FromFunction_EgressMessage, FromFunction_Invocation } from "./gen/io/statefun/reqreply.js";
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
  readonly section: "messages" | "egresses";
  readonly value: Buffer;
  readonly undone: boolean;
}
const step: fc.Arbitrary<Step> = fc.record({
  section: fc.constantFrom("messages" as const, "egresses" as const),
  value: fc
    .oneof({ weight: 9, arbitrary: fc.nat(2_000) }, { weight: 1, arbitrary: fc.constantFrom(70_000, 300_000) })
    .map((bytes) => Buffer.alloc(bytes, bytes)),
  undone: fc.boolean(),
});

describe("a reply", () => {
  it("is what the generated code would make of it, whatever is undone on the way", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const writer = new ReplyWriter(Infinity);
        const value = {
          stateMutations: [],
          outgoingMessages: [] as ReturnType<typeof invocation>[],
          delayedInvocations: [],
          outgoingEgresses: [] as ReturnType<typeof egress>[],
        };
        for (const one of steps) {
          const before = writer.mark;
          if (one.section === "messages") writer.add("messages", FromFunction_Invocation, invocation(one.value));
          else writer.add("egresses", FromFunction_EgressMessage, egress(one.value));
          if (one.undone) writer.rollback(before);
          else if (one.section === "messages") value.outgoingMessages.push(invocation(one.value));
          else value.outgoingEgresses.push(egress(one.value));
        }
        const expected = FromFunction.encode({ response: { $case: "invocationResult", value } }).finish();
        const reply = writer.finish();
        expect(sizeOf(reply)).toBe(expected.length);
        expect(Buffer.compare(joined(reply), expected)).toBe(0);
        // A small one is one write.
        if (expected.length <= 64 * 1024) expect(reply).toHaveLength(1);
      }),
      { numRuns: 200 },
    );
  });

  it("has a bound, also for a function that goes on regardless", () => {
    const writer = new ReplyWriter(1_000);
    const failure = expect.objectContaining({ code: "FUNCTION_FAILED", status: 500 }) as Error;
    writer.add("messages", FromFunction_Invocation, invocation(Buffer.alloc(900)));
    expect(() => writer.add("egresses", FromFunction_EgressMessage, egress(Buffer.alloc(100)))).toThrow(failure);
    expect(() => writer.finish()).toThrow(failure);
  });
});
