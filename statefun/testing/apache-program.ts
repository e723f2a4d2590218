import { kafkaEgressMessage, kinesisEgressMessage, messageBuilder, StateFun } from "apache-flink-statefun";

import { Any } from "../gen/google/protobuf/any.js";
import { Counter, Program } from "../../protos/gen/statefun/testing/v1/program.js";
import { typeUrlOf } from "../index.js";

type ApacheContext = Parameters<Parameters<StateFun["bind"]>[0]["fn"]>[0];
/** Apache's SDK types storage as an object with values of any type. */
type Storage = Record<string, { value: bigint } | null>;

const counterType = StateFun.customType<{ value: bigint }>(
  typeUrlOf(Counter),
  (counter) => Buffer.from(Counter.encode(counter).finish()),
  (bytes) => Counter.decode(bytes),
);
const programType = StateFun.customType<Program>(
  typeUrlOf(Program),
  (program) => Buffer.from(Program.encode(program).finish()),
  (bytes) => Program.decode(bytes),
);
const nothing: Program = { commands: [] };
const packedCounter = (value: bigint) =>
  Buffer.from(
    Any.encode({ typeUrl: typeUrlOf(Counter), value: Buffer.from(Counter.encode({ value }).finish()) }).finish(),
  );

/** The outcome of a request: status 200 with a reply, or another status without one. */
export interface ApacheReply {
  readonly status: number;
  readonly body: Uint8Array;
}

/** Serves a request by Apache's own JavaScript SDK, with the program's function under each of the names. */
export function apacheProgram(typenames: readonly string[]): (body: Uint8Array) => Promise<ApacheReply> {
  const statefun = new StateFun();
  for (const typename of typenames) {
    statefun.bind({
      typename,
      specs: [
        { name: "kept", type: counterType },
        { name: "written", type: counterType, expireAfterWrite: 60_000 },
        { name: "called", type: counterType, expireAfterCall: 90_000 },
      ],
      fn: (context, message) => {
        const program = message.as(programType);
        if (program === null) throw new Error("no program");
        for (const { command } of program.commands) run(context, command);
      },
    });
  }
  const handler = statefun.handler();
  return async (body) => {
    let status = 0;
    let reply: Uint8Array = Buffer.alloc(0);
    await handler([body], {
      writeHead: (code: number) => (status = code),
      end: (bytes?: Uint8Array) => (reply = bytes ?? reply),
    });
    return { status, body: reply };
  };
}

function run(context: ApacheContext, command: Program["commands"][number]["command"]): void {
  const storage = context.storage as Storage;
  const declared = (name: string): string => {
    if (!(name in storage)) throw new Error(`no state ${name}`);
    return name;
  };
  const value = (name: string): bigint => storage[declared(name)]?.value ?? 0n;
  const toFunction = ({ typename, id, program }: { typename: string; id: string; program: Program | undefined }) =>
    messageBuilder({ typename, id, value: program ?? nothing, valueType: programType });
  switch (command?.$case) {
    case undefined:
      return;
    case "send":
      return context.send(toFunction(command.value));
    case "sendAfter":
      return context.sendAfter(command.value.delayMs, toFunction(command.value), command.value.token);
    case "cancelDelayed":
      return context.cancelDelayedMessage(command.value.token);
    case "reply": {
      const { caller } = context;
      if (caller === null) throw new Error("no caller");
      return context.send(toFunction({ typename: caller.typename, id: caller.id, program: command.value.program }));
    }
    case "setState":
      storage[declared(command.value.name)] = { value: command.value.value };
      return;
    case "clearState":
      storage[declared(command.value.name)] = null;
      return;
    case "increment":
      storage[declared(command.value.name)] = { value: value(command.value.name) + 1n };
      return;
    case "toKafka": {
      const { egress, topic, key, state } = command.value;
      return context.send(kafkaEgressMessage({ typename: egress, topic, key, value: packedCounter(value(state)) }));
    }
    case "toKinesis": {
      const { egress, stream, partitionKey, explicitHashKey, state } = command.value;
      return context.send(
        kinesisEgressMessage({
          typename: egress,
          stream,
          partitionKey,
          hashKey: explicitHashKey,
          value: packedCounter(value(state)),
        }),
      );
    }
    case "fail":
      throw new Error("told to fail");
  }
}
