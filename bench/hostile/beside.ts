import { Agent, request as httpRequest } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

import { aheadOfOthers, sessionAheadOfOthers } from "../../process/priority.js";
import { startTalkingModule, type TalkingModule } from "../../process/run-command.js";
import { thisMachine, writeJsonReport } from "../../terminal/json-report.js";
import type { Target } from "./attacker.js";
import type { AttackKind, HostileServer } from "./attacks.js";
import { pooledTimes, quantileOrInfinity } from "./pooled.js";
import { GOOD_REQUESTS } from "./requests.js";

const SHARE = 0.2;
const REQUESTS_PER_SECOND = 100;
const CONNECTIONS = 8;
/** Of each slice: short ones, in turns, so that what else the machine does hits both sides. */
const WARM_UP_MS = 700;
const MEASURED_MS = 1_300;
const MOST_TIMES = 2;
const LIMIT_MS = 5_000;

interface Beside {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly requests: number;
  readonly errors: number;
}
/** A slice, with all its times. */
interface Measured extends Beside {
  readonly times: readonly number[];
}
interface Compared {
  readonly server: HostileServer;
  readonly attack: AttackKind;
  /** Of all slices beside the attacker: when it attacks a port where nothing of ours listens, and the server. */
  readonly dummyP99Ms: number;
  readonly attackedP99Ms: number;
  readonly p99Times: number;
  /** What the choice of slices makes of it: nine in ten choices lie between these. */
  readonly p99TimesLeast: number;
  readonly p99TimesMost: number;
  /** The median of what each pair of slices gives, which one bad moment does not move. */
  readonly p99TimesMedian: number;
  readonly errors: number;
  /**
   * No errors, and at most twice as long: by all slices together, which a second in which the machine stood may move,
   * or by the median.
   */
  readonly within: boolean;
  /** Each slice. */
  readonly dummy: readonly Beside[];
  readonly attacked: readonly Beside[];
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
  // With all that is started here: what else the machine does would be most of what is measured.
  aheadOfOthers();
  sessionAheadOfOthers();
  for (const server of servers) {
    for (const attack of attacks) {
      if (attack === "wrong logins" && server !== "dashboard") continue;
      const dummy: Measured[] = [];
      const attacked: Measured[] = [];
      await withServer(server, signal, (port) =>
        withServer("dummy", signal, (dummyPort) =>
          withAttacker(server, attack, signal, async (attacker) => {
            await measure(server, port, WARM_UP_MS, signal);
            const slice = async (attackedPort: number): Promise<Measured> => {
              attacker.send({ port: attackedPort } satisfies Target);
              await measure(server, port, WARM_UP_MS, signal);
              return await measure(server, port, MEASURED_MS, signal);
            };
            for (let round = 0; round < rounds; round++) {
              dummy.push(await slice(dummyPort));
              attacked.push(await slice(port));
            }
          }),
        ),
      );
      const figure = compared(server, attack, dummy, attacked);
      figures.push(figure);
      process.stdout.write(
        `${figure.within ? "✔" : "✘"} ${server.padEnd(9)} ${attack.padEnd(16)} p99 ${figure.attackedP99Ms.toFixed(1).padStart(6)} ms, beside a dummy ${figure.dummyP99Ms.toFixed(1).padStart(6)} ms: ${figure.p99Times} times (${figure.p99TimesLeast} to ${figure.p99TimesMost}; median of the slices ${figure.p99TimesMedian}); ${figure.errors} errors\n`,
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

function compared(
  server: HostileServer,
  attack: AttackKind,
  dummy: readonly Measured[],
  attacked: readonly Measured[],
): Compared {
  const pairs = dummy.map(({ times }, at) => ({ dummy: times, attacked: attacked[at]!.times }));
  const { times, least, most } = pooledTimes(pairs, 0.99);
  const median = quantileOrInfinity(
    pairs.map((pair) => quantileOrInfinity(pair.attacked, 0.99) / quantileOrInfinity(pair.dummy, 0.99)),
    0.5,
  );
  const p99Of = (all: readonly Measured[]): number =>
    tenth(
      quantileOrInfinity(
        all.flatMap((slice) => slice.times),
        0.99,
      ),
    );
  const withoutTimes = (all: readonly Measured[]): Beside[] =>
    all.map(({ p50Ms, p99Ms, requests, errors }) => ({ p50Ms, p99Ms, requests, errors }));
  const errors = attacked.reduce((sum, one) => sum + one.errors, 0);
  return {
    server,
    attack,
    dummyP99Ms: p99Of(dummy),
    attackedP99Ms: p99Of(attacked),
    p99Times: tenth(times),
    p99TimesLeast: tenth(least),
    p99TimesMost: tenth(most),
    p99TimesMedian: tenth(median),
    errors,
    within: errors === 0 && Math.min(times, median) <= MOST_TIMES,
    dummy: withoutTimes(dummy),
    attacked: withoutTimes(attacked),
  };
}

const tenth = (value: number): number => Math.round(10 * value) / 10;

async function withServer(
  server: HostileServer | "dummy",
  signal: AbortSignal,
  run: (port: number) => Promise<void>,
): Promise<void> {
  const env = { BENCH_SERVER: server, BENCH_LOG: "/dev/null" };
  await withModule("bench/hostile/server.ts", env, signal, (_, first) => run((first as Target).port));
}

async function withAttacker(
  server: HostileServer,
  attack: AttackKind,
  signal: AbortSignal,
  run: (attacker: TalkingModule) => Promise<void>,
): Promise<void> {
  const env = { BENCH_ATTACK: attack, BENCH_SERVER: server, BENCH_SHARE: String(SHARE) };
  await withModule("bench/hostile/attacker.ts", env, signal, run);
}

/** Runs a module until `run` has ended, which gets its first message. */
async function withModule(
  module: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
  run: (child: TalkingModule, first: unknown) => Promise<void>,
): Promise<void> {
  let begun: (message: unknown) => void = () => undefined;
  const started = new Promise<unknown>((resolve) => (begun = resolve));
  const child = startTalkingModule(module, env, (message) => begun(message));
  const end = (): void => child.kill();
  signal.addEventListener("abort", end, { once: true });
  try {
    await run(child, await started);
  } finally {
    signal.removeEventListener("abort", end);
    child.kill();
    await child.ended;
  }
}

/** Requests at a steady rate; a time runs from when a request was due. */
async function measure(server: HostileServer, port: number, forMs: number, signal: AbortSignal): Promise<Measured> {
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
  return {
    p50Ms: tenth(quantileOrInfinity(times, 0.5)),
    p99Ms: tenth(quantileOrInfinity(times, 0.99)),
    requests: sent.length,
    errors,
    times,
  };
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
