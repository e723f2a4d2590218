import { describe, expect, it } from "vitest";

import { Any } from "./gen/google/protobuf/any.js";
import { Counter, Program, Send } from "../protos/gen/statefun/testing/v1/program.js";
import { type Context, functionType, StatefulFunctions, valueSpec } from "./index.js";
import { TestRuntime } from "./testing/test-runtime.js";

const count = valueSpec("count", Counter);
const last = valueSpec("last", Send);
const worker = functionType("demo/worker", [Counter, Program]);

// The compiler is the test: `npm test` fails on a line that should not compile and does.
describe("what the compiler refuses", () => {
  it("a state that the binding does not declare", () => {
    new StatefulFunctions().bind("demo/function", (context) => context.state("count").clear(), {
      states: [count, last],
    });
    // @ts-expect-error -- "cuont" is not declared
    new StatefulFunctions().bind("demo/function", (context) => context.state("cuont").clear(), {
      states: [count, last],
    });
    // @ts-expect-error -- nothing is declared
    new StatefulFunctions().bind("demo/function", (context) => context.state("count").clear());
    expect.assertions(0);
  });

  it("a state read or written as a different type from the declared one", () => {
    const use = (context: Context<readonly [typeof count, typeof last]>): void => {
      const value: bigint | undefined = context.state("count").unpack(Counter)?.value;
      context.state("count").pack(Counter, { value: value ?? 0n });
      // @ts-expect-error -- it holds a Counter
      context.state("count").unpack(Send);
      // @ts-expect-error -- it holds a Send
      context.state("last").pack(Counter, { value: 1n });
    };
    expect(use).toBeTypeOf("function");
  });

  it("a message that its receiver does not accept", () => {
    const use = (context: Context): void => {
      context.packAndSend(worker("a"), Counter, { value: 1n });
      context.packAndSendAfter(5, worker("a"), Program, { commands: [] });
      // @ts-expect-error -- the worker takes no Any
      context.packAndSend(worker("a"), Any, { typeUrl: "", value: Buffer.alloc(0) });
      // @ts-expect-error -- nor when it is sent later
      context.packAndSendAfter(5, worker("a"), Any, { typeUrl: "", value: Buffer.alloc(0) });
      // An address from elsewhere: what it accepts is not known.
      context.packAndSend({ typename: "other/function", id: "a" }, Any, { typeUrl: "", value: Buffer.alloc(0) });
      context.packAndSend(context.address, Any, { typeUrl: "", value: Buffer.alloc(0) });
    };
    expect(use).toBeTypeOf("function");
  });
});

describe("where the compiler cannot know", () => {
  it("an error at run time names what the receiver accepts", async () => {
    // The fields of a narrower type fit, but its name does not.
    const functions = new StatefulFunctions().bind("demo/function", (context) =>
      context.packAndSend(worker("a"), { ...Counter, $type: "demo.v1.Other" }, { value: 1n }),
    );
    const runtime = new TestRuntime(functions);
    runtime.ingress({ typename: "demo/function", id: "1" }, Counter, { value: 1n });
    await expect(runtime.run()).rejects.toThrow(
      "demo/worker does not accept demo.v1.Other (accepts: statefun.testing.v1.Counter, statefun.testing.v1.Program)",
    );
  });
});
