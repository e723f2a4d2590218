import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";

import { afterEach, describe, expect, it } from "vitest";

import { closeApps, startApp } from "../testing/started-app.js";

const TOKEN = "a-long-enough-token";

afterEach(closeApps);

describe("what is served", () => {
  it("allows nothing inline and nothing from elsewhere", async () => {
    const { ask } = await startApp();
    const { status, headers } = await ask("GET", "/alerts/a/1");
    expect(status).toBe(200);
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(headers).toMatchObject({ "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" });
    expect(headers["x-powered-by"]).toBeUndefined();
    expect((await ask("GET", "/assets/app.0.js")).headers["cache-control"]).toContain("immutable");
  });

  it("is sent again only when it has changed", async () => {
    const { ask } = await startApp();
    const { headers } = await ask("GET", "/");
    expect(headers["cache-control"]).toBe("no-cache");
    const etag = String(headers["etag"]);
    const known = await ask("GET", "/audit", { headers: { "if-none-match": etag } });
    expect([known.status, known.body, known.headers["etag"]]).toEqual([304, "", etag]);
    expect((await ask("GET", "/", { headers: { "if-none-match": '"other"' } })).status).toBe(200);
  });

  it("has the same headers for HEAD, without a body", async () => {
    const { ask, hub } = await startApp();
    for (const path of ["/", "/healthz", "/api/alerts", "/api/stream", "/nothing"]) {
      const { status, headers, body } = await ask("HEAD", path);
      expect([status, body], path).toEqual([path === "/nothing" ? 404 : 200, ""]);
      expect(headers["content-security-policy"], path).toContain("default-src 'none'");
    }
    expect(hub.size).toBe(0);
  });

  it("is found with a slash at the end, and in any case, as long as names can be", async () => {
    const { ask } = await startApp();
    const long = "b".repeat(4_000);
    for (const path of ["/pipeline/", "/Audit", "/API/alerts/", `/alerts/${long}/1`])
      expect((await ask("GET", path)).status, path).toBe(200);
  });

  it("reads a key that stands twice as none", async () => {
    const { ask } = await startApp();
    for (const [query, total] of [
      ["text=nothing", 0],
      ["text=nothing&text=nothing", 1],
      ["text[a]=nothing", 1],
    ] as const)
      expect(JSON.parse((await ask("GET", `/api/alerts?${query}`)).body), query).toMatchObject({ total });
  });

  it("is data as data: JSON, never a page", async () => {
    const { ask } = await startApp();
    const { headers, body } = await ask("GET", "/api/alerts");
    expect(headers["content-type"]).toMatch(/^application\/json/);
    expect(JSON.parse(body)).toMatchObject({ total: 1, rows: [{ id: "a/1", merchantName: "<b>Shop</b>" }] });
    expect(JSON.parse((await ask("GET", "/api/alerts?text=nothing")).body)).toMatchObject({ total: 0 });
    expect(JSON.parse((await ask("GET", "/api/alerts/a/1")).body)).toMatchObject({
      alert: { id: "a/1" },
      decision: { modelId: "points-v1", modelKnown: true },
      recent: [{ transactionId: "t1" }, { transactionId: "t2" }],
    });
    expect(JSON.parse((await ask("GET", "/api/quality")).body)).toMatchObject({
      limit: 100_000,
      models: [{ modelId: "points-v1", suspicious: { decided: 1 }, approved: { decided: 1 }, drift: null }],
    });
    for (const path of [
      "/api/alerts/a/2",
      "/api/nothing",
      "/assets/../server.ts",
      "/assets/%2e%2e%2fserver.ts",
      "/nothing",
    ])
      expect((await ask("GET", path)).status, path).toBe(404);
  });

  it.each([
    "/%",
    "/alerts/%/1",
    "/alerts/%zz/1",
    "/alerts/a/100%",
    "/api/alerts/%ff/1",
    "/api/nothing%2",
    "/assets/%",
    "/trace/%e0%a4%a/t",
    "/healthz%",
  ])("refuses the path %s with a problem", async (path) => {
    const { ask } = await startApp();
    const { status, headers, body } = await ask("GET", path);
    expect([status, headers["content-type"]]).toEqual([400, "application/problem+json; charset=utf-8"]);
    expect(JSON.parse(body)).toEqual({
      type: "about:blank",
      title: "Bad Request",
      status: 400,
      detail: expect.stringContaining("%25") as string,
    });
  });

  it("refuses everything with a problem", async () => {
    const { ask } = await startApp({ token: TOKEN });
    for (const [path, status] of [
      // A path that leads nowhere wants the token, as all that is not declared open.
      ["/nothing", 401],
      ["/api/nothing", 401],
      ["/api/alerts", 401],
      ["/assets/x", 404],
    ] as const) {
      const answer = await ask("GET", path);
      expect([answer.status, answer.headers["content-type"], JSON.parse(answer.body)]).toEqual([
        status,
        "application/problem+json; charset=utf-8",
        expect.objectContaining({ status, detail: expect.any(String) as string }),
      ]);
    }
  });
});

describe("what is no request", () => {
  it("is answered with a problem, and its connection ends", async () => {
    const { port } = await startApp();
    const socket = connect(port, "127.0.0.1");
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    socket.write("what is this\r\n\r\n");
    await once(socket, "close");
    expect(text).toMatch(/^HTTP\/1.1 400 Bad Request\r\n[^]*application\/problem\+json[^]*"status":400/);
  });
});

describe("its health", () => {
  it("is that of what it reads", async () => {
    const { ask } = await startApp({
      consumers: [{ consumer: "committed records", failing: "it broke", restarts: 2, unreadable: 0 }],
    });
    const { status, body } = await ask("GET", "/healthz");
    expect([status, JSON.parse(body)]).toEqual([
      503,
      { status: "failing", failing: [{ consumer: "committed records", cause: "it broke", restarts: 2 }] },
    ]);
  });
});

describe("the stream", () => {
  it("goes on after the last event that the browser had", async () => {
    const { hub, port } = await startApp();
    hub.publish("pulse", 1);
    hub.publish("pulse", 2);
    const text = await new Promise<string>((resolve, reject) => {
      let received = "";
      const sent = request(
        { host: "127.0.0.1", port, path: "/api/stream?after=b.0", headers: { "last-event-id": "b.1" } },
        (response) => {
          expect(response.headers["content-type"]).toBe("text/event-stream");
          response.on("data", (chunk: Buffer) => {
            received += chunk.toString();
            if (received.includes("data: 3")) {
              resolve(received);
              sent.destroy();
            } else if (received.includes("data: 2")) hub.publish("pulse", 3);
          });
          response.on("error", () => undefined);
        },
      );
      sent.on("error", reject);
      sent.end();
    });
    expect(text).not.toContain("data: 1");
    expect(text).toContain("id: b.2");
  });
});
