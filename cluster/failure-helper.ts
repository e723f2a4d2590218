import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { HOST } from "../contract/ports.js";
import { CLIENTS_THAT_WAIT, CONNECTION_TIMES, limitConnections } from "../http/connections/limit-connections.js";
import { isSameToken } from "../http/people.js";
import { noStrangers } from "../http/strangers.js";
import { UserError } from "../terminal/user-error.js";
import type { Part } from "./settings.js";

/** Parts that the web app's failure menu may ask to be killed: each comes back by itself, and loses nothing. */
export const KILLABLE = ["taskmanager", "jobmanager", "functions", "kafka"] as const satisfies readonly Part[];
export type KillablePart = (typeof KILLABLE)[number];

/** Only the web app asks it, and bodies are thrown away as they come. */
const MAX_CONNECTIONS = 64;

export interface FailureHelperOptions {
  /**
   * Kills a part at once. Where parts are processes this is a signal; where they are containers, it is another
   * implementation.
   *
   * @throws {UserError} when it does not run
   */
  readonly kill: (part: KillablePart) => void | Promise<void>;
  /** Where to listen. Default: loopback, on a free port. */
  readonly host?: string;
  readonly port?: number;
  /** `FAILURES_HOSTS`: names, with ports, by which it may be asked, besides those of loopback. */
  readonly hosts?: readonly string[];
  /** What callers must show. Default: a random one. */
  readonly token?: string;
}

/** A helper that listens. */
export interface FailureHelper {
  /** Environment for the web app, so that it finds the helper. */
  readonly env: Readonly<Record<"DASHBOARD_FAILURES" | "DASHBOARD_FAILURES_TOKEN", string>>;
  close(): Promise<void>;
}

/**
 * Kills parts for whoever knows the token, and can do nothing else: `GET /parts` lists them, `POST /kill/<part>` kills
 * one. The web app itself, which people's browsers talk to, gets no way to a process or a container.
 */
export async function startFailureHelper({
  kill,
  host = HOST,
  port = 0,
  hosts = [],
  token = randomBytes(24).toString("base64url"),
}: FailureHelperOptions): Promise<FailureHelper> {
  const server = createServer(
    CONNECTION_TIMES,
    noStrangers({ hosts, variable: "FAILURES_HOSTS" }, (request, response) => {
      void answer(request, token, kill).then(({ status, body }) => send(response, status, body));
      request.resume();
    }),
  );
  limitConnections(server, { connections: MAX_CONNECTIONS, ...CLIENTS_THAT_WAIT });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
  const { port: listening } = server.address() as AddressInfo;
  return {
    env: { DASHBOARD_FAILURES: `http://${host}:${listening}`, DASHBOARD_FAILURES_TOKEN: token },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

async function answer(
  { method, url = "", headers }: IncomingMessage,
  token: string,
  kill: FailureHelperOptions["kill"],
): Promise<Answer> {
  if (url === "/healthz") return { status: 200, body: { status: "ok" } };
  if (!isSameToken(headers.authorization ?? "", `Bearer ${token}`))
    return { status: 401, body: { error: "the helper needs its token" } };
  if (method === "GET" && url === "/parts") return { status: 200, body: { parts: KILLABLE } };
  const part = method === "POST" ? KILLABLE.find((name) => url === `/kill/${name}`) : undefined;
  if (part === undefined)
    return { status: 404, body: { error: `the helper kills ${KILLABLE.join(", ")}, and nothing else` } };
  try {
    await kill(part);
    return { status: 202, body: { killed: part } };
  } catch (error) {
    if (error instanceof UserError) return { status: 409, body: { error: error.message } };
    return { status: 500, body: { error: error instanceof Error ? error.message : String(error) } };
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
