import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";

import { noStrangers, type OwnNames } from "../http/strangers.js";

/** What the function server answers with. */
export interface FunctionDoorOptions {
  /** Answers StateFun. */
  readonly statefun: RequestListener;
  /** Under which names it may be asked. */
  readonly names: OwnNames;
  readonly health: object;
  /** Prometheus' text, and its content type. */
  readonly scrape: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

/**
 * The function server's routes: `POST /statefun` and `POST /statefun/batch` for StateFun, `GET /healthz`, and `GET
 * /metrics` for Prometheus. Whoever may connect may call the functions, except for pages in a browser: those can send
 * no body of StateFun's content type without being asked first whether they may, which nobody answers.
 */
export function functionDoor({ statefun, names, health, scrape }: FunctionDoorOptions): RequestListener {
  const other = async ({ url }: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (url === "/healthz") {
      response.setHeader("content-type", "application/json").end(JSON.stringify(health));
    } else if (url === "/metrics") {
      const { contentType, text } = await scrape();
      response.setHeader("content-type", contentType).end(text);
    } else {
      response.writeHead(404, { "content-type": "text/plain" }).end("not found\n");
    }
  };
  return noStrangers(names, (request, response) => {
    if (request.url === "/statefun" || request.url === "/statefun/batch") statefun(request, response);
    else void other(request, response);
  });
}
