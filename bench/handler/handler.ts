import { Any } from "../../protos/gen/google/protobuf/any.js";
import { FromFunction, ToFunction } from "../../protos/gen/io/statefun/reqreply.js";
import { typeUrlOf } from "../../statefun/index.js";
import { thisMachine, writeJsonReport } from "../../terminal/json-report.js";
import { type RepeatedRequest, requestsPerCpuSecond } from "../http-servers.js";
import { spreadOf } from "../spread.js";

/** `none` is `node:http` without an SDK: the floor under both. */
const SDKS = ["ours", "apache", "none"] as const;
type Sdk = (typeof SDKS)[number];
const BATCHES = [1, 10, 100];
const STATE_BYTES = [200, 2_000];
const MESSAGE_BYTES = 200;

interface Measured {
  readonly sdk: Sdk;
  readonly batch: number;
  readonly stateBytes: number;
  /** Of each round. */
  readonly requestsPerCpuSecond: readonly number[];
}

/**
 * Compares our handler with Apache's JavaScript SDK, and with `node:http` alone, over HTTP: requests for each second of
 * the server's processor time, in turns, each server in its own process. Writes `reports/bench-handler.json`.
 */
export async function benchHandler(signal: AbortSignal): Promise<void> {
  const figures: Measured[] = [];
  for (const batch of BATCHES) {
    for (const stateBytes of STATE_BYTES) {
      const request: RepeatedRequest = {
        path: "/statefun",
        contentType: "application/octet-stream",
        body: requestBody(batch, stateBytes),
        status: 200,
        check: (answer) => check(answer, batch),
      };
      const measured = await requestsPerCpuSecond(SDKS, "bench/handler/server.ts", request, signal);
      for (const [sdk, rounds] of measured) figures.push({ sdk, batch, stateBytes, requestsPerCpuSecond: rounds });
      const [mine, theirs, floor] = SDKS.map((sdk) => spreadOf(measured.get(sdk)!).median) as [number, number, number];
      const times = (figure: number) => `${(figure / theirs).toFixed(1)} times Apache's`;
      process.stdout.write(
        `batch ${String(batch).padStart(3)}, state ${String(stateBytes).padStart(4)} bytes, requests per CPU-second: ours ${mine} (${times(mine)}), Apache's ${theirs}, node:http alone ${floor} (${times(floor)})\n`,
      );
    }
  }
  writeJsonReport("reports/bench-handler.json", { messageBytes: MESSAGE_BYTES, machine: thisMachine(), figures });
}

function requestBody(batch: number, stateBytes: number): Buffer {
  const bytes = (length: number) =>
    Buffer.from(Any.encode({ typeUrl: "bench", value: Buffer.alloc(length, 7) }).finish());
  const value = (length: number) => ({ typename: typeUrlOf(Any), hasValue: true, value: bytes(length) });
  const address = { namespace: "bench", type: "function", id: "account-17" };
  return Buffer.from(
    ToFunction.encode({
      request: {
        $case: "invocation",
        value: {
          target: address,
          state: [{ stateName: "state", stateValue: value(stateBytes) }],
          invocations: Array.from({ length: batch }, () => ({ caller: address, argument: value(MESSAGE_BYTES) })),
        },
      },
    }).finish(),
  );
}

/** Both must do the work that is measured. */
function check(reply: Buffer, batch: number): void {
  const { response } = FromFunction.decode(reply);
  if (
    response?.$case !== "invocationResult" ||
    response.value.outgoingMessages.length !== batch ||
    response.value.stateMutations.length !== 1
  )
    throw new Error("a server did not do what is measured");
}
