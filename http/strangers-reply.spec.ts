import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { fastify } from "fastify";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { listenAlone } from "./listen-alone.js";
import { noStrangers, type Refusal } from "./strangers.js";
import { refusesStranger } from "./strangers-reply.js";

const NAMES = { hosts: ["fraud.example"], variable: "X_HOSTS" };
const LINK = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
/** How many times a request got further. */
let reached = 0;
let refused: Refusal["kind"][] = [];

/** Without a route: what leads nowhere is refused, too, as is what is no path. */
async function withFastify(): Promise<Server> {
  const app = fastify({
    frameworkErrors: (_, asked, reply) => {
      if (refusesStranger(asked, reply, NAMES, { onRefused: (kind) => refused.push(kind) })) return;
      reply.raw.writeHead(204).end();
    },
  });
  app.addHook("onRequest", (asked, reply, done) => {
    const navigation = asked.url === "/linked";
    if (!refusesStranger(asked, reply, NAMES, { navigation, onRefused: (kind) => refused.push(kind) })) done();
  });
  app.setNotFoundHandler((_, reply) => {
    reached++;
    void reply.code(204).send();
  });
  return await listenAlone(app, 0, "127.0.0.1");
}

async function withNode(): Promise<Server> {
  const server = createServer(
    noStrangers(NAMES, (_, response) => {
      reached++;
      response.writeHead(204).end();
    }),
  );
  await once(server.listen(0, "127.0.0.1"), "listening");
  return server;
}

describe.each([
  ["Fastify", withFastify],
  ["node:http", withNode],
] as const)("strangers, by %s", (by, start) => {
  let server: Server;
  beforeAll(async () => (server = await start()));
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });
  beforeEach(() => {
    reached = 0;
    refused = [];
  });

  async function ask(
    path: string,
    headers: Readonly<Record<string, string | readonly string[]>>,
  ): Promise<{ status: number | undefined; type: string | undefined; body: string }> {
    const { port } = server.address() as AddressInfo;
    const all = { host: `localhost:${port}`, ...headers };
    // As an array, since Node takes no object with two hosts.
    const lines = Object.entries(all).flatMap(([name, value]) => [value].flat().flatMap((one) => [name, one]));
    const sent = request({ host: "127.0.0.1", port, path, headers: lines });
    const [response] = (await once(sent.end(), "response")) as [IncomingMessage];
    let body = "";
    for await (const chunk of response) body += String(chunk);
    return { status: response.statusCode, type: response.headers["content-type"], body };
  }

  it.each([
    ["a program", {}, undefined, undefined],
    ["a name of its own", { host: "fraud.example" }, undefined, undefined],
    ["its own page", { host: "fraud.example", origin: "https://fraud.example" }, undefined, undefined],
    ["a foreign name", { host: "evil.example" }, 421, "foreign name"],
    ["a foreign page", { origin: "http://evil.example" }, 403, "foreign page"],
    ["a page of the same site", { "sec-fetch-site": "same-site" }, 403, "foreign page"],
    ["a link", LINK, 403, "foreign page"],
    ["two names, its own first", { host: ["fraud.example", "evil.example"] }, 400, "two names"],
    ["two names, its own last", { host: ["evil.example", "fraud.example"] }, 400, "two names"],
    ["its own name twice", { host: ["fraud.example", "fraud.example"] }, 400, "two names"],
  ] as const)("meet %s", async (_, headers, status, kind) => {
    for (const path of ["/", "/nothing/at/all"]) {
      reached = 0;
      refused = [];
      const answer = await ask(path, headers);
      if (status === undefined) {
        expect([answer.status, reached, refused]).toEqual([204, 1, []]);
        continue;
      }
      expect([answer.status, answer.type]).toEqual([status, "application/problem+json; charset=utf-8"]);
      expect(JSON.parse(answer.body)).toMatchObject({ status, detail: expect.any(String) as string });
      expect([reached, refused]).toEqual([0, by === "Fastify" ? [kind] : []]);
    }
  });

  it.runIf(by === "Fastify")("come by a link where one may lead", async () => {
    expect((await ask("/linked", LINK)).status).toBe(204);
    expect((await ask("/linked", { ...LINK, host: "evil.example" })).status).toBe(421);
  });

  it.runIf(by === "Fastify")("are refused before a path that cannot be read is", async () => {
    expect((await ask("/%", {})).status).toBe(204);
    expect((await ask("/%", { host: "evil.example" })).status).toBe(421);
    expect(refused).toEqual(["foreign name"]);
  });
});
