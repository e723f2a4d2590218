import { Agent, createServer } from "node:http";
import type { AddressInfo } from "node:net";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Any } from "./gen/google/protobuf/any.js";
import { KafkaProducerRecord, KinesisEgressRecord } from "./gen/io/statefun/egress.js";
import {
  FromFunction,
  FromFunction_ExpirationSpec_ExpireMode as ExpireMode,
  type FromFunction_InvocationResponse,
  FromFunction_PersistedValueMutation_MutationType as MutationType,
  ToFunction,
  type ToFunction_Invocation,
  type TypedValue,
} from "./gen/io/statefun/reqreply.js";
import { Counter, Program } from "../protos/gen/statefun/testing/v1/program.js";
import { nodeHttpListener } from "./http.js";
import { type MessageType, RequestError, RequestReplyHandler, typeUrlOf } from "./index.js";
import { apacheProgram } from "./testing/apache-program.js";
import { arbitraryProgram, boundTypenames } from "./testing/arbitrary-program.js";
import { decodeReplies, encodeCalls, postBatch } from "./testing/batch-client.js";
import { programFunctions, programStates } from "./testing/program.js";

const handler = new RequestReplyHandler(programFunctions(boundTypenames), {
  maxBodyBytes: Infinity,
  logger: { error: () => undefined },
});
const apache = apacheProgram(boundTypenames);

async function ours(body: Uint8Array): Promise<FromFunction | "failed"> {
  try {
    return FromFunction.decode(await handler.handle(body));
  } catch (error) {
    expect(error).toBeInstanceOf(RequestError);
    return "failed";
  }
}

async function theirs(body: Uint8Array): Promise<FromFunction | "failed"> {
  const reply = await apache(body);
  return reply.status === 200 ? FromFunction.decode(reply.body) : "failed";
}

/**
 * The intended differences, and why they mean the same to StateFun:
 *
 * 1. We don't delete state that is not there. Deleting it would change nothing.
 * 2. A state that never expires is declared with mode NONE; Apache's SDK leaves the field out. NONE is its default.
 *
 * 3. A message with nothing in it, in an egress' record, is two bytes of its Any here, and left out there. Both are
 *    read as no bytes.
 *
 * One more does not show here: we answer 404 and 400 where Apache's SDK answers 500, and log why. StateFun repeats the
 * call after each of them.
 */
function comparable(reply: FromFunction | "failed", present: ReadonlySet<string>): unknown {
  if (reply === "failed") return reply;
  const { response } = reply;
  if (response?.$case === "incompleteInvocationContext") {
    return response.value.missingValues.map(({ stateName, typeTypename, expirationSpec }) => ({
      stateName,
      typeTypename,
      expiration:
        expirationSpec === undefined || expirationSpec.mode === ExpireMode.NONE
          ? "never"
          : { mode: expirationSpec.mode, ms: expirationSpec.expireAfterMillis },
    }));
  }
  const result: FromFunction_InvocationResponse = response!.value;
  return {
    ...result,
    stateMutations: result.stateMutations.filter(
      ({ mutationType, stateName }) => mutationType !== MutationType.DELETE || present.has(stateName),
    ),
    outgoingEgresses: result.outgoingEgresses.map((sent) => ({
      ...sent,
      argument: { ...sent.argument!, value: withoutEmptyValue(sent.argument!) },
    })),
  };
}

/** An egress' record as Apache's SDK encodes it. */
function withoutEmptyValue({ typename, value }: TypedValue): Buffer {
  const [recordType] = [KafkaProducerRecord, KinesisEgressRecord].filter((type) => typename === typeUrlOf(type));
  const record = recordType!.decode(value);
  record.valueBytes = Buffer.from(Any.encode(Any.decode(record.valueBytes)).finish());
  return Buffer.from((recordType as MessageType<typeof record>).encode(record).finish());
}

const counter = (value: bigint): TypedValue => ({
  typename: typeUrlOf(Counter),
  hasValue: true,
  value: Buffer.from(Counter.encode({ value }).finish()),
});
const absent: TypedValue = { typename: "", hasValue: false, value: Buffer.alloc(0) };

interface Request {
  readonly target: string;
  /** `undeclared`: StateFun has not heard of this state yet. */
  readonly states: readonly (bigint | "absent" | "undeclared")[];
  readonly invocations: readonly { readonly caller: boolean; readonly program: Program }[];
}

function encoded({ target, states, invocations }: Request): Uint8Array {
  const slash = target.lastIndexOf("/");
  const address = (id: string) => ({ namespace: target.slice(0, slash), type: target.slice(slash + 1), id });
  return ToFunction.encode({
    request: {
      $case: "invocation",
      value: {
        target: address("me"),
        state: states.flatMap((state, n) =>
          state === "undeclared"
            ? []
            : [{ stateName: programStates[n]!.name, stateValue: state === "absent" ? absent : counter(state) }],
        ),
        invocations: invocations.map(({ caller, program }): ToFunction_Invocation => ({
          caller: caller ? address("caller") : undefined,
          argument: {
            typename: typeUrlOf(Program),
            hasValue: true,
            value: Buffer.from(Program.encode(program).finish()),
          },
        })),
      },
    },
  }).finish();
}

async function expectSame(request: Request): Promise<"failed" | "missing" | "result"> {
  const body = encoded(request);
  const present = new Set(
    programStates.filter((_, n) => typeof request.states[n] === "bigint").map(({ name }) => name),
  );
  const reply = await ours(body);
  expect(comparable(reply, present)).toEqual(comparable(await theirs(body), present));
  return reply === "failed" ? "failed" : reply.response?.$case === "invocationResult" ? "result" : "missing";
}

const state = fc.oneof(
  { weight: 6, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 63n }) },
  { weight: 6, arbitrary: fc.constant("absent" as const) },
  { weight: 1, arbitrary: fc.constant("undeclared" as const) },
);
const request: fc.Arbitrary<Request> = fc.record({
  target: fc.oneof(
    { weight: 30, arbitrary: fc.constantFrom(...boundTypenames) },
    { weight: 1, arbitrary: fc.constant("test/unbound") },
  ),
  states: fc.tuple(state, state, state),
  invocations: fc.array(fc.record({ caller: fc.boolean(), program: arbitraryProgram }), { minLength: 1, maxLength: 5 }),
});

describe("conformance with Apache's JavaScript SDK", () => {
  it("gives equal replies to 10,000 generated requests", async () => {
    const seen = { failed: 0, missing: 0, result: 0 };
    await fc.assert(
      fc.asyncProperty(request, async (generated) => void seen[await expectSame(generated)]++),
      { numRuns: 10_000, seed: 1 },
    );
    // A suite that compared nothing but failures would prove little.
    expect(seen.result).toBeGreaterThan(3_000);
    expect(seen.failed).toBeGreaterThan(500);
    expect(seen.missing).toBeGreaterThan(500);
  }, 120_000);

  const program = (...commands: Program["commands"]): Request => ({
    target: "test/first",
    states: ["absent", 7n, "absent"],
    invocations: [{ caller: true, program: { commands } }],
  });
  it.each([
    { what: "no command", request: program() },
    {
      what: "state set, read and cleared in one call",
      request: program(
        { command: { $case: "setState", value: { name: "kept", value: 5n } } },
        { command: { $case: "toKafka", value: { egress: "e/k", topic: "t", key: "k", state: "kept" } } },
        { command: { $case: "clearState", value: { name: "kept" } } },
        { command: { $case: "toKafka", value: { egress: "e/k", topic: "t", key: "k", state: "kept" } } },
      ),
    },
    {
      what: "state cleared, then set",
      request: program(
        { command: { $case: "clearState", value: { name: "written" } } },
        { command: { $case: "increment", value: { name: "written" } } },
      ),
    },
    {
      what: "a zero, which protobuf leaves out",
      request: program({ command: { $case: "setState", value: { name: "called", value: 0n } } }),
    },
    {
      what: "sends, delayed sends and cancellations in one call",
      request: program(
        {
          command: {
            $case: "sendAfter",
            value: { typename: "a/b", id: "1", program: undefined, delayMs: 0, token: "t" },
          },
        },
        { command: { $case: "cancelDelayed", value: { token: "t" } } },
        { command: { $case: "send", value: { typename: "a/b", id: "1", program: undefined } } },
      ),
    },
  ])("agrees on $what", async ({ request: chosen }) => {
    expect(await expectSame(chosen)).toBe("result");
  });

  it.each([
    { what: "an empty body", body: Buffer.alloc(0) },
    { what: "bytes that are not a message", body: Buffer.from("no protobuf") },
    {
      what: "a truncated request",
      body: encoded({
        target: "test/first",
        states: ["absent", "absent", "absent"],
        invocations: [{ caller: false, program: { commands: [] } }],
      }).slice(0, -3),
    },
  ])("fails on $what, as Apache's does", async ({ body }) => {
    expect([await ours(body), await theirs(body)]).toEqual(["failed", "failed"]);
  });
});

describe("the batch route", () => {
  it("gives the same replies to generated requests, many at once, as the handler gives to each", async () => {
    const server = createServer(nodeHttpListener(handler));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const agent = new Agent({ keepAlive: true });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/statefun/batch`;
    const singly = async (body: Uint8Array): Promise<string> => {
      try {
        return Buffer.from(await handler.handle(body)).toString("hex");
      } catch (error) {
        return error instanceof RequestError ? `${error.status} ${error.message}` : String(error);
      }
    };
    const seen = { failed: 0, result: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(request.map(encoded), { minLength: 1, maxLength: 30 }),
        fc.nat(),
        async (bodies, firstId) => {
          const response = await postBatch(
            url,
            encodeCalls(bodies.map((payload, at) => ({ id: firstId + at, payload }))),
            { agent },
          );
          await response.ended;
          const replies = new Map<number, string>();
          for (const frame of decodeReplies(response.body())) {
            if (frame.kind === "alive") continue;
            expect(replies.has(frame.id)).toBe(false);
            replies.set(
              frame.id,
              frame.kind === "result" ? frame.payload.toString("hex") : `${frame.status} ${frame.text}`,
            );
            seen[frame.kind === "result" ? "result" : "failed"]++;
          }
          const expected = new Map<number, string>();
          for (const [at, body] of bodies.entries()) expected.set(firstId + at, await singly(body));
          expect(replies).toEqual(expected);
        },
      ),
      { numRuns: 300, seed: 1 },
    );
    agent.destroy();
    server.close();
    expect(seen.result).toBeGreaterThan(500);
    expect(seen.failed).toBeGreaterThan(50);
  }, 120_000);
});
