import { once } from "node:events";
import { Agent, request as httpRequest } from "node:http";

import { startModule } from "../../process/run-command.js";
import { Any } from "../../protos/gen/google/protobuf/any.js";
import { FromFunction, ToFunction } from "../../protos/gen/io/statefun/reqreply.js";
import { typeUrlOf } from "../../statefun/index.js";
import { thisMachine, writeJsonReport } from "../../terminal/json-report.js";
import { cpuSeconds } from "../process-cpu.js";

/** `none` is `node:http` without an SDK: the floor under both. */
const SDKS = ["ours", "apache", "none"] as const;
type Sdk = (typeof SDKS)[number];
const BATCHES = [1, 10, 100];
const STATE_BYTES = [200, 2_000];
const MESSAGE_BYTES = 200;
const CONNECTIONS = 8;
const WARM_UP_MS = 3_000;
const MEASURED_MS = 4_000;
const ROUNDS = 3;

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
      const body = requestBody(batch, stateBytes);
      const servers = SDKS.map((sdk) => ({
        sdk,
        server: startModule("bench/handler/server.ts", { BENCH_SDK: sdk }),
        rounds: [] as number[],
      }));
      try {
        const ready = await Promise.all(
          servers.map(async ({ server, ...rest }) => ({
            ...rest,
            pid: server.pid,
            port: Number(String((await once(server.stdout, "data"))[0]).trim()),
          })),
        );
        for (const { port } of ready) check(await post(port, body, new Agent()), batch);
        for (const { port } of ready) await load(port, body, WARM_UP_MS, signal);
        for (let round = 0; round < ROUNDS; round++) {
          for (const { pid, port, rounds } of round % 2 === 0 ? ready : ready.toReversed()) {
            const before = cpuSeconds(pid);
            const requests = await load(port, body, MEASURED_MS, signal);
            rounds.push(Math.round(requests / (cpuSeconds(pid) - before)));
          }
        }
        for (const { sdk, rounds } of ready) figures.push({ sdk, batch, stateBytes, requestsPerCpuSecond: rounds });
        const [mine, theirs, floor] = ready.map(({ rounds }) => median(rounds)) as [number, number, number];
        const times = (figure: number) => `${(figure / theirs).toFixed(1)} times Apache's`;
        process.stdout.write(
          `batch ${String(batch).padStart(3)}, state ${String(stateBytes).padStart(4)} bytes, requests per CPU-second: ours ${mine} (${times(mine)}), Apache's ${theirs}, node:http alone ${floor} (${times(floor)})\n`,
        );
      } finally {
        for (const { server } of servers) server.kill("SIGTERM");
      }
    }
  }
  writeJsonReport("reports/bench-handler.json", { messageBytes: MESSAGE_BYTES, machine: thisMachine(), figures });
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

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

/** Keeps all connections busy. @returns how many requests were answered */
async function load(port: number, body: Buffer, forMs: number, signal: AbortSignal): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const end = Date.now() + forMs;
  let requests = 0;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (Date.now() < end) {
        signal.throwIfAborted();
        await post(port, body, agent);
        requests++;
      }
    }),
  );
  agent.destroy();
  return requests;
}

function post(port: number, body: Buffer, agent: Agent): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      {
        host: "127.0.0.1",
        port,
        path: "/statefun",
        method: "POST",
        agent,
        headers: { "content-type": "application/octet-stream", "content-length": body.length },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          response.statusCode === 200
            ? resolve(Buffer.concat(chunks))
            : reject(new Error(`status ${response.statusCode}`)),
        );
        response.on("error", reject);
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}
