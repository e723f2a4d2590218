import fc from "fast-check";

import type { Command, Program } from "../../protos/gen/statefun/testing/v1/program.js";

/** Names under which the program's function is bound. */
export const boundTypenames = ["test/first", "test/second", "long.name/space/third"] as const;

const id = fc.constantFrom("a", "b", "c", "ü/ä", "x".repeat(40));
const stateName = fc.constantFrom("kept", "written", "called");
const token = fc.constantFrom("t-1", "t-2", "token with spaces");
const typename = fc.constantFrom(...boundTypenames, "other/function");

const command = <Case extends NonNullable<Command["command"]>["$case"]>(
  $case: Case,
  value: fc.Arbitrary<Extract<NonNullable<Command["command"]>, { $case: Case }>["value"]>,
): fc.Arbitrary<Command> =>
  value.map((fields) => ({ command: { $case, value: fields } as NonNullable<Command["command"]> }));

/** What a function cannot do: the whole call fails. */
const failing: fc.Arbitrary<Command>[] = [
  command("fail", fc.constant({})),
  command("increment", fc.constant({ name: "undeclared" })),
  command("cancelDelayed", fc.constant({ token: "" })),
  command("toKafka", fc.constant({ egress: "test/kafka", topic: "", key: "", state: "kept" })),
  command(
    "toKinesis",
    fc.constant({ egress: "test/kinesis", stream: "", partitionKey: "p", explicitHashKey: "", state: "kept" }),
  ),
  command("send", fc.constant({ typename: "no-slash", id: "a", program: undefined })),
];

/** Programs that send programs, a few levels deep. */
export const arbitraryProgram: fc.Arbitrary<Program> = fc.letrec<{ program: Program }>((tie) => ({
  program: fc.record({
    commands: fc.array(
      fc.oneof(
        { maxDepth: 2, withCrossShrink: true },
        { weight: 3, arbitrary: command("increment", fc.record({ name: stateName })) },
        {
          weight: 2,
          arbitrary: command(
            "setState",
            fc.record({ name: stateName, value: fc.bigInt({ min: 0n, max: 2n ** 64n - 2n }) }),
          ),
        },
        { weight: 2, arbitrary: command("clearState", fc.record({ name: stateName })) },
        {
          weight: 3,
          arbitrary: command(
            "send",
            fc.record({ typename, id, program: fc.option(tie("program"), { nil: undefined }) }),
          ),
        },
        {
          weight: 2,
          arbitrary: command(
            "sendAfter",
            fc.record({
              typename,
              id,
              program: fc.option(tie("program"), { nil: undefined }),
              delayMs: fc.nat(100_000),
              token: fc.oneof(fc.constant(""), token),
            }),
          ),
        },
        { weight: 1, arbitrary: command("cancelDelayed", fc.record({ token })) },
        {
          weight: 2,
          arbitrary: command("reply", fc.record({ program: fc.option(tie("program"), { nil: undefined }) })),
        },
        {
          weight: 2,
          arbitrary: command(
            "toKafka",
            fc.record({
              egress: fc.constant("test/kafka"),
              topic: fc.constantFrom("out", "other"),
              key: fc.constantFrom("", "k"),
              state: stateName,
            }),
          ),
        },
        {
          weight: 1,
          arbitrary: command(
            "toKinesis",
            fc.record({
              egress: fc.constant("test/kinesis"),
              stream: fc.constant("s"),
              partitionKey: fc.constant("p"),
              explicitHashKey: fc.constantFrom("", "1"),
              state: stateName,
            }),
          ),
        },
        { weight: 1, arbitrary: fc.oneof(...failing) },
      ),
      { maxLength: 6 },
    ),
  }),
})).program;
