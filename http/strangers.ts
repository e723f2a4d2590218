import type { IncomingMessage, RequestListener } from "node:http";

import { refuse } from "./problem-details.js";

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];
const MAX_NAME_LENGTH = 260;
const HOST = "host";
/** HTTP's default port, meant by a name without one. */
const DEFAULT_PORT = 80;

/** The names by which a server may be asked. */
export interface OwnNames {
  /** Besides those of loopback: in lower case, with the port where a client writes one. See {@link hostList}. */
  readonly hosts: readonly string[];
  /** The environment variable that `hosts` came from: refusals name it. */
  readonly variable: string;
}

/** The parts of a request that are checked; those of Fastify (`raw`) have them too. */
export type Asked = Pick<IncomingMessage, "headers" | "rawHeaders" | "method" | "url"> & {
  readonly socket: { readonly localAddress?: string | undefined; readonly localPort?: number | undefined };
};

/** Why a request is refused. */
export interface Refusal {
  /** 400: nobody can say for which server it asks. 421: for a different one. 403: a page of another origin sent it. */
  readonly status: 400 | 403 | 421;
  readonly kind: "two names" | "foreign name" | "foreign page";
  readonly detail: string;
}

/** The names in an environment variable, separated by commas, in whatever case. */
export const hostList = (text: string): readonly string[] =>
  text
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");

/**
 * Whether a request comes from a page that is not this server's own; such a page runs in the browser of someone who can
 * reach this server, which is all that it needs to do harm.
 *
 * - It asks under a foreign name (DNS rebinding): a page of `evil.example` makes its own name point here, and then may
 *   read what it gets. An address cannot be pointed elsewhere: the one at which the request came in is always one of
 *   ours.
 * - It asks under our name, from its own origin: a form, an image, a `fetch`. Browsers say so, in `Origin` and
 *   `Sec-Fetch-Site`. Anything but a browser sends neither, and is let through; so is a request without `Host`, such as
 *   a load balancer's HTTP/1.0 check: browsers always send it.
 *
 * What names its host twice is refused, too (RFC 9112, 3.2): Node reads the first, and a proxy before this server may
 * have gone by the other.
 *
 * @param options - `navigation`: a link from elsewhere may lead here. For documents that are the same for everyone
 * @returns why it is refused; `undefined` when it is not
 */
export function stranger(
  request: Asked,
  { hosts, variable }: OwnNames,
  { navigation = false }: { readonly navigation?: boolean } = {},
): Refusal | undefined {
  if (hasTwoHosts(request))
    return { status: 400, kind: "two names", detail: "the request has more than one header Host: send one" };
  const foreign = names(request).find((name) => !isOwn(name, request, hosts));
  if (foreign !== undefined) {
    const shown = foreign.slice(0, MAX_NAME_LENGTH);
    return {
      status: 421,
      kind: "foreign name",
      detail: `this server is not known as ${shown === "" ? "nothing" : shown}: start it with ${variable}=${[...hosts, shown].join(",")}, also in docker compose, so that it answers to that name`,
    };
  }
  if (!fromForeignPage(request, hosts) || (navigation && isNavigation(request))) return undefined;
  return {
    status: 403,
    kind: "foreign page",
    detail: `pages of other origins may not call this server; behind a proxy, list in ${variable} the name that browsers use`,
  };
}

function hasTwoHosts({ rawHeaders }: Asked): boolean {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    if (name.length === HOST.length && name.toLowerCase() === HOST) hosts++;
  }
  return hosts > 1;
}

/**
 * The names by which a request asks: in its header, and in its target where that is a whole URL, which takes
 * precedence.
 */
function names({ headers: { host }, url = "" }: Asked): string[] {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#\\]*)/i.exec(url)?.[1];
  return [host, authority].filter((name) => name !== undefined).map((name) => name.toLowerCase());
}

function isOwn(name: string, { socket }: Asked, hosts: readonly string[]): boolean {
  // Without a socket (Fastify's inject) there is no port but the default one, which needs no mention.
  const { localAddress, localPort = DEFAULT_PORT } = socket;
  const own = [...LOOPBACK, ...(localAddress === undefined ? [] : [literal(localAddress)])];
  return (
    own.some((one) => name === `${one}:${localPort}` || (localPort === DEFAULT_PORT && name === one)) ||
    hosts.includes(name)
  );
}

/** An address as written in a URL. */
function literal(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
  return plain.includes(":") ? `[${plain}]` : plain;
}

function fromForeignPage({ headers }: Asked, hosts: readonly string[]): boolean {
  const { origin, host } = headers;
  // "null" too: a sandboxed page, or one from a file.
  if (origin !== undefined) {
    const own = [host?.toLowerCase(), ...hosts];
    if (!/^https?:\/\//i.test(origin) || !URL.canParse(origin) || !own.includes(new URL(origin).host)) return true;
  }
  const site = headers["sec-fetch-site"];
  return site !== undefined && site !== "same-origin" && site !== "none";
}

/** Whether a browser navigates to a document, so that the page that sent it there sees nothing of it. */
const isNavigation = ({ method, headers }: Asked): boolean =>
  (method === "GET" || method === "HEAD") &&
  headers.origin === undefined &&
  headers["sec-fetch-mode"] === "navigate" &&
  headers["sec-fetch-dest"] === "document";

/** A `node:http` listener that strangers cannot reach. */
export function noStrangers(own: OwnNames, listener: RequestListener): RequestListener {
  return (request, response) => {
    const refusal = stranger(request, own);
    if (refusal === undefined) return listener(request, response);
    refuse(response, refusal.status, refusal.detail);
  };
}
