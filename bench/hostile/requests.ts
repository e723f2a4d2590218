import { MAX_BODY_BYTES } from "../../intake/http/body.js";
import { hostileBodies } from "../../intake/http/testing/hostile-bodies.js";
import { BATCH_CONTENT_TYPE } from "../../statefun/framing.js";
import type { HostileServer } from "./attacks.js";
import { hostileBatches, hostileCalls, ordinaryCall } from "./function-bodies.js";
import { compressedBodies, DASHBOARD_BYTES, dashboardBodies } from "./json-bodies.js";

/** What is sent. */
export interface HostileRequest {
  readonly name: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  /** In how many pieces; one unless set. */
  readonly pieces?: number;
  /** The whole of what is sent, instead: what no HTTP client would send. */
  readonly raw?: (host: string) => string;
}

const OWN_ACTION: Readonly<Record<string, string>> = { "content-type": "application/json", "x-dashboard-action": "1" };

type RawKinds = Readonly<Record<string, (host: string) => string>>;

const asRaw = (kinds: RawKinds, path: string): HostileRequest[] =>
  Object.entries(kinds).map(([name, raw]) => ({ name, path, headers: {}, bytes: Buffer.alloc(0), raw }));

const IN_ONE_GO: RawKinds = {
  "two thousand requests in one go": (host) => `GET /nothing HTTP/1.1\r\n${host}\r\n`.repeat(2_000),
  "five thousand requests in one go that name no host": () => "GET / HTTP/1.1\r\n\r\n".repeat(5_000),
};

/** What is not in a body: heads, chunks, and requests in one go. */
function rawRequests(path: string, query: string, more: string, maxBytes: number): HostileRequest[] {
  const chunked = (host: string): string =>
    `POST ${path} HTTP/1.1\r\n${host}content-type: application/json\r\n${more}transfer-encoding: chunked\r\n\r\n`;
  const get = (target: string, headers: string) => (host: string) => `GET ${target} HTTP/1.1\r\n${host}${headers}\r\n`;
  const kinds: RawKinds = {
    "chunks of a byte": (host) => chunked(host) + "1\r\nx\r\n".repeat(300_000),
    "chunks of 2,048 bytes": (host) =>
      `${chunked(host)}${`800\r\n${"x".repeat(2_048)}\r\n`.repeat(maxBytes / 2_048)}0\r\n\r\n`,
    "extensions of chunks": (host) => chunked(host) + `1;${"e".repeat(15_000)}\r\nx\r\n`.repeat(60),
    "headers after the chunks": (host) => `${chunked(host)}2\r\n{}\r\n0\r\n${"x: y\r\n".repeat(100_000)}`,
    "a long path": get(`/${"a".repeat(15_000)}`, ""),
    "a path that is too long": get(`/${"%41".repeat(100_000)}`, ""),
    "a path of percent signs": get(`${query}/${"%".repeat(15_000)}`, ""),
    "very many parameters": get(`${query}?${"a=1&".repeat(3_800)}`, ""),
    "nested parameters": get(`${query}?a${"[b]".repeat(5_000)}=1`, ""),
    "very many headers": get("/healthz", "a:b\r\n".repeat(2_900)),
    "a header again and again": get("/healthz", "cookie:b\r\n".repeat(1_500)),
    "very many cookies": get(query, `cookie: ${"a=b; ".repeat(3_000)}\r\n`),
    "a long token": get(query, `authorization: Bearer ${"x".repeat(15_000)}\r\n`),
    ...IN_ONE_GO,
    "two thousand refused bodies in one go": (host) =>
      `POST ${path} HTTP/1.1\r\n${host}content-type: application/json\r\n${more}content-length: 2\r\n\r\n{}`.repeat(
        2_000,
      ),
    "no HTTP": () => "\u0000".repeat(1_000_000),
  };
  return asRaw(kinds, path);
}

/** Made anew at each call. */
export const REQUESTS: Readonly<Record<HostileServer, () => readonly HostileRequest[]>> = {
  intake: () =>
    hostileBodies()
      .map(({ name, lines, bytes }): HostileRequest => {
        const headers = { "content-type": lines ? "application/x-ndjson" : "application/json" };
        return { name, path: "/v1/transactions", headers, bytes };
      })
      .concat(
        compressedBodies(MAX_BODY_BYTES).map(({ name, bytes, coding }) => ({
          name,
          path: "/v1/transactions",
          headers: { "content-type": "application/json", "content-encoding": coding },
          bytes,
        })),
        rawRequests("/v1/transactions", "/v1/accounts/a/decisions/t", "", MAX_BODY_BYTES),
      ),
  functions: () => [
    ...hostileCalls().map((body) => ({
      ...body,
      path: "/statefun",
      headers: { "content-type": "application/octet-stream" },
    })),
    ...hostileBatches().map((body) => ({
      ...body,
      path: "/statefun/batch",
      headers: { "content-type": BATCH_CONTENT_TYPE },
    })),
    ...asRaw(IN_ONE_GO, "/statefun"),
  ],
  dashboard: () =>
    dashboardBodies()
      .map(({ name, text }): HostileRequest => ({
        name,
        path: "/api/verdicts",
        headers: OWN_ACTION,
        bytes: Buffer.from(text),
      }))
      .concat(
        compressedBodies(DASHBOARD_BYTES).map(({ name, bytes, coding }) => ({
          name,
          path: "/api/verdicts",
          headers: { ...OWN_ACTION, "content-encoding": coding },
          bytes,
        })),
        rawRequests("/api/verdicts", "/api/state", "x-dashboard-action: 1\r\n", DASHBOARD_BYTES),
      ),
};

/** What a client sends that means no harm. */
export const GOOD_REQUESTS: Readonly<
  Record<
    HostileServer,
    (n: number) => {
      readonly method: string;
      readonly path: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly bytes: Buffer;
    }
  >
> = {
  intake: (n) => ({
    method: "POST",
    path: "/v1/transactions",
    headers: { "content-type": "application/json" },
    bytes: Buffer.from(
      JSON.stringify({
        transactionId: `t-${n}`,
        accountId: "a",
        merchantId: "m",
        amountMinor: 1,
        currency: "EUR",
        eventTimeMs: 1_700_000_000_000,
      }),
    ),
  }),
  functions: (n) => ({
    method: "POST",
    path: "/statefun",
    headers: { "content-type": "application/octet-stream" },
    bytes: ordinaryCall(n),
  }),
  // Its data has a limit of requests a minute.
  dashboard: () => ({ method: "GET", path: "/", headers: {}, bytes: Buffer.alloc(0) }),
};
