import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { chromium } from "playwright-core";

import { PATIENCE_MS } from "../../patience.js";
import { BROWSER, BROWSER_ARGS } from "./browser.js";

/** A port of the system under attack, and the paths that are tried there besides `/`. */
export interface AttackedPort {
  /** IPv4, as this machine reaches it. Default: 127.0.0.1. */
  readonly address?: string;
  readonly port: number;
  readonly paths: readonly string[];
}

/** What a page got that it must not get. */
export interface Leak {
  readonly address: string;
  readonly port: number;
  /** By what: a request of another origin, one under a name that was pointed here, or a socket or stream. */
  readonly by: "foreign page" | "foreign name" | "socket";
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

/** What was tried, and what came of it. */
export interface Attack {
  readonly tried: number;
  readonly leaks: readonly Leak[];
}

/** What a page may ask for by itself. CONNECT, TRACE and TRACK are refused by browsers. */
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const NAME = "evil.example";
const LOOPBACK = "127.0.0.1";
/** The stranger's own name for an address. */
const nameOf = (address: string): string => (address === LOOPBACK ? NAME : `${address.replaceAll(".", "-")}.${NAME}`);
const PAGE = "/page-of-a-stranger.html";
/** A port that waits for something else than HTTP says nothing. In ms. */
const SILENCE_MS = 3_000;
/** One that speaks HTTP answers, however much else it is asked. In ms. */
const ANSWER_MS = 20_000;
/** So many pages ask at the same time. */
const PAGES = 4;

/**
 * Opens pages of `evil.example`, which points to this machine, in a browser, and has them ask for everything on every
 * port, by every method that a page may use: from another origin, and as a page whose name was pointed to that very
 * port (DNS rebinding).
 *
 * @param bodies - what is sent
 */
export async function attackByPages(targets: readonly AttackedPort[], bodies: readonly string[]): Promise<Attack> {
  const addresses = [...new Set([LOOPBACK, ...targets.map(({ address = LOOPBACK }) => address)])];
  const rules = addresses.map((address) => `MAP ${nameOf(address)} ${address}`).join(",");
  const browser = await chromium.launch({
    executablePath: BROWSER!,
    headless: true,
    args: [
      ...BROWSER_ARGS,
      `--host-resolver-rules=${rules}`,
      // New ones keep pages from this machine by themselves, after asking the person; many people's don't.
      "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,PrivateNetworkAccessSendPreflights",
    ],
    timeout: PATIENCE_MS,
  });
  try {
    // Asked for a password, a page shows a wrong one and is refused; without any it would wait for a person.
    const context = await browser.newContext({ httpCredentials: { username: "stranger", password: NAME } });
    context.setDefaultTimeout(PATIENCE_MS);
    const leaks: Leak[] = [];
    let tried = 0;
    // A page of its own for each port: browsers hold up the WebSockets of a page of which many have failed.
    const attack = async ({ address = LOOPBACK, port, paths }: AttackedPort, by: Order["by"]): Promise<void> => {
      const origin = by === "foreign page" ? `http://${NAME}` : `http://${nameOf(address)}:${port}`;
      const page = await context.newPage();
      // The stranger's own document, at any port of the name: it was loaded before the name was pointed here. As long
      // as there is such a route, every preflight is answered with yes: what it would have kept is sent.
      await page.route(`**${PAGE}`, (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html>" }));
      await page.goto(origin + PAGE);
      const found = await page.evaluate(askForEverything, {
        address,
        port,
        paths,
        at: by === "foreign name" ? origin : undefined,
        by,
        methods: METHODS,
        bodies,
        limitMs: paths.length > 0 ? ANSWER_MS : SILENCE_MS,
      });
      leaks.push(...found.leaks);
      tried += found.tried;
      await page.close();
    };
    const left = (["foreign page", "foreign name"] as const).flatMap((by) =>
      targets.map((target) => () => attack(target, by)),
    );
    await Promise.all(
      Array.from({ length: PAGES }, async () => {
        for (let next = left.shift(); next !== undefined; next = left.shift()) await next();
      }),
    );
    return { tried, leaks };
  } finally {
    await browser.close();
  }
}

/** A server that lets every page do everything, for an attack to be seen to work; and who did what. */
export async function openServer(): Promise<{
  readonly port: number;
  readonly taken: readonly string[];
  close(): Promise<void>;
}> {
  const taken: string[] = [];
  const server = createServer((request, response) => {
    taken.push(`${request.method} ${request.url}`);
    response.writeHead(200, {
      "access-control-allow-origin": "*",
      "access-control-allow-headers": "*",
      "access-control-allow-methods": "*",
      ...(request.headers.accept === "text/event-stream" && { "content-type": "text/event-stream" }),
    });
    response.end("secret");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    taken,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Order extends Required<AttackedPort> {
  /** The page's own origin, if that is what it asks. */
  readonly at: string | undefined;
  readonly by: Exclude<Leak["by"], "socket">;
  readonly methods: readonly string[];
  readonly bodies: readonly string[];
  readonly limitMs: number;
}

/** What a page has and Node doesn't, as far as it is used here. */
interface PageGlobals {
  readonly WebSocket: new (url: string) => EventTarget & { close(): void };
  readonly EventSource: new (url: string) => EventTarget & { close(): void };
  readonly Image: new () => { onload: () => void; onerror: () => void; src: string };
  readonly navigator: { sendBeacon(url: string, body?: string): boolean };
}

/** Runs in the page, so it uses nothing from outside. */
async function askForEverything(order: Order): Promise<Attack> {
  const { address, port, paths, at, by, methods, bodies, limitMs } = order;
  const { WebSocket, EventSource, Image, navigator } = globalThis as unknown as PageGlobals;
  const leaks: Leak[] = [];
  let tried = 0;
  const where = { address, port };
  const one = async (url: string, path: string, init: RequestInit): Promise<void> => {
    tried++;
    try {
      const response = await fetch(url, { ...init, signal: AbortSignal.timeout(limitMs), redirect: "manual" });
      const { status, type } = response;
      // A page sees nothing of what is opaque, and everything of its own origin: there a refusal is all that may come,
      // or nothing, as MinIO says of its health to any name.
      if (type === "opaque" || type === "opaqueredirect") return;
      const text = await response.text();
      if (by === "foreign name" && (status >= 400 || text === "")) return;
      leaks.push({ ...where, by, method: init.method!, path, status });
    } catch {
      // Refused, kept from the page, or silent.
    }
  };
  const opened = (path: string, name: string, open: () => EventTarget & { close(): void }): Promise<void> =>
    new Promise((resolve) => {
      tried++;
      const stream = open();
      const end = (leaked: boolean) => (): void => {
        stream.close();
        if (leaked) leaks.push({ ...where, by: "socket", method: name, path, status: 0 });
        resolve();
      };
      stream.addEventListener("open", end(true));
      stream.addEventListener("error", end(false));
      setTimeout(end(false), limitMs);
    });
  for (const path of ["/", ...paths]) {
    const origin = at ?? `http://${address}:${port}`;
    const url = origin + path;
    const jobs: Promise<void>[] = [];
    for (const method of methods) {
      const hasBody = method !== "GET" && method !== "HEAD";
      jobs.push(one(url, path, { method, ...(hasBody && { body: bodies[0]! }) }));
      if (at !== undefined || ["GET", "HEAD", "POST"].includes(method))
        jobs.push(
          one(url, path, {
            method,
            mode: at === undefined ? "no-cors" : "same-origin",
            credentials: "include",
            ...(hasBody && { body: bodies.join("\n") }),
          }),
        );
      if (!hasBody) continue;
      for (const [at, body] of bodies.entries())
        jobs.push(
          one(url, path, {
            method,
            headers: {
              "content-type": at % 2 === 0 ? "application/json" : "application/octet-stream",
              "x-dashboard-action": "1",
            },
            body,
          }),
        );
    }
    await Promise.all(jobs);
    // A form with a file, as any page may send it anywhere: Flink's own server would write it to the disk.
    const form = new FormData();
    form.append("jarfile", new Blob([bodies[0]!]), bodies[0]!.slice(0, 100));
    await one(url, path, { method: "POST", mode: at === undefined ? "no-cors" : "same-origin", body: form });
    if (at !== undefined) continue;
    navigator.sendBeacon(url, bodies[0]);
    await Promise.all([
      opened(path, "WebSocket", () => new WebSocket(url.replace("http", "ws"))),
      opened(path, "EventSource", () => new EventSource(url)),
      new Promise<void>((resolve) => {
        tried++;
        const image = new Image();
        const end = (): void => resolve();
        image.onload = end;
        image.onerror = end;
        setTimeout(end, limitMs);
        image.src = url;
      }),
    ]);
  }
  return { tried, leaks };
}
