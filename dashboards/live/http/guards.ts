import { createHmac } from "node:crypto";

import type { NextFunction, Request, RequestHandler, Response } from "express";

import { bearerToken, isSameToken, type Person, personWith } from "../../../http/people.js";
import { refuse } from "../../../http/problem-details.js";
import { type OwnNames, stranger } from "../../../http/strangers.js";

const SESSION_MS = 12 * 60 * 60 * 1000;
const SESSION_COOKIE = "fraud-dashboard";
/** A form on another site cannot send it, and a script there only after a preflight that is never answered. */
const ACTION_HEADER = "x-dashboard-action";

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

/** The person who has signed in: `name` is the owner of the token, and undefined where people share one. */
export interface SignedIn {
  readonly name: string | undefined;
}

/** Who may come in: everyone, people who know the shared token, or people with their own token. */
export class Sessions {
  readonly #shared: string | undefined;
  readonly #people: readonly Person[];

  /**
   * @param shared - `DASHBOARD_TOKEN`
   * @param people - `DASHBOARD_USERS`
   */
  constructor(shared: string | undefined, people: readonly Person[] = []) {
    this.#shared = shared;
    this.#people = people;
  }

  get needed(): boolean {
    return this.#shared !== undefined || this.#people.length > 0;
  }

  /** Whose token this is; `undefined`: nobody's. */
  signIn(token: string): SignedIn | undefined {
    const name = personWith(token, this.#people)?.name;
    const isShared = this.#shared !== undefined && isSameToken(token, this.#shared);
    return name !== undefined || isShared ? { name } : undefined;
  }

  /**
   * A cookie's value that says who signed in, until when; it needs no memory, survives a restart, and ends with the
   * token that it was given for.
   */
  issue({ name }: SignedIn, nowMs: number): string {
    const claim = `${nowMs + SESSION_MS}.${Buffer.from(name ?? "").toString("base64url")}`;
    return `${claim}.${sign(claim, this.#tokenOf(name)!)}`;
  }

  /** Who a cookie's value says; `undefined`: it is not valid, or not any more. */
  read(value: string, nowMs: number): SignedIn | undefined {
    const [, claim = "", until = "", encoded = "", signature = ""] =
      /^((\d{1,15})\.([\w-]*))\.([\w-]+)$/.exec(value) ?? [];
    if (Number(until) <= nowMs) return undefined;
    const name = encoded === "" ? undefined : Buffer.from(encoded, "base64url").toString();
    const token = this.#tokenOf(name);
    return token !== undefined && isSameToken(signature, sign(claim, token)) ? { name } : undefined;
  }

  /** The whole `Set-Cookie` header. */
  cookie(value: string, maxAgeMs = SESSION_MS): string {
    return `${SESSION_COOKIE}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${Math.floor(maxAgeMs / 1000)}`;
  }

  /** Lets in clients with the cookie, or with the token as `Authorization: Bearer`. */
  readonly guard = (request: Request, response: Response, next: NextFunction): void => {
    if (!this.needed || this.who(request) !== undefined) return next();
    refuse(response, 401, "sign in with the token first");
  };

  /** Who asks; `undefined` for whoever has not signed in, or need not. */
  who(request: Request): SignedIn | undefined {
    return this.#bearer(request) ?? this.#session(request)?.who;
  }

  /** Who asks, as limits see it; `undefined` for whoever has not signed in, or need not. */
  of(request: Request): string | undefined {
    const session = this.#session(request);
    if (session !== undefined) return `session ${session.value}`;
    const bearer = this.#bearer(request);
    return bearer && `bearer ${bearer.name ?? ""}`;
  }

  #session({ headers }: Request): { readonly value: string; readonly who: SignedIn } | undefined {
    for (const value of cookies(headers.cookie)) {
      const who = this.read(value, Date.now());
      if (who !== undefined) return { value, who };
    }
    return undefined;
  }

  #bearer({ headers }: Request): SignedIn | undefined {
    const bearer = bearerToken(headers.authorization);
    return bearer === undefined ? undefined : this.signIn(bearer);
  }

  #tokenOf(name: string | undefined): string | undefined {
    return name === undefined ? this.#shared : this.#people.find((person) => person.name === name)?.token;
  }
}

const sign = (claim: string, token: string): string =>
  createHmac("sha256", token).update(`session ${claim}`).digest("base64url");

const cookies = (header: string | undefined): string[] =>
  (header ?? "")
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part.startsWith(`${SESSION_COOKIE}=`))
    .map((part) => part.slice(SESSION_COOKIE.length + 1));
