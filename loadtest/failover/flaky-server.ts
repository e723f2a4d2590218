import { readFileSync, statSync } from "node:fs";
import { type IncomingMessage, Server, type ServerResponse } from "node:http";

import { given } from "../../process/environment.js";

/** How a server may misbehave: answer with an error, late, with half an answer, or not at all. */
export type FlakyMode = "500" | "404" | "slow" | "truncated" | "silent";

const SLOW_MS = 1_500;
/** Where StateFun calls: with one call per request, or many. */
const ROUTES: readonly (string | undefined)[] = ["/statefun", "/statefun/batch"];

/**
 * Makes the HTTP servers of this process misbehave as the file `FLAKY` says at that moment. Preloaded with `--import`.
 */
function install(file: string): void {
  let mode: string | undefined;
  let readAtMs = 0;
  const currentMode = (): string | undefined => {
    const changedAtMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (changedAtMs !== readAtMs) {
      readAtMs = changedAtMs;
      mode = changedAtMs === 0 ? undefined : readFileSync(file, "utf8").trim();
    }
    return mode;
  };
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own `this` below
  const emit = Server.prototype.emit as (this: Server, event: string, ...args: unknown[]) => boolean;
  Server.prototype.emit = function (this: Server, event: string, ...args: unknown[]): boolean {
    const [request, response] = args as [IncomingMessage, ServerResponse];
    const flaky = event === "request" && ROUTES.includes(request.url) ? currentMode() : undefined;
    if (flaky === "truncated") cutOff(response);
    if (flaky === undefined || flaky === "" || flaky === "truncated") return emit.call(this, event, ...args);
    if (flaky === "slow") setTimeout(() => emit.call(this, event, ...args), SLOW_MS);
    else misbehave(flaky, request, response);
    return true;
  };
}

/**
 * The calls run, and half of the server's last answer arrives: of many calls it may answer some, and one is cut in two.
 */
function cutOff(response: ServerResponse): void {
  response.end = ((body: string | Uint8Array) => {
    const bytes = Buffer.from(body);
    response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
    return response;
  }) as ServerResponse["end"];
}

function misbehave(mode: string, request: IncomingMessage, response: ServerResponse): void {
  // A client that sends a large body must not wait for it to be read.
  request.resume();
  if (mode === "silent") return;
  response.writeHead(Number(mode), { "content-type": "text/plain" }).end("on purpose\n");
}

const file = given()["FLAKY"];
if (file !== undefined) install(file);
