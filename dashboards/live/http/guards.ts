import { createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";

import type { onRequestHookHandler } from "fastify";

import { hasBody } from "../../../http/has-body.js";
import { bearerToken, isSameToken, type Person, personWith } from "../../../http/people.js";
import { prepareProblem, sendPrepared } from "../../../http/problem-reply.js";
import type { OwnNames } from "../../../http/strangers.js";
import { refusesStranger } from "../../../http/strangers-reply.js";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Whether the route answers those who have not signed in. */
    open?: boolean;
    /** Whether links from elsewhere may lead there. */
    linked?: boolean;
  }
}

const SESSION_MS = 12 * 60 * 60 * 1000;
const SESSION_COOKIE = "fraud-dashboard";
/** A form on another site cannot send it, and a script there only after a preflight that is never answered. */
const ACTION_HEADER = "x-dashboard-action";
const NO_ACTION = prepareProblem(
  403,
  `actions must come from this app's own page: JSON, with the header ${ACTION_HEADER}: 1`,
);
const NOT_SIGNED_IN = prepareProblem(401, "sign in with the token first");
const JSON_TYPE = /^application\/json[\t ]*(;|$)/i;

/**
 * Lets no foreign page, and no foreign name, any further, and nobody who has not signed in: by the route that was
 * found, never by how its path was written, since only the router knows what a spelling means. What is not declared
 * otherwise wants the token, even a path that leads nowhere.
 */
export function doorkeeper(
  names: OwnNames,
  sessions: Sessions,
  onRefused: (why: string) => void,
): onRequestHookHandler {
  const [plain, linkedTo] = [{ onRefused }, { onRefused, navigation: true }];
  return (request, reply, done) => {
    const { open = false, linked = false } = request.routeOptions.config;
    if (refusesStranger(request, reply, names, linked ? linkedTo : plain)) return;
    if (open || sessions.admits(request)) done();
    else void sendPrepared(reply, NOT_SIGNED_IN);
  };
}

/** Lets only this app's own scripts act: with JSON, and a header that a form cannot send. */
export function ownAction(onRefused: (why: string) => void): onRequestHookHandler {
  return (request, reply, done) => {
    const { headers } = request;
    const isJson = !hasBody(request) || JSON_TYPE.test(headers["content-type"] ?? "");
    if (isJson && headers[ACTION_HEADER] === "1") return done();
    onRefused("foreign page");
    void sendPrepared(reply, NO_ACTION);
  };
}

/** The person who has signed in: `name` is the owner of the token, and undefined where people share one. */
export interface SignedIn {
  readonly name: string | undefined;
}

/** Who asks is in its headers. */
type Asking = Pick<IncomingMessage, "headers">;

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
  admits(request: Asking): boolean {
    return !this.needed || this.who(request) !== undefined;
  }

  /** Who asks; `undefined` for whoever has not signed in, or need not. */
  who(request: Asking): SignedIn | undefined {
    return this.#bearer(request) ?? this.#session(request)?.who;
  }

  /** Who asks, as limits see it; `undefined` for whoever has not signed in, or need not. */
  of(request: Asking): string | undefined {
    const session = this.#session(request);
    if (session !== undefined) return `session ${session.value}`;
    const bearer = this.#bearer(request);
    return bearer && `bearer ${bearer.name ?? ""}`;
  }

  #session({ headers }: Asking): { readonly value: string; readonly who: SignedIn } | undefined {
    for (const value of cookies(headers.cookie)) {
      const who = this.read(value, Date.now());
      if (who !== undefined) return { value, who };
    }
    return undefined;
  }

  #bearer({ headers }: Asking): SignedIn | undefined {
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
