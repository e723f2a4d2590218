import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { FromFunction, type FromFunction_InvocationResponse, ToFunction } from "./gen/io/statefun/reqreply.js";
import { Counter, Program } from "../protos/gen/statefun/testing/v1/program.js";
import {
  type AnyMessage,
  type Context,
  type RequestError,
  RequestReplyHandler,
  StatefulFunctions,
  TerminalError,
  typeUrlOf,
} from "./index.js";
import { arbitraryProgram } from "./testing/arbitrary-program.js";
import { programStates, runProgram } from "./testing/program.js";

/** Like the program's function, but where it is told to fail, it fails for good. */
function strict(context: Context, message: AnyMessage): void {
  try {
    runProgram(context, message);
  } catch (cause) {
    // A state that was packed earlier is changed without being packed again: a rollback must not keep the change.
    for (const { name } of programStates) {
      const value = context.state(name).unpack(Counter);
      if (value !== undefined) value.value = 666n;
    }
    throw new TerminalError("hopeless", { cause });
  }
}

const later = async (context: Context, message: AnyMessage): Promise<void> => {
  await Promise.resolve();
  strict(context, message);
};

async function run(
  programs: readonly Program[],
  { asynchronous = false, deadLetter = true }: { asynchronous?: boolean; deadLetter?: boolean } = {},
): Promise<{ result: FromFunction_InvocationResponse; buried: string[] }> {
  const buried: string[] = [];
  const functions = new StatefulFunctions().bind("test/*", asynchronous ? later : strict, { states: programStates });
  const bury = (_: Context, message: AnyMessage) => void buried.push(hex(message.value));
  const handler = new RequestReplyHandler(functions, {
    maxBodyBytes: Infinity,
    logger: { error: () => undefined },
    ...(deadLetter && { deadLetter: bury }),
  });
  const body = ToFunction.encode({
    request: {
      $case: "invocation",
      value: {
        target: { namespace: "test", type: "any-name", id: "me" },
        state: programStates.map(({ name }, n) => ({
          stateName: name,
          stateValue: {
            typename: typeUrlOf(Counter),
            hasValue: n > 0,
            value: Buffer.from(Counter.encode({ value: 5n }).finish()),
          },
        })),
        invocations: programs.map((program) => ({
          caller: { namespace: "test", type: "caller", id: "you" },
          argument: {
            typename: typeUrlOf(Program),
            hasValue: true,
            value: Buffer.from(Program.encode(program).finish()),
          },
        })),
      },
    },
  }).finish();
  const { response } = FromFunction.decode(await handler.handle(body));
  if (response?.$case !== "invocationResult") throw new Error("no result");
  return { result: response.value, buried };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const fails = async (program: Program): Promise<boolean> => (await run([program])).buried.length > 0;

describe("a message that fails for good", () => {
  it.each([false, true])("leaves the batch as if it had never been in it (asynchronous: %s)", async (asynchronous) => {
    let terminal = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(arbitraryProgram, { minLength: 1, maxLength: 8 }), async (programs) => {
        const failing = await Promise.all(programs.map(fails));
        const { result, buried } = await run(programs, { asynchronous });
        const rest = programs.filter((_, n) => !failing[n]);
        expect(buried).toEqual(
          programs.filter((_, n) => failing[n]).map((program) => hex(Program.encode(program).finish())),
        );
        terminal += buried.length;
        if (rest.length > 0) expect(result).toEqual((await run(rest)).result);
      }),
      { numRuns: 300, seed: 1 },
    );
    expect(terminal).toBeGreaterThan(50);
  });

  it("fails the call when there is no dead-letter handler", async () => {
    await expect(
      run([{ commands: [{ command: { $case: "fail", value: {} } }] }], { deadLetter: false }),
    ).rejects.toMatchObject({
      status: 500,
      message: "test/any-name/me failed: hopeless",
    } satisfies Partial<RequestError>);
  });

  it("may be answered by the dead-letter handler, with all that a function can do", async () => {
    const functions = new StatefulFunctions().bind("test/*", strict, { states: programStates });
    const handler = new RequestReplyHandler(functions, {
      maxBodyBytes: Infinity,
      logger: { error: () => undefined },
      deadLetter: (context, message) =>
        context.packAndSendToKafka(
          "test/kafka",
          { topic: "dead", key: context.address.id },
          Program,
          message.unpack(Program),
        ),
    });
    const argument = {
      typename: typeUrlOf(Program),
      hasValue: true,
      value: Buffer.from(Program.encode({ commands: [{ command: { $case: "fail", value: {} } }] }).finish()),
    };
    const state = programStates.map(({ name }) => ({
      stateName: name,
      stateValue: { typename: "", hasValue: false, value: Buffer.alloc(0) },
    }));
    const reply = FromFunction.decode(
      await handler.handle(
        ToFunction.encode({
          request: {
            $case: "invocation",
            value: {
              target: { namespace: "test", type: "x", id: "me" },
              state,
              invocations: [{ caller: undefined, argument }],
            },
          },
        }).finish(),
      ),
    );
    expect(reply.response).toMatchObject({
      $case: "invocationResult",
      value: { outgoingEgresses: [{ egressNamespace: "test", egressType: "kafka" }], stateMutations: [] },
    });
  });

  it("fails the call when the dead-letter handler fails", () => {
    const functions = new StatefulFunctions().bind("test/*", () => {
      throw new TerminalError("hopeless");
    });
    const handler = new RequestReplyHandler(functions, {
      maxBodyBytes: Infinity,
      logger: { error: () => undefined },
      deadLetter: () => {
        throw new TerminalError("the grave is full");
      },
    });
    const body = ToFunction.encode({
      request: {
        $case: "invocation",
        value: {
          target: { namespace: "test", type: "x", id: "me" },
          state: [],
          invocations: [{ caller: undefined, argument: undefined }],
        },
      },
    }).finish();
    expect(() => handler.handle(body)).toThrow("the grave is full");
  });
});

describe("bindings", () => {
  it("prefer the exact name to that of the namespace", () => {
    const calls: string[] = [];
    const functions = new StatefulFunctions()
      .bind("demo/*", ({ address }) => void calls.push(`any ${address.typename}`))
      .bind("demo/exact", () => void calls.push("exact"));
    const handler = new RequestReplyHandler(functions, { maxBodyBytes: Infinity, logger: { error: () => undefined } });
    for (const type of ["exact", "other"]) {
      void handler.handle(
        ToFunction.encode({
          request: {
            $case: "invocation",
            value: {
              target: { namespace: "demo", type, id: "1" },
              state: [],
              invocations: [{ caller: undefined, argument: undefined }],
            },
          },
        }).finish(),
      );
    }
    expect(calls).toEqual(["exact", "any demo/other"]);
    expect(functions.find("other/exact")).toBeUndefined();
  });
});
