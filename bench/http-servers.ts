import { once } from "node:events";
import { Agent, request as httpRequest } from "node:http";

import { startModule } from "../process/run-command.js";
import { cpuSeconds } from "./process-cpu.js";

const CONNECTIONS = 8;
const WARM_UP_MS = 3_000;
const MEASURED_MS = 4_000;
const ROUNDS = 3;

/** A POST that is sent again and again, and what a right answer to it is. */
export interface RepeatedRequest {
  readonly path: string;
  readonly contentType: string;
  readonly body: Buffer;
  readonly status: number;
  /** Throws when a server's answer shows that it did not do what is measured. */
  readonly check: (answer: Buffer) => void;
}

/**
 * Compares HTTP servers, each in its own process: requests for each second of the server's processor time, in turns.
 *
 * @param module - a server; it says its port in a line, and ends on SIGTERM. `BENCH_VARIANT` names which it is
 * @returns each variant's figures, one of each round
 */
export async function requestsPerCpuSecond<V extends string>(
  variants: readonly V[],
  module: string,
  request: RepeatedRequest,
  signal: AbortSignal,
): Promise<ReadonlyMap<V, readonly number[]>> {
  const servers = variants.map((variant) => ({ variant, server: startModule(module, { BENCH_VARIANT: variant }) }));
  const figures = new Map<V, number[]>(variants.map((variant) => [variant, []]));
  try {
    const ready = await Promise.all(
      servers.map(async ({ variant, server }) => ({
        variant,
        pid: server.pid,
        port: Number(String((await once(server.stdout, "data"))[0]).trim()),
      })),
    );
    for (const { port } of ready) request.check(await post(port, request, new Agent()));
    for (const { port } of ready) await load(port, request, WARM_UP_MS, signal);
    for (let round = 0; round < ROUNDS; round++) {
      for (const { variant, pid, port } of round % 2 === 0 ? ready : ready.toReversed()) {
        const before = cpuSeconds(pid);
        const requests = await load(port, request, MEASURED_MS, signal);
        figures.get(variant)!.push(Math.round(requests / (cpuSeconds(pid) - before)));
      }
    }
    return figures;
  } finally {
    for (const { server } of servers) server.kill("SIGTERM");
  }
}

/** Keeps all connections busy. @returns how many requests were answered */
async function load(port: number, request: RepeatedRequest, forMs: number, signal: AbortSignal): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const end = Date.now() + forMs;
  let requests = 0;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (Date.now() < end) {
        signal.throwIfAborted();
        await post(port, request, agent);
        requests++;
      }
    }),
  );
  agent.destroy();
  return requests;
}

function post(port: number, { path, contentType, body, status }: RepeatedRequest, agent: Agent): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": contentType, "content-length": body.length };
    const sent = httpRequest({ host: "127.0.0.1", port, path, method: "POST", agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        response.statusCode === status
          ? resolve(Buffer.concat(chunks))
          : reject(new Error(`status ${response.statusCode}`)),
      );
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
