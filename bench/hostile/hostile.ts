import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { LIMITS } from "../../contract/limits.js";
import { startTalkingModule } from "../../process/run-command.js";
import { thisMachine, writeJsonReport } from "../../terminal/json-report.js";
import type { HostileServer } from "./attacks.js";
import { GOOD_REQUESTS, type HostileRequest, REQUESTS } from "./requests.js";

/** What a server says. */
interface Told {
  readonly port?: number;
  readonly loopMs?: number;
  readonly cpuMs?: number;
}

/** What a server may do on any request. */
const BOUNDS: Readonly<
  Record<HostileServer, { readonly loopMs: number; readonly memoryMiB: number; readonly logBytes: number }>
> = {
  intake: { loopMs: 50, memoryMiB: 64, logBytes: 4_096 },
  functions: { loopMs: 50, memoryMiB: (4 * LIMITS.bodyBytes) / 2 ** 20, logBytes: 16_384 },
  dashboard: { loopMs: 50, memoryMiB: 64, logBytes: 4_096 },
};

/** Requests before it, so that what is measured is not the first use of everything: ordinary ones, and some refused. */
const WARM_UP = 20;
const ORDINARY = 1_500;
const RAW_QUIET_MS = 1_000;

/** What one request did to a server. */
interface Harm {
  readonly server: HostileServer;
  readonly name: string;
  readonly bytes: number;
  /** Of the answer; 0 when there was none. */
  readonly status: number;
  readonly ms: number;
  /** For how long its event loop stood at once, at most. */
  readonly loopMs: number;
  /** The processor time of one turn of it, at most; garbage collection included. */
  readonly cpuMs: number;
  /** How much its resident memory grew, at most. */
  readonly memoryMiB: number;
  readonly logBytes: number;
  readonly within: boolean;
}

/**
 * What the worst bodies within a server's bounds do to it: for how long its event loop stands, how much memory it
 * takes, how much it logs. Each gets its own server. Writes `reports/bench-hostile.json`. Linux only.
 */
export async function benchHostile(
  servers: readonly HostileServer[],
  named: string,
  signal: AbortSignal,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "bench-hostile-"));
  const figures: Harm[] = [];
  try {
    for (const server of servers) {
      for (const request of REQUESTS[server]().filter(({ name }) => name.includes(named))) {
        signal.throwIfAborted();
        const harm = await attack(server, request, join(folder, "log"), signal);
        figures.push(harm);
        process.stdout.write(
          `${harm.within ? "✔" : "✘"} ${server.padEnd(9)} ${harm.name.padEnd(64)} ${String(harm.status).padStart(3)} ${String(harm.ms).padStart(6)} ms  loop ${String(harm.loopMs).padStart(7)} ms (${String(harm.cpuMs).padStart(6)} ms of processor time)  memory ${String(harm.memoryMiB).padStart(4)} MiB  log ${String(harm.logBytes).padStart(6)} B\n`,
        );
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  writeJsonReport("reports/bench-hostile.json", { machine: thisMachine(), bounds: BOUNDS, figures });
}

async function attack(server: HostileServer, request: HostileRequest, log: string, signal: AbortSignal): Promise<Harm> {
  writeFileSync(log, "");
  const inbox: ((message: Told) => void)[] = [];
  const next = () => new Promise<Told>((resolve) => inbox.push(resolve));
  const started = next();
  const child = startTalkingModule("bench/hostile/server.ts", { BENCH_SERVER: server, BENCH_LOG: log }, (message) =>
    inbox.shift()?.(message as Told),
  );
  const loop = async (): Promise<{ readonly loopMs: number; readonly cpuMs: number }> => {
    const answer = next();
    child.send({});
    const { loopMs = Infinity, cpuMs = Infinity } = await Promise.race([answer, child.ended.then((): Told => ({}))]);
    return { loopMs, cpuMs };
  };
  const end = (): void => child.kill();
  signal.addEventListener("abort", end, { once: true });
  try {
    const { port } = await started;
    const small = { ...request, bytes: Buffer.from("{}"), pieces: 1 };
    for (let n = 0; n < WARM_UP; n++) await post(port!, small);
    for (let n = 0; n < ORDINARY; n++) await post(port!, { ...GOOD_REQUESTS[server](n), name: "" });
    await loop();
    // The highest that it was is from now on.
    writeFileSync(`/proc/${child.pid}/clear_refs`, "5");
    const [before, logBefore] = [memoryKb(child.pid, "VmRSS"), statSync(log).size];
    const beganMs = performance.now();
    const status = await (request.raw === undefined ? post(port!, request) : sendRaw(port!, request.raw)).catch(
      () => 0,
    );
    const ms = Math.round(performance.now() - beganMs);
    const { loopMs, cpuMs } = await loop();
    const memoryMiB = Math.round((memoryKb(child.pid, "VmHWM") - before) / 1024);
    const logBytes = statSync(log).size - logBefore;
    const bounds = BOUNDS[server];
    const within =
      Math.min(loopMs, cpuMs) <= bounds.loopMs && memoryMiB <= bounds.memoryMiB && logBytes <= bounds.logBytes;
    return {
      server,
      name: request.name,
      bytes: request.raw?.("").length ?? request.bytes.length,
      status,
      ms,
      loopMs,
      cpuMs,
      memoryMiB,
      logBytes,
      within,
    };
  } finally {
    signal.removeEventListener("abort", end);
    child.kill();
    await child.ended;
  }
}

/** Until the server has said nothing for a while, or closes. @returns the first answer's status; 0 for none */
function sendRaw(port: number, raw: NonNullable<HostileRequest["raw"]>): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    socket.setTimeout(RAW_QUIET_MS, () => socket.destroy());
    socket.on("data", (chunk: Buffer) => (text = (text + chunk.toString("latin1")).slice(0, 100)));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0)));
    socket.write(raw(`Host: 127.0.0.1:${port}\r\n`));
  });
}

/** Of a process. Linux only; that of one that has ended is without bounds. */
function memoryKb(pid: number, what: "VmRSS" | "VmHWM"): number {
  try {
    return Number(new RegExp(`${what}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  } catch {
    return Infinity;
  }
}

function post(
  port: number,
  { path, headers, bytes, pieces = 1, method = "POST" }: HostileRequest & { readonly method?: string },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const length = pieces === 1 ? { "content-length": bytes.length } : {};
    const sent = httpRequest(
      { host: "127.0.0.1", port, path, method, headers: { ...headers, ...length } },
      (response) => response.resume().on("end", () => resolve(response.statusCode!)),
    );
    sent.on("error", reject);
    for (let n = 0; n < pieces; n++) {
      const end = Math.floor(((n + 1) * bytes.length) / pieces);
      sent.write(bytes.subarray(Math.floor((n * bytes.length) / pieces), end));
    }
    sent.end();
  });
}
