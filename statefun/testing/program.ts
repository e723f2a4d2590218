import { Counter, type Program, Program as ProgramType } from "../../protos/gen/statefun/testing/v1/program.js";
import { type AnyMessage, type Context, StatefulFunctions, valueSpec } from "../index.js";

/** States of a program's function: one that stays, one that expires after writes, one after calls. */
export const programStates = [
  valueSpec("kept", Counter),
  valueSpec("written", Counter, { expireAfterWriteMs: 60_000 }),
  valueSpec("called", Counter, { expireAfterInvokeMs: 90_000 }),
] as const;

/** The function under test: does what each message tells it, command by command. */
export function runProgram(context: Context, message: AnyMessage): void {
  for (const { command } of message.unpack(ProgramType).commands) run(context, command);
}

/** An endpoint with the program's function under each of the names. */
export function programFunctions(typenames: readonly string[]): StatefulFunctions {
  return typenames.reduce(
    (functions, typename) => functions.bind(typename, runProgram, { states: programStates }),
    new StatefulFunctions(),
  );
}

const nothing: Program = { commands: [] };

function run(context: Context, command: Program["commands"][number]["command"]): void {
  const value = (name: string): bigint => context.state(name).unpack(Counter)?.value ?? 0n;
  switch (command?.$case) {
    case undefined:
      return;
    case "send": {
      const { typename, id, program } = command.value;
      return context.packAndSend({ typename, id }, ProgramType, program ?? nothing);
    }
    case "sendAfter": {
      const { typename, id, program, delayMs, token } = command.value;
      return context.packAndSendAfter(delayMs, { typename, id }, ProgramType, program ?? nothing, {
        cancellationToken: token,
      });
    }
    case "cancelDelayed":
      return context.cancelDelayed(command.value.token);
    case "reply":
      return context.packAndReply(ProgramType, command.value.program ?? nothing);
    case "setState":
      return context.state(command.value.name).pack(Counter, { value: command.value.value });
    case "clearState":
      return context.state(command.value.name).clear();
    case "increment":
      return context.state(command.value.name).pack(Counter, { value: value(command.value.name) + 1n });
    case "toKafka": {
      const { egress, topic, key, state } = command.value;
      return context.packAndSendToKafka(egress, { topic, key }, Counter, { value: value(state) });
    }
    case "toKinesis": {
      const { egress, stream, partitionKey, explicitHashKey, state } = command.value;
      return context.packAndSendToKinesis(egress, { stream, partitionKey, explicitHashKey }, Counter, {
        value: value(state),
      });
    }
    case "fail":
      throw new Error("told to fail");
  }
}
