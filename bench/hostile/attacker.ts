import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

import { given } from "../../process/environment.js";
import type { AttackKind, HostileServer } from "./attacks.js";
import { REQUESTS } from "./requests.js";

/** What it is told: which port to attack from now on. */
export interface Target {
  readonly port: number;
}

/**
 * Does its worst to a server: `BENCH_ATTACK` says how, `BENCH_SERVER` to which. Each message names the port that it
 * attacks from then on; what it has open elsewhere it drops. It has so much of a processor as `BENCH_SHARE` says, by
 * its own processor time since that message.
 */
const env = given();
const [kind, server] = [env["BENCH_ATTACK"] as AttackKind, env["BENCH_SERVER"] as HostileServer];
const share = Number(env["BENCH_SHARE"]);
const MOST_SOCKETS = 2_000;

let port = 0;
const sockets = new Set<Socket>();
function open(read = true): Socket {
  const socket = connect(port, "127.0.0.1");
  sockets.add(socket);
  socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  if (read) socket.resume();
  else socket.pause();
  return socket;
}
/** One that is open: new when there is none. */
const any = (): Socket => [...sockets].find((socket) => socket.writable) ?? open();
const worst = REQUESTS[server]().filter(({ pieces, raw }) => pieces === undefined && raw === undefined);
const posted = worst[0]!;
const host = (): string => `Host: 127.0.0.1:${port}\r\n`;
const head = ({ path, headers }: (typeof worst)[number], length: string): string =>
  `POST ${path} HTTP/1.1\r\n${host()}${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("")}${length}\r\n`;
const get = (path: string, more = ""): string => `GET ${path} HTTP/1.1\r\n${host()}${more}\r\n`;
const WAITING: Readonly<Record<HostileServer, string>> = {
  intake: "/v1/accounts/a/decisions/t?wait=30s",
  functions: "/nothing",
  dashboard: "/api/stream?after=0.0",
};
/** Within each server's bound, so that it goes on reading. */
const ANNOUNCED: Readonly<Record<HostileServer, number>> = {
  intake: 1_000_000,
  functions: 8_000_000,
  dashboard: 8_000,
};
const LOGIN = '{"token":"no"}';
let n = 0;

/** One round of each; it sleeps between them as its share wants. */
const ATTACKS: Readonly<Record<AttackKind, () => void>> = {
  connections: () =>
    void open().once("connect", function (this: Socket) {
      this.destroy();
    }),
  idle: () => {
    if (sockets.size < MOST_SOCKETS) open();
  },
  "slow heads": () => {
    if (sockets.size < MOST_SOCKETS) open().write(`POST / HTTP/1.1\r\n${host()}`);
    else for (const socket of sockets) socket.write("x: y\r\n");
  },
  "slow bodies": () => {
    if (sockets.size < 400) open().write(head(posted, `content-length: ${ANNOUNCED[server]}\r\n`));
    else for (const socket of sockets) socket.write("x".repeat(4_096));
  },
  pipelined: () => void any().write(get("/healthz").repeat(200)),
  // As many as are allowed, on many connections.
  "some in one go": () => {
    if (sockets.size < 100) open();
    else for (const socket of sockets) socket.write(get("/healthz").repeat(8));
  },
  waiting: () => {
    if (sockets.size < 500) open(false).write(get(WAITING[server]).repeat(20));
    else for (const socket of sockets) socket.destroy();
  },
  "wrong logins": () =>
    void any().write(
      `POST /api/login HTTP/1.1\r\n${host()}content-type: application/json\r\nx-dashboard-action: 1\r\ncontent-length: ${LOGIN.length}\r\n\r\n${LOGIN}`,
    ),
  bodies: () => {
    if (sockets.size > 8) return;
    const request = worst[n++ % worst.length]!;
    const socket = open();
    socket.write(head(request, `content-length: ${request.bytes.length}\r\nconnection: close\r\n`));
    socket.write(request.bytes);
  },
  "long heads": () => void open().write(get("/healthz", `x: ${"y".repeat(15_000)}\r\nconnection: close\r\n`)),
  "chunk extensions": () => {
    if (sockets.size > 8) return;
    open().write(
      `${head(posted, "transfer-encoding: chunked\r\n")}${`1;${"e".repeat(500)}\r\nx\r\n`.repeat(200)}0\r\n\r\n`,
    );
  },
};

/** What it took to start does not count. */
let since = { atMs: 0, cpu: process.cpuUsage() };
let told: () => void;
const first = new Promise<void>((resolve) => (told = resolve));
process.on("SIGINT", () => undefined);
process.on("message", (target: Target) => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  ({ port } = target);
  since = { atMs: performance.now(), cpu: process.cpuUsage() };
  told();
});
process.send!({});
await first;
for (;;) {
  ATTACKS[kind]();
  const { user, system } = process.cpuUsage(since.cpu);
  const aheadMs = (user + system) / 1_000 / share - (performance.now() - since.atMs);
  await pause(Math.min(500, Math.max(0, aheadMs)));
}
