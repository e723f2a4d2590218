import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { STATUS_CODES } from "node:http";

import type { NextFunction, Request, RequestHandler, Response } from "express";

const SESSION_MS = 12 * 60 * 60 * 1000;
export const SESSION_COOKIE = "fraud-dashboard";
/** A form on another site cannot send it, and a script there only after a preflight that is never answered. */
export const ACTION_HEADER = "x-dashboard-action";

/** Refuses with a problem as RFC 9457 has it. */
export const refuse = (response: Response, status: number, detail: string): void =>
  void response
    .status(status)
    .type("application/problem+json")
    .send(JSON.stringify({ type: "about:blank", title: STATUS_CODES[status], status, detail }));

/** Refuses a path that cannot be decoded, wherever it leads. */
export const readablePath: RequestHandler = (request, response, next) => {
  try {
    decodeURIComponent(request.path);
  } catch {
    return refuse(
      response,
      400,
      "the path holds a % that begins no escape of UTF-8: write %25 for the character itself",
    );
  }
  next();
};

/**
 * Answers only to names under which this server is meant to be asked. Otherwise a page of a name that is made to point
 * here (DNS rebinding) could read everything.
 *
 * @param port - where it listens
 * @param more - further names, with ports where they have any
 */
export function knownHost(port: () => number, more: readonly string[]): RequestHandler {
  return (request, response, next) => {
    const host = request.headers.host?.toLowerCase() ?? "";
    const known =
      ["127.0.0.1", "localhost", "[::1]"].some((name) => host === `${name}:${port()}`) || more.includes(host);
    if (known) next();
    else
      refuse(
        response,
        421,
        `this web app is not known as ${host.slice(0, 260) || "nothing"}: start it with DASHBOARD_HOSTS=${[...more, host.slice(0, 260)].join(",")}, also in docker compose, so that it answers to that name`,
      );
  };
}

/**
 * Lets only this app's own pages act: JSON, with a header that other sites cannot send, and not from another site.
 *
 * @param more - names of pages besides the one that is asked: a proxy may ask under another name than browsers do
 */
export function ownPage(onRefused: () => void, more: readonly string[] = []): RequestHandler {
  return (request, response, next) => {
    const { origin, host } = request.headers;
    const site = request.headers["sec-fetch-site"];
    const own =
      request.is("application/json") !== false &&
      request.headers[ACTION_HEADER] === "1" &&
      (site === undefined || site === "same-origin") &&
      (origin === undefined || (URL.canParse(origin) && [host, ...more].includes(new URL(origin).host)));
    if (own) return next();
    onRefused();
    refuse(response, 403, `actions must come from this app's own page: JSON, with the header ${ACTION_HEADER}: 1`);
  };
}

/** Who may come in: everybody, or who knows the token. */
export class Sessions {
  readonly #token: string | undefined;

  constructor(token: string | undefined) {
    this.#token = token;
  }

  get needed(): boolean {
    return this.#token !== undefined;
  }

  /** Compares hashes, so that the time taken tells nothing of the token. */
  isToken(text: string): boolean {
    return this.#token !== undefined && timingSafeEqual(sha256(text), sha256(this.#token));
  }

  /** A cookie's value that says who had the token until when; it needs no memory, and survives a restart. */
  issue(nowMs: number): string {
    const until = String(nowMs + SESSION_MS);
    return `${until}.${this.#sign(until)}`;
  }

  isValid(value: string, nowMs: number): boolean {
    const [until = "", signature = ""] = value.split(".");
    return (
      /^\d{1,15}$/.test(until) && Number(until) > nowMs && timingSafeEqual(sha256(signature), sha256(this.#sign(until)))
    );
  }

  /** The whole `Set-Cookie` header. */
  cookie(value: string, maxAgeMs = SESSION_MS): string {
    return `${SESSION_COOKIE}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${Math.floor(maxAgeMs / 1000)}`;
  }

  /** Lets in who has the cookie, or the token as `Authorization: Bearer`. */
  readonly guard = (request: Request, response: Response, next: NextFunction): void => {
    if (!this.needed) return next();
    if (this.#hasBearer(request)) return next();
    if (cookies(request.headers.cookie).some((value) => this.isValid(value, Date.now()))) return next();
    refuse(response, 401, "sign in with the token first");
  };

  /** Who asks, as limits see it; `undefined` for whoever has not signed in, or need not. */
  of(request: Request): string | undefined {
    if (!this.needed) return undefined;
    const session = cookies(request.headers.cookie).find((value) => this.isValid(value, Date.now()));
    if (session !== undefined) return `session ${session}`;
    return this.#hasBearer(request) ? "bearer" : undefined;
  }

  #hasBearer({ headers }: Request): boolean {
    const bearer = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1];
    return bearer !== undefined && this.isToken(bearer);
  }

  #sign(until: string): string {
    return createHmac("sha256", this.#token ?? "")
      .update(`session ${until}`)
      .digest("base64url");
  }
}

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();

const cookies = (header: string | undefined): string[] =>
  (header ?? "")
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part.startsWith(`${SESSION_COOKIE}=`))
    .map((part) => part.slice(SESSION_COOKIE.length + 1));
