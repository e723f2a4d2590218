import { Agent, createServer, METHODS, request, type RequestListener, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";

import fc from "fast-check";
import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";

import { KILLABLE, startFailureHelper } from "../cluster/failure-helper.js";
import { closeApps, startApp } from "../dashboards/live/testing/started-app.js";
import { functionDoor } from "../functions/server-door.js";
import { DecisionIndex } from "../intake/decision-index.js";
import { httpDoor } from "../intake/http/http-door.js";
import { LabelIndex } from "../intake/label-index.js";
import { intakeMetrics } from "../intake/metrics.js";
import { UNSTAMPED } from "../intake/models-in-force.js";
import { k6Door } from "../loadtest/run/k6-door.js";
import { Decision, Outcome } from "../protos/gen/fraud/v1/decision.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import { nodeHttpListener, pack, RequestReplyHandler } from "../statefun/index.js";
import { programFunctions } from "../statefun/testing/program.js";

/** A text in everything that a token protects, and in nothing else. */
const SECRET = "secret-merchant";
const TOKEN = "a-long-enough-token";

/** The parts of an answer that tell whether a client got in. */
interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** One of our servers, and how to see that a client got in. */
interface Door {
  readonly ask: (
    method: string,
    target: string,
    headers: Readonly<Record<string, string | readonly string[]>>,
    body: string,
  ) => Promise<Answered>;
  /** Where it listens, unless it is asked without a socket. */
  readonly port?: number;
  /** What has happened beyond the door. */
  readonly effects: () => unknown[];
  /** The routes as they are properly spelled, with what is sent to them. */
  readonly routes: readonly { readonly method: string; readonly path: string; readonly open?: true }[];
  readonly body: string;
  /** Headers without which no body is read, whatever client sends it. */
  readonly headers: Readonly<Record<string, string>>;
}

const cleanUp: (() => void | Promise<unknown>)[] = [];
afterEach(async () => {
  closeApps();
  for (const clean of cleanUp.splice(0)) await clean();
});

/** Asks over a socket, with the target unchanged. */
function asker(port: number): Door["ask"] {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  cleanUp.push(() => agent.destroy());
  return (method, target, headers, body) =>
    new Promise((resolve, reject) => {
      const sends = body !== "" && !["GET", "HEAD", "OPTIONS", "TRACE"].includes(method);
      const all = {
        // It says so whatever the target says.
        host: "localhost:{port}",
        ...headers,
        ...(sends && { "content-length": String(Buffer.byteLength(body)) }),
      };
      // As an array, since Node takes no object with two hosts.
      const lines = Object.entries(all).flatMap(([name, value]) =>
        [value].flat().flatMap((one) => [name, one.replaceAll("{port}", String(port))]),
      );
      const sent = request(
        { agent, host: "127.0.0.1", port, method, path: target.replace("{at}", `localhost:${port}`), headers: lines },
        (response) => {
          let text = "";
          response.on("data", (chunk: Buffer) => (text += chunk.toString()));
          response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, body: text }));
          response.on("error", reject);
        },
      );
      // What is not a request at all is answered with a body even where the method allows none, and the connection
      // ends.
      sent.on("error", (error: NodeJS.ErrnoException) => {
        if (/^HPE_|^ECONNRESET$/.test(error.code ?? "")) resolve({ status: 400, headers: {}, body: "" });
        else reject(error);
      });
      sent.end(sends ? body : undefined);
    });
}

async function listen(listener: RequestListener): Promise<number> {
  const server: Server = createServer(listener);
  cleanUp.push(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

function intake(): ReturnType<typeof httpDoor> & { readonly effects: unknown[] } {
  const effects: unknown[] = [];
  const index = new DecisionIndex(10);
  const decision = Decision.fromPartial({
    evidence: {
      transaction: { accountId: "a", transactionId: "t", merchantId: SECRET },
      account: { seq: 1n },
      scoring: { outcome: Outcome.REVIEW, modelId: SECRET },
    },
  });
  index.onCommitted({ partition: 0, offset: 1n, value: Buffer.from(Any.encode(pack(Decision, decision)).finish()) });
  const app = httpDoor({
    writer: { write: (records) => (effects.push(...records), Promise.resolve()), queuedBytes: 0, stalledMs: 0 },
    overload: () => undefined,
    shortage: () => undefined,
    index,
    labels: new LabelIndex(10),
    models: { stamps: UNSTAMPED, newest: undefined },
    metrics: intakeMetrics({
      queuedBytes: () => 0,
      lag: () => Promise.resolve([]),
      backlogSeconds: () => undefined,
      room: () => undefined,
      consumers: () => [],
    }).metrics,
    maxAheadMs: 300_000,
    logger: pino({ level: "silent" }),
    tokens: { transactions: TOKEN, labels: `${TOKEN}-for-labels` },
    names: { hosts: [], variable: "INTAKE_HOSTS" },
    health: () => [],
    notReady: () => [],
    scrape: () => Promise.resolve({ contentType: "text/plain", text: "open" }),
  });
  cleanUp.push(() => app.close());
  return Object.assign(app, { effects });
}

const INTAKE: Pick<Door, "routes" | "body" | "headers"> = {
  routes: [
    { method: "POST", path: "/v1/transactions" },
    { method: "POST", path: "/v1/labels" },
    { method: "GET", path: "/v1/accounts/a/decisions/t" },
    { method: "GET", path: "/v1/labels/l" },
    { method: "GET", path: "/healthz", open: true },
    { method: "GET", path: "/readyz", open: true },
    { method: "GET", path: "/metrics", open: true },
    { method: "GET", path: "/openapi.json", open: true },
  ],
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    transactionId: "t",
    accountId: "a",
    merchantId: "m",
    amountMinor: 1,
    currency: "EUR",
    eventTimeMs: 1_700_000_000_000,
  }),
};

const DOORS: Readonly<Record<string, () => Promise<Door>>> = {
  "the intake": () => {
    const app = intake();
    return Promise.resolve({
      ...INTAKE,
      effects: () => app.effects,
      ask: async (method, url, headers, payload) => {
        // It parses a target itself before Fastify sees it: what is not a path is asked over a socket, below.
        if (!/^\/(?![/\\])/.test(url)) return { status: 400, headers: {}, body: "" };
        const response = await app.inject({
          method: method as "GET",
          url,
          headers: headers as Readonly<Record<string, string>>,
          payload,
        });
        return { status: response.statusCode, headers: response.headers, body: response.payload };
      },
    });
  },
  "the intake, over a socket": async () => {
    const app = intake();
    await app.listen({ host: "127.0.0.1", port: 0 });
    const { port } = app.server.address() as AddressInfo;
    return { ...INTAKE, effects: () => app.effects, port, ask: asker(port) };
  },
  "the web app": async () => {
    const { port, asked, traced } = await startApp({ token: TOKEN, failures: true });
    return {
      port,
      ask: asker(port),
      effects: () => [...asked, ...traced],
      routes: [
        ...["meta", "alerts", "alerts/a/1", "series", "quality", "verdicts", "stream"].map((name) => ({
          method: "GET",
          path: `/api/${name}`,
        })),
        { method: "GET", path: "/trace/a/t" },
        { method: "POST", path: "/api/verdicts" },
        { method: "POST", path: "/api/failures/taskmanager" },
        ...["/", "/pipeline", "/quality", "/audit", "/alerts/a/1", "/assets/app.0.js", "/healthz", "/metrics"].map(
          (path) => ({
            method: "GET",
            path,
            open: true as const,
          }),
        ),
      ],
      headers: { "content-type": "application/json", "x-dashboard-action": "1" },
      body: JSON.stringify({ accountId: "a", transactionId: "t1", verdict: "FRAUD", note: "", analyst: "eve" }),
    };
  },
  "the failure helper": async () => {
    const killed: string[] = [];
    const helper = await startFailureHelper({ kill: (part) => void killed.push(part), token: TOKEN });
    cleanUp.push(() => helper.close());
    const port = Number(new URL(helper.env.DASHBOARD_FAILURES).port);
    return {
      port,
      ask: asker(port),
      effects: () => killed,
      routes: [
        { method: "GET", path: "/parts" },
        ...KILLABLE.map((part) => ({ method: "POST", path: `/kill/${part}` })),
        { method: "GET", path: "/healthz", open: true },
      ],
      headers: {},
      body: "",
    };
  },
};

/** It needs no token: only pages in a browser are kept out. */
async function functionServer(): Promise<Door> {
  const called: unknown[] = [];
  const statefun = nodeHttpListener(
    new RequestReplyHandler(programFunctions(["test/first"]), {
      maxBodyBytes: 1_000,
      // Whatever gets far enough to be decoded would have been called, had it been a call.
      logger: {
        error: (details) => {
          if ((details as { status?: number }).status === 400) called.push(details);
        },
      },
    }),
  );
  const port = await listen(
    functionDoor({
      statefun,
      names: { hosts: [], variable: "FUNCTIONS_HOSTS" },
      health: { open: true },
      scrape: () => Promise.resolve({ contentType: "text/plain", text: "open" }),
    }),
  );
  return {
    ask: asker(port),
    effects: () => called,
    routes: [
      { method: "POST", path: "/statefun" },
      { method: "POST", path: "/statefun/batch" },
      { method: "GET", path: "/healthz", open: true },
      { method: "GET", path: "/metrics", open: true },
    ],
    headers: { "content-type": "application/octet-stream" },
    body: "noise",
  };
}

/** What a browser sends when a link, a form or a frame leads to a document. */
const NAVIGATION = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };

/** What a load's k6 asks. */
async function judge(): Promise<Door> {
  const judged: unknown[] = [];
  const port = await listen(k6Door(() => Promise.resolve({ judgement: judged.push(SECRET) })));
  return {
    port,
    ask: asker(port),
    effects: () => judged,
    routes: [{ method: "POST", path: "/verdict" }],
    headers: {},
    body: "",
  };
}

const hex = (char: string): string => char.charCodeAt(0).toString(16).padStart(2, "0");
/** How one character of a path may be written; mostly plain, so that many paths lead where they should. */
const written = (char: string) =>
  fc.oneof(
    { weight: 40, arbitrary: fc.constant(char) },
    { weight: 3, arbitrary: fc.constant(`%${hex(char)}`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        `%${hex(char).toUpperCase()}`,
        `%25${hex(char)}`,
        char.toUpperCase(),
        ...(char === "/" ? ["//", "\\", "/./", "/x/../", "/%2e/", "%5c", "/;/"] : [`%c0%${hex(char)}`, `${char};`]),
      ),
    },
  );
const BEFORE = [
  "",
  "",
  "",
  "",
  "",
  "http://{at}",
  "HTTP://{at}",
  "http://localhost",
  "http://x",
  "HTTPS://x:1",
  "http://u@x",
  "//x",
  "/.",
  "/x/..",
  "http:",
];
const AFTER = [
  "",
  "",
  "",
  "",
  "",
  "",
  "/",
  "//",
  "?",
  "?x=/healthz",
  "/.",
  "/..",
  "%20",
  "%00",
  ";x",
  "#",
  "#/healthz",
  ".json",
  "/healthz",
  `?${"x".repeat(20_000)}`,
];
const ODD = ["HEAD", ...METHODS.filter((method) => method !== "CONNECT")];
const CREDENTIALS = [undefined, "", "Bearer", `bearer${TOKEN}`, `Basic ${TOKEN}`, `Bearer ${TOKEN}x`, TOKEN];

const spelled = (path: string): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(...BEFORE), fc.tuple(...[...path].map(written)), fc.constantFrom(...AFTER))
    .map(([before, chars, after]) => before + chars.join("") + after);

const knocking = (routes: Door["routes"]) =>
  fc.constantFrom(...routes).chain(({ method, path }) =>
    fc.record({
      method: fc.oneof(
        { weight: 3, arbitrary: fc.constant(method) },
        { weight: 1, arbitrary: fc.constantFrom("GET", "POST", ...ODD) },
      ),
      target: fc.oneof({ weight: 9, arbitrary: spelled(path) }, { weight: 1, arbitrary: fc.constant(path) }),
      authorization: fc.constantFrom(...CREDENTIALS),
    }),
  );

/** An open route everywhere; ends the connection. */
const HEALTH_AND_CLOSE = "GET /healthz HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\n\r\n";
/** A server that waits for more of what it takes for a request says nothing. In ms. */
const SILENCE_MS = 500;

/**
 * Sends bytes as they are.
 *
 * @returns what was answered until the connection ended, or nothing came for so long
 */
const sendRaw = (port: number, text: string, silenceMs = SILENCE_MS): Promise<string> =>
  new Promise((resolve) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.setTimeout(silenceMs, () => socket.destroy());
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(answer));
  });

/** Requests that no client library would send, by what is strange about them. */
function strangely(
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

/** What open routes answer. */
async function openAnswers({ ask, routes, headers }: Door): Promise<Set<string>> {
  const bodies = new Set<string>();
  for (const { path } of routes.filter(({ open }) => open))
    for (const method of ["GET", "OPTIONS"]) {
      const answer = await ask(method, path, headers, "");
      if (answer.status < 300) bodies.add(answer.body);
    }
  return bodies;
}

describe.each([
  ["the intake", 7_000],
  ["the intake, over a socket", 1_500],
  ["the web app", 1_500],
  ["the failure helper", 1_000],
] as const)("%s", (name, numRuns) => {
  it(`lets nobody in without the token, in ${numRuns} spellings`, async () => {
    const door = await DOORS[name]!();
    const opened = await openAnswers(door);
    await fc.assert(
      fc.asyncProperty(knocking(door.routes), async ({ method, target, authorization }) => {
        const headers = { ...door.headers, ...(authorization !== undefined && { authorization }) };
        const before = door.effects().length;
        const answer = await door.ask(method, target, headers, door.body);
        expect(door.effects().length, "an effect").toBe(before);
        expect(answer.body).not.toContain(SECRET);
        // What HEAD finds, GET shows.
        const shown = method === "HEAD" ? await door.ask("GET", target, headers, "") : answer;
        expect(shown.body).not.toContain(SECRET);
        if (answer.status < 300) expect([...opened, ""]).toContain(shown.body);
      }),
      { numRuns, seed: 19 },
    );
  });

  it("lets nobody in without the token by a request that clients of HTTP would not send", async () => {
    const door = await DOORS[name]!();
    if (door.port === undefined) return;
    const { port } = door;
    const headers = Object.entries(door.headers).map(([header, value]) => `${header}: ${value}`);
    const closed = door.routes.filter(({ open }) => !open);
    for (const route of ["GET", "POST"].map((method) => closed.find((one) => one.method === method)!))
      for (const [kind, text] of Object.entries(strangely(route, `localhost:${port}`, headers, door.body))) {
        const before = door.effects().length;
        const answer = await sendRaw(port, text + HEALTH_AND_CLOSE.replace("{at}", `localhost:${port}`));
        const what = `${kind}: ${route.method} ${route.path}: ${answer.slice(0, 2_000)}`;
        expect(door.effects().length, what).toBe(before);
        expect(answer, what).not.toContain(SECRET);
        const asksWhatIsOpen = text.match(/^GET \/healthz HTTP/gm)?.length ?? 0;
        expect([...answer.matchAll(/HTTP\/1\.\d 2\d\d /g)].length, what).toBeLessThanOrEqual(asksWhatIsOpen + 1);
      }
  });

  it("lets in a client with the token: the test sees what it would find", async () => {
    const door = await DOORS[name]!();
    const { method, path } = door.routes.find((route) => route.method === "POST")!;
    const headers = { ...door.headers, authorization: `Bearer ${TOKEN}` };
    expect((await door.ask(method, path, headers, door.body)).status).toBe(202);
    expect(door.effects()).toHaveLength(1);
    if (door.port === undefined) return;
    const lines = Object.entries(headers).map(([header, value]) => `${header}: ${value}`);
    const { plain } = strangely({ method, path }, `localhost:${door.port}`, lines, door.body);
    const answer = await sendRaw(
      door.port,
      plain! + HEALTH_AND_CLOSE.replace("{at}", `localhost:${door.port}`),
      60_000,
    );
    expect(answer.match(/HTTP\/1\.\d \d+/g)).toEqual(["HTTP/1.1 202", "HTTP/1.1 200"]);
    expect(door.effects()).toHaveLength(2);
  });
});

describe.each([
  ...Object.entries(DOORS),
  ["the function server", functionServer] as const,
  ["the judge of a load", judge] as const,
])("a page in a browser, before %s", (name, start) => {
  it.each([
    "localhost.:{port}",
    "localhost:{port}.",
    "u@localhost:{port}",
    "localhost:{port}@evil.example",
    "localhost:{port}.evil.example",
    "evil.example#localhost:{port}",
    "evil.example/localhost:{port}",
    "evil.example, localhost:{port}",
    "localhost:{port}:{port}",
    "localhost:0{port}",
    "localhost:1",
    "2130706433:{port}",
    "0177.0.0.1:{port}",
    "0x7f.1:{port}",
    "127.1:{port}",
    "127.0.0.1.:{port}",
    "127.0.0.2:{port}",
    "[::1%25lo]:{port}",
    "[::ffff:127.0.0.1]:{port}",
    "[::]:{port}",
    "0.0.0.0:{port}",
    "http://localhost:{port}",
    ":{port}",
  ])("gets nothing by the name %s", async (host) => {
    await getsNothing(await start(), ["GET", "POST"], { host }, 421);
  });

  it.each([
    ["two origins", { origin: "http://localhost:{port}, http://evil.example" }],
    ["an origin with our name for a user", { origin: "http://localhost:{port}@evil.example" }],
    ["an origin with our name behind it", { origin: "http://evil.example#localhost:{port}" }],
    ["an origin that begins like ours", { origin: "http://localhost:{port}.evil.example" }],
    ["an origin with a dot at its end", { origin: "http://localhost.:{port}" }],
    ["an origin that is another of our names", { origin: "http://127.0.0.1:{port}" }],
    ["an empty origin", { origin: "" }],
    ["a file", { origin: "file://" }],
    ["an extension", { origin: "chrome-extension://localhost:{port}" }],
    ["several sites, ours first", { "sec-fetch-site": "same-origin, cross-site" }],
    ["a site in upper case", { "sec-fetch-site": "CROSS-SITE" }],
    ["an empty site", { "sec-fetch-site": "" }],
    ["our own origin, from elsewhere", { origin: "http://localhost:{port}", "sec-fetch-site": "cross-site" }],
    ["a form in a new window", { ...NAVIGATION, origin: "http://evil.example" }],
    ["a frame around it", { ...NAVIGATION, "sec-fetch-dest": "iframe" }],
  ] as const)("gets nothing by %s", async (_what, page) => {
    await getsNothing(await start(), ["GET", "POST"], page, 403);
  });

  it.skipIf(name === "the intake").each([
    ["ours first", ["localhost:{port}", "evil.example"]],
    ["ours last", ["evil.example", "localhost:{port}"]],
    ["ours twice", ["localhost:{port}", "localhost:{port}"]],
    ["one without a name", ["localhost:{port}", ""]],
  ])("gets nothing by two names, %s", async (_what, host) => {
    await getsNothing(await start(), ["GET", "POST"], { host }, 400);
  });

  it.skipIf(name === "the intake")("gets nothing by a whole URL of another server", async () => {
    const door = await start();
    for (const before of ["http://evil.example", "http://localhost:1", "https://evil.example", "http://u@{at}"])
      await getsNothing(
        { ...door, routes: door.routes.map((route) => ({ ...route, path: before + route.path })) },
        ["GET", "POST"],
        {},
        421,
      );
  });

  it.each([
    ["a foreign name", { host: "evil.example" }, 421],
    ["a foreign name at the same port", { host: "evil.example:{port}" }, 421],
    ["a form of another origin", { origin: "http://evil.example", "sec-fetch-site": "cross-site" }, 403],
    ["another port of this machine", { origin: "http://localhost:1", "sec-fetch-site": "same-site" }, 403],
    ["a frame without an origin", { origin: "null" }, 403],
    ["an image", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" }, 403],
  ] as const)("gets nothing by %s, whatever it knows", async (_what, page, status) => {
    await getsNothing(await start(), ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"], page, status);
  });
});

/** Asks for every route as a page would, with the right token. */
async function getsNothing(
  door: Door,
  methods: readonly string[],
  page: Readonly<Record<string, string | readonly string[]>>,
  status: number,
): Promise<void> {
  const before = door.effects().length;
  const headers = { ...door.headers, ...page, authorization: `Bearer ${TOKEN}` };
  for (const { path } of door.routes)
    for (const method of methods) {
      const answer = await door.ask(method, path, headers, door.body);
      expect(answer.status, `${method} ${path}`).toBe(status);
      expect(answer.body).not.toContain(SECRET);
      expect(Object.keys(answer.headers).filter((header) => header.startsWith("access-control-"))).toEqual([]);
    }
  expect(door.effects()).toHaveLength(before);
}
