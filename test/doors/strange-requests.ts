import { connect } from "node:net";

import { TOKEN } from "./doors.js";

/** An open route everywhere; ends the connection. */
export const HEALTH_AND_CLOSE = "GET /healthz HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\n\r\n";
/** A server that waits for more of what it takes for a request says nothing. In ms. */
const SILENCE_MS = 500;

/**
 * Sends bytes as they are.
 *
 * @returns what was answered until the connection ended, or nothing came for so long
 */
export const sendRaw = (port: number, text: string, silenceMs = SILENCE_MS): Promise<string> =>
  new Promise((resolve) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.setTimeout(silenceMs, () => socket.destroy());
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(answer));
  });

/** Requests that no client library would send, by what is strange about them. */
export function strangely(
  { method, path }: { readonly method: string; readonly path: string },
  at: string,
  headers: readonly string[],
  body: string,
): Readonly<Record<string, string>> {
  const host = `host: ${at}`;
  const one = (line: string, more: readonly string[] = [], content = body): string =>
    [line, host, ...headers, ...more, ...(content === "" ? [] : [`content-length: ${content.length}`]), "", ""].join(
      "\r\n",
    ) + content;
  const line = `${method} ${path} HTTP/1.1`;
  const plain = one(line);
  const chunked = (name: string, more: readonly string[] = []): string =>
    [line, host, ...headers, name, ...more, "", `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`].join("\r\n");
  return {
    plain,
    "a tunnel": one(`CONNECT ${at} HTTP/1.1`, [], ""),
    "a tunnel to the path": one(`CONNECT ${path} HTTP/1.1`),
    "its echo": one(`TRACE ${path} HTTP/1.1`),
    "a method in lower case": one(`${method.toLowerCase()} ${path} HTTP/1.1`),
    "a method that does not exist": one(`${method}X ${path} HTTP/1.1`),
    "another method that says it is this one": one(`GET ${path}?_method=${method} HTTP/1.1`, [
      `x-http-method-override: ${method}`,
    ]),
    "an open path that says it is this one": one(`${method} /healthz HTTP/1.1`, [
      `x-original-url: ${path}`,
      `x-rewrite-url: ${path}`,
    ]).replace(/^POST/, "GET"),
    "this path, which says it is an open one": one(line, ["x-original-url: /healthz", "x-forwarded-prefix: /healthz"]),
    "HTTP/2": `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${plain}`,
    "an upgrade to HTTP/2": one(line, [
      "connection: Upgrade, HTTP2-Settings",
      "upgrade: h2c",
      "http2-settings: AAMAAABkAAQAoAAAAAIAAAAA",
    ]),
    "an upgrade to a WebSocket": one(
      `GET ${path} HTTP/1.1`,
      [
        "connection: Upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
      ],
      "",
    ),
    "HTTP/1.0 without a host": plain.replace("HTTP/1.1", "HTTP/1.0").replace(`${host}\r\n`, ""),
    "HTTP/0.9": `${method} ${path}\r\n`,
    "no host": plain.replace(`${host}\r\n`, ""),
    "two hosts": plain.replace(host, `${host}\r\n${host}`),
    "all of the server": one("OPTIONS * HTTP/1.1"),
    "two lengths": one(line, ["content-length: 0"]),
    "a length and chunks": one(line, ["transfer-encoding: chunked"], `0\r\n\r\n${plain}`),
    "chunks, and a length that hides a request": `${one("GET /healthz HTTP/1.1", ["transfer-encoding: chunked"], plain)}0\r\n\r\n`,
    "chunks in another word": chunked("transfer-encoding: xchunked"),
    "chunks twice": chunked("transfer-encoding: chunked, chunked"),
    "chunks with a space before the colon": chunked("transfer-encoding : chunked"),
    "chunks with a token at their end": chunked("transfer-encoding: chunked", ["trailer: authorization"]).replace(
      /0\r\n\r\n$/,
      `0\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`,
    ),
    "a header in two lines": one(line, ["authorization: Bearer\r\n x"]),
    "two tokens": one(line, ["authorization: Bearer x", "authorization: Bearer y"]),
    "an empty token": one(line, ["authorization: Bearer "]),
    "lines without a carriage return": plain.replaceAll("\r\n", "\n"),
    "a NUL in the path": one(`${method} ${path}\0 HTTP/1.1`),
    "a NUL in a header": one(line, ["authorization: Bearer \0"]),
    "a tab in the line": one(`${method}\t${path}\tHTTP/1.1`),
    "a path with a space": one(`${method} /healthz ${path} HTTP/1.1`),
    "a fragment": one(`${method} ${path}#/healthz HTTP/1.1`),
    "a backslash": one(`${method} /healthz\\..\\..${path} HTTP/1.1`),
    "bytes that are no UTF-8": one(`${method} ${path}%ff%c0%af HTTP/1.1`),
    "a path of 100 kB": one(`${method} ${path}?${"x".repeat(100_000)} HTTP/1.1`),
    "an expectation": one(line, ["expect: 100-continue"]),
    "an expectation that nobody knows": one(line, ["expect: a-cookie"]),
  };
}
