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
    const context = await browser.newContext();
    context.setDefaultTimeout(PATIENCE_MS);
    // The stranger's own document, at any port of the name: it was loaded before the name was pointed here.
    await context.route(`**${PAGE}`, (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html>" }));
    const leaks: Leak[] = [];
    let tried = 0;
    const from = async (origin: string, by: Leak["by"], asked: readonly AttackedPort[]): Promise<void> => {
      const page = await context.newPage();
      await page.goto(origin + PAGE);
      const found = await page.evaluate(askForEverything, {
        asked: asked.map((target) => ({
          ...target,
          address: target.address ?? LOOPBACK,
          at: by === "foreign name" ? origin : undefined,
        })),
        by,
        methods: METHODS,
        bodies,
        silenceMs: SILENCE_MS,
      });
      leaks.push(...found.leaks);
      tried += found.tried;
      await page.close();
    };
    await from(`http://${NAME}`, "foreign page", targets);
    for (const target of targets)
      await from(`http://${nameOf(target.address ?? LOOPBACK)}:${target.port}`, "foreign name", [target]);
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

interface Order {
  readonly asked: readonly (Required<AttackedPort> & { readonly at: string | undefined })[];
  readonly by: Leak["by"];
  readonly methods: readonly string[];
  readonly bodies: readonly string[];
  readonly silenceMs: number;
}

/** What a page has and Node doesn't, as far as it is used here. */
interface PageGlobals {
  readonly WebSocket: new (url: string) => EventTarget & { close(): void };
  readonly EventSource: new (url: string) => EventTarget & { close(): void };
  readonly Image: new () => { onload: () => void; onerror: () => void; src: string };
  readonly navigator: { sendBeacon(url: string, body?: string): boolean };
}

/** Runs in the page, so it uses nothing from outside. */
async function askForEverything({ asked, by, methods, bodies, silenceMs }: Order): Promise<Attack> {
  const { WebSocket, EventSource, Image, navigator } = globalThis as unknown as PageGlobals;
  const leaks: Leak[] = [];
  let tried = 0;
  const one = async (
    where: { address: string; port: number },
    url: string,
    path: string,
    init: RequestInit,
  ): Promise<void> => {
    tried++;
    try {
      const response = await fetch(url, { ...init, signal: AbortSignal.timeout(silenceMs), redirect: "manual" });
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
  const opened = (
    where: { address: string; port: number },
    path: string,
    name: string,
    open: () => EventTarget & { close(): void },
  ): Promise<void> =>
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
      setTimeout(end(false), silenceMs);
    });
  await Promise.all(
    asked.map(async ({ address, port, paths, at }) => {
      const where = { address, port };
      for (const path of ["/", ...paths]) {
        const origin = at ?? `http://${address}:${port}`;
        const url = origin + path;
        const jobs: Promise<void>[] = [];
        for (const method of methods) {
          const hasBody = method !== "GET" && method !== "HEAD";
          jobs.push(one(where, url, path, { method, ...(hasBody && { body: bodies[0]! }) }));
          if (at !== undefined || ["GET", "HEAD", "POST"].includes(method))
            jobs.push(
              one(where, url, path, {
                method,
                mode: at === undefined ? "no-cors" : "same-origin",
                credentials: "include",
                ...(hasBody && { body: bodies.join("\n") }),
              }),
            );
          if (!hasBody) continue;
          for (const [at, body] of bodies.entries())
            jobs.push(
              one(where, url, path, {
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
        if (at !== undefined) continue;
        navigator.sendBeacon(url, bodies[0]);
        await Promise.all([
          opened(where, path, "WebSocket", () => new WebSocket(url.replace("http", "ws"))),
          opened(where, path, "EventSource", () => new EventSource(url)),
          new Promise<void>((resolve) => {
            tried++;
            const image = new Image();
            const end = (): void => resolve();
            image.onload = end;
            image.onerror = end;
            setTimeout(end, silenceMs);
            image.src = url;
          }),
        ]);
      }
    }),
  );
  return { tried, leaks };
}
