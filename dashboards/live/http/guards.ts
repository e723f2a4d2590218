import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { STATUS_CODES } from "node:http";

import type { NextFunction, Request, RequestHandler, Response } from "express";

import { type OwnNames, PROBLEM_TYPE, stranger } from "../../../http/strangers.js";

const SESSION_MS = 12 * 60 * 60 * 1000;
export const SESSION_COOKIE = "fraud-dashboard";
/** A form on another site cannot send it, and a script there only after a preflight that is never answered. */
export const ACTION_HEADER = "x-dashboard-action";

/** Refuses with a problem as RFC 9457 has it. */
export const refuse = (response: Response, status: number, detail: string): void =>
  void response
    .status(status)
    .type(PROBLEM_TYPE)
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
 * Lets no foreign page, and no foreign name, any further.
 *
 * @param options - `navigation`: links from elsewhere may lead to what comes behind it
 */
export function noStrangers(
  names: OwnNames,
  onRefused: (why: string) => void,
  options: { readonly navigation?: boolean } = {},
): RequestHandler {
  return (request, response, next) => {
    // Express takes away from `url` what a router is mounted at.
    const { headers, method, originalUrl: url, socket } = request;
    const refusal = stranger({ headers, method, url, socket }, names, options);
    if (refusal === undefined) return next();
    onRefused(refusal.status === 421 ? "foreign name" : "foreign page");
    refuse(response, refusal.status, refusal.detail);
  };
}

/** Lets only this app's own scripts act: with JSON, and a header that a form cannot send. */
export function ownAction(onRefused: (why: string) => void): RequestHandler {
  return (request, response, next) => {
    if (request.is("application/json") !== false && request.headers[ACTION_HEADER] === "1") return next();
    onRefused("foreign page");
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
