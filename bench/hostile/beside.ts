import { once } from "node:events";
import { Agent, request as httpRequest } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

import { startModule, startTalkingModule } from "../../process/run-command.js";
import { thisMachine, writeJsonReport } from "../../terminal/json-report.js";
import { type AttackKind, GOOD_REQUESTS, type HostileServer } from "./bodies.js";

const SHARE = 0.2;
const REQUESTS_PER_SECOND = 100;
const CONNECTIONS = 8;
const WARM_UP_MS = 1_000;
const MEASURED_MS = 3_000;
const MOST_TIMES = 2;
const LIMIT_MS = 5_000;

interface Beside {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly requests: number;
  readonly errors: number;
}
interface Compared {
  readonly server: HostileServer;
  readonly attack: AttackKind;
  /** Beside the attacker, when it attacks a port where nothing of ours listens, and when it attacks the server. */
  readonly dummy: readonly Beside[];
  readonly attacked: readonly Beside[];
  readonly p99Times: number;
  readonly within: boolean;
}

/**
 * What a client sees of a server while an attacker, with a fifth of a processor, does its worst: to another port, and
 * to the server, in turns. Writes `reports/bench-hostile-beside.json`.
 */
export async function benchBeside(
  servers: readonly HostileServer[],
  attacks: readonly AttackKind[],
  rounds: number,
  signal: AbortSignal,
): Promise<void> {
  const figures: Compared[] = [];
  for (const server of servers) {
    for (const attack of attacks) {
      if (attack === "wrong logins" && server !== "dashboard") continue;
      const dummy: Beside[] = [];
      const attacked: Beside[] = [];
      await withServer(server, signal, (port) =>
        withServer("dummy", signal, async (dummyPort) => {
          await measure(server, port, WARM_UP_MS, signal);
          for (let round = 0; round < rounds; round++) {
            dummy.push(await beside(server, attack, port, dummyPort, signal));
            attacked.push(await beside(server, attack, port, port, signal));
          }
        }),
      );
      const least = (all: readonly Beside[]) => Math.min(...all.map(({ p99Ms }) => p99Ms));
      const p99Times = Math.round((10 * least(attacked)) / least(dummy)) / 10;
      const errors = attacked.reduce((sum, one) => sum + one.errors, 0);
      const within = errors === 0 && p99Times <= MOST_TIMES;
      figures.push({ server, attack, dummy, attacked, p99Times, within });
      process.stdout.write(
        `${within ? "✔" : "✘"} ${server.padEnd(9)} ${attack.padEnd(16)} p99 ${least(attacked).toFixed(1).padStart(6)} ms, beside a dummy ${least(dummy).toFixed(1).padStart(6)} ms: ${p99Times} times; ${errors} errors\n`,
      );
    }
  }
  writeJsonReport("reports/bench-hostile-beside.json", {
    machine: thisMachine(),
    share: SHARE,
    requestsPerSecond: REQUESTS_PER_SECOND,
    figures,
  });
}

async function withServer(
  server: HostileServer | "dummy",
  signal: AbortSignal,
  run: (port: number) => Promise<void>,
): Promise<void> {
  let begun: (port: number) => void = () => undefined;
  const started = new Promise<number>((resolve) => (begun = resolve));
  const child = startTalkingModule(
    "bench/hostile/server.ts",
    { BENCH_SERVER: server, BENCH_LOG: "/dev/null" },
    (message) => begun((message as { port: number }).port),
  );
  const end = (): void => child.kill();
  signal.addEventListener("abort", end, { once: true });
  try {
    await run(await started);
  } finally {
    signal.removeEventListener("abort", end);
    child.kill();
    await child.ended;
  }
}

async function beside(
  server: HostileServer,
  attack: AttackKind,
  port: number,
  attackedPort: number,
  signal: AbortSignal,
): Promise<Beside> {
  const attacker = startModule("bench/hostile/attacker.ts", {
    BENCH_ATTACK: attack,
    BENCH_SERVER: server,
    BENCH_PORT: String(attackedPort),
    BENCH_SHARE: String(SHARE),
  });
  try {
    await once(attacker.stdout, "data");
    await measure(server, port, WARM_UP_MS, signal);
    return await measure(server, port, MEASURED_MS, signal);
  } finally {
    attacker.kill("SIGTERM");
  }
}

/** Requests at a steady rate; a time runs from when a request was due. */
async function measure(server: HostileServer, port: number, forMs: number, signal: AbortSignal): Promise<Beside> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const times: number[] = [];
  let errors = 0;
  const sent: Promise<void>[] = [];
  const began = performance.now();
  for (let n = 0; n < (forMs / 1_000) * REQUESTS_PER_SECOND; n++) {
    signal.throwIfAborted();
    const dueMs = began + (n * 1_000) / REQUESTS_PER_SECOND;
    await pause(Math.max(0, dueMs - performance.now()));
    sent.push(
      ask(server, port, agent, n)
        .then(() => void times.push(performance.now() - dueMs))
        .catch(() => void errors++),
    );
  }
  await Promise.all(sent);
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (part: number) => Math.round(10 * (times[Math.floor(part * times.length)] ?? Infinity)) / 10;
  return { p50Ms: at(0.5), p99Ms: at(0.99), requests: sent.length, errors };
}

function ask(server: HostileServer, port: number, agent: Agent, n: number): Promise<void> {
  const { method, path, headers, bytes } = GOOD_REQUESTS[server](n);
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      {
        host: "127.0.0.1",
        port,
        agent,
        method,
        path,
        headers: { ...headers, "content-length": bytes.length },
        timeout: LIMIT_MS,
      },
      (response) =>
        response.resume().on("end", () => {
          if (response.statusCode! < 300) resolve();
          else reject(new Error(`status ${response.statusCode}`));
        }),
    );
    sent.on("timeout", () => sent.destroy(new Error("no answer")));
    sent.on("error", reject);
    sent.end(bytes);
  });
}
