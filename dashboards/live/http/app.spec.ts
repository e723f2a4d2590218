import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";

import { afterEach, describe, expect, it } from "vitest";

import { closeApps, startApp } from "../testing/started-app.js";
import { Sessions } from "./guards.js";

const TOKEN = "a-long-enough-token";
const OWN = { "x-dashboard-action": "1", "content-type": "application/json" };
const VERDICT = { accountId: "a", transactionId: "t1", verdict: "FRAUD", note: "two\nlines", analyst: "ada" };

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

  it("says under which names it could answer", async () => {
    const { ask } = await startApp();
    expect(JSON.parse((await ask("GET", "/", { headers: { host: "localhost:9999" } })).body)).toMatchObject({
      status: 421,
      detail: expect.stringContaining("DASHBOARD_HOSTS=fraud.example:443,localhost:9999,") as string,
    });
  });

  it("answers only to its own names", async () => {
    const { ask, port } = await startApp();
    const status = async (host: string): Promise<number> =>
      (await ask("GET", "/api/alerts", { headers: { host } })).status;
    expect(await status(`localhost:${port}`)).toBe(200);
    expect(await status("fraud.example:443")).toBe(200);
    for (const host of ["evil.example", `evil.example:${port}`, "localhost", "127.0.0.1:1"])
      expect(await status(host), host).toBe(421);
    for (const path of ["/", "/assets/app.0.js", "/healthz", "/metrics", "/nothing"])
      expect((await ask("GET", path, { headers: { host: "evil.example" } })).status, path).toBe(421);
  });

  it("lets a link from elsewhere lead to its pages, and to nothing else", async () => {
    const { ask } = await startApp();
    const link = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
    for (const path of ["/", "/pipeline", "/quality", "/audit", "/alerts/a/1"])
      expect((await ask("GET", path, { headers: link })).status, path).toBe(200);
    for (const path of ["/assets/app.0.js", "/healthz", "/metrics", "/api/alerts", "/trace/a/t"])
      expect((await ask("GET", path, { headers: link })).status, path).toBe(403);
    expect((await ask("GET", "/", { headers: { ...link, "sec-fetch-dest": "iframe" } })).status).toBe(403);
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

describe("a verdict", () => {
  it("becomes a label of the next revision, effective at the account's newest time", async () => {
    const { ask, asked } = await startApp();
    expect((await ask("POST", "/api/verdicts", { headers: OWN, body: VERDICT })).status).toBe(202);
    expect(
      (await ask("POST", "/api/verdicts", { headers: OWN, body: { ...VERDICT, verdict: "LEGITIMATE", note: "" } }))
        .status,
    ).toBe(202);
    expect(asked).toEqual([
      {
        path: "/v1/labels",
        authorization: "Bearer for-the-intake",
        body: {
          labelId: "label-1",
          accountId: "a",
          transactionId: "t1",
          merchantId: "m1",
          verdict: "FRAUD",
          revision: 1,
          eventTimeMs: 1_767_225_600_000,
          effectiveAtMs: 1_767_225_700_000,
          analyst: "ada",
          note: "two lines",
        },
      },
      {
        path: "/v1/labels",
        authorization: "Bearer for-the-intake",
        body: expect.objectContaining({ revision: 2, verdict: "LEGITIMATE" }) as unknown,
      },
    ]);
    expect(asked[1]!.body).not.toHaveProperty("note");
  });

  it.each([
    ["another site's form", { "content-type": "application/x-www-form-urlencoded", "x-dashboard-action": "1" }],
    ["a text that looks like JSON", { "content-type": "text/plain", "x-dashboard-action": "1" }],
    ["no header of the app's own", { "content-type": "application/json" }],
    ["another site", { ...OWN, "sec-fetch-site": "cross-site" }],
    ["another port of this machine", { ...OWN, "sec-fetch-site": "same-site" }],
    ["another origin", { ...OWN, origin: "http://evil.example" }],
    ["no origin at all", { ...OWN, origin: "null" }],
  ])("is refused from %s", async (_, headers) => {
    const { ask, asked } = await startApp();
    expect((await ask("POST", "/api/verdicts", { headers, body: VERDICT })).status).toBe(403);
    expect(asked).toEqual([]);
  });

  it("may come through a proxy that asks under another name", async () => {
    const { ask, asked } = await startApp();
    expect(
      (await ask("POST", "/api/verdicts", { headers: { ...OWN, origin: "https://evil.example" }, body: VERDICT }))
        .status,
    ).toBe(403);
    expect(
      (await ask("POST", "/api/verdicts", { headers: { ...OWN, origin: "http://fraud.example:443" }, body: VERDICT }))
        .status,
    ).toBe(202);
    expect(asked).toHaveLength(1);
  });

  it("may be compressed, within the bounds of a plain one", async () => {
    const { send } = await startApp();
    const text = JSON.stringify(VERDICT);
    for (const [coding, bytes] of [
      ["gzip", gzipSync(text)],
      ["GZIP", gzipSync(text)],
      ["br", brotliCompressSync(text)],
      ["deflate", deflateSync(text)],
      ["identity", Buffer.from(text)],
    ] as const) {
      expect((await send("POST", "/api/verdicts", { ...OWN, "content-encoding": coding }, bytes)).status, coding).toBe(
        202,
      );
    }
    for (const [status, coding, bytes] of [
      [415, "zstd", text],
      [415, "gzip, gzip", text],
      [400, "gzip", text],
      [400, "gzip", gzipSync(text).subarray(0, 20)],
      [413, "gzip", gzipSync(text.padEnd(20_000_000))],
    ] as const) {
      const answer = await send("POST", "/api/verdicts", { ...OWN, "content-encoding": coding }, Buffer.from(bytes));
      expect(
        [answer.status, answer.headers["content-type"], answer.headers["accept-encoding"]],
        `${coding} ${status}`,
      ).toEqual([
        status,
        "application/problem+json; charset=utf-8",
        status === 415 ? "gzip, deflate, br, identity" : undefined,
      ]);
    }
  });

  it.each([
    ["a key twice", '{"verdict":"FRAUD",', "verdict stands twice"],
    ["a key twice, escaped", '{"\\u0076erdict":"FRAUD",', "verdict stands twice"],
    ["half a body", "{,", "not JSON"],
    ["bytes that are not UTF-8", Buffer.from([0x7b, 0xff]), "not JSON in UTF-8"],
  ])("is refused with %s", async (_, begin, detail) => {
    const { send, asked } = await startApp();
    const answer = await send(
      "POST",
      "/api/verdicts",
      OWN,
      Buffer.concat([Buffer.from(begin), Buffer.from(JSON.stringify(VERDICT).slice(1))]),
    );
    expect([answer.status, (JSON.parse(answer.body) as { detail: string }).detail]).toEqual([
      400,
      expect.stringContaining(detail),
    ]);
    expect(asked).toEqual([]);
  });

  it.each([
    ["an unknown transaction", 404, { ...VERDICT, transactionId: "nope" }],
    ["no name", 400, { ...VERDICT, analyst: "  " }],
    ["too long a note", 400, { ...VERDICT, note: "n".repeat(1025) }],
    ["another verdict", 400, { ...VERDICT, verdict: "MAYBE" }],
    ["a field too many", 400, { ...VERDICT, revision: 9 }],
    ["no object", 400, 17],
    ["too much", 413, { ...VERDICT, note: "n".repeat(20_000) }],
  ])("is refused with %s", async (_, status, body) => {
    const { ask, asked } = await startApp();
    expect((await ask("POST", "/api/verdicts", { headers: OWN, body })).status).toBe(status);
    expect(asked).toEqual([]);
  });

  it("passes on what the intake has against it", async () => {
    const { ask, refuseLabels } = await startApp();
    refuseLabels();
    expect(await ask("POST", "/api/verdicts", { headers: OWN, body: VERDICT })).toMatchObject({
      status: 400,
      body: JSON.stringify({ type: "about:blank", title: "Bad Request", status: 400, detail: "says the intake" }),
    });
  });

  it("is limited in number", async () => {
    const { ask } = await startApp();
    const statuses: number[] = [];
    for (let n = 0; n < 121; n++)
      statuses.push((await ask("POST", "/api/verdicts", { headers: OWN, body: { ...VERDICT, verdict: "?" } })).status);
    expect([statuses[119], statuses[120]]).toEqual([400, 429]);
  });
});

describe("the failure menu", () => {
  it("is off unless there is a helper", async () => {
    const { ask, asked } = await startApp();
    expect(JSON.parse((await ask("GET", "/api/meta")).body)).toMatchObject({ failureParts: null });
    expect((await ask("POST", "/api/failures/taskmanager", { headers: OWN, body: {} })).status).toBe(404);
    expect(asked).toEqual([]);
  });

  it("asks the helper, with its token, and marks the moment", async () => {
    const { ask, asked, dashboard } = await startApp({ failures: true });
    expect(JSON.parse((await ask("GET", "/api/meta")).body)).toMatchObject({ failureParts: ["taskmanager"] });
    expect((await ask("POST", "/api/failures/taskmanager", { headers: OWN, body: {} })).status).toBe(202);
    expect((await ask("POST", "/api/failures/zookeeper", { headers: OWN, body: {} })).status).toBe(404);
    expect((await ask("POST", "/api/failures/taskmanager", { body: {} })).status).toBe(403);
    expect(asked.map(({ path, authorization }) => [path, authorization])).toEqual([
      ["/parts", "Bearer helper"],
      ["/kill/taskmanager", "Bearer helper"],
      ["/kill/zookeeper", "Bearer helper"],
    ]);
    expect(dashboard.failures.map(({ part }) => part)).toEqual(["taskmanager"]);
    expect(dashboard.takeDelta()?.failures).toHaveLength(1);
  });
});

describe("with a token", () => {
  it("lets nobody see or do anything without it", async () => {
    const { ask, asked } = await startApp({ token: TOKEN });
    for (const path of [
      "/api/alerts",
      "/api/alerts/a/1",
      "/api/stream",
      "/api/meta",
      "/api/series",
      "/api/quality",
      "/api/verdicts",
    ])
      expect((await ask("GET", path)).status, path).toBe(401);
    expect((await ask("POST", "/api/verdicts", { headers: OWN, body: VERDICT })).status).toBe(401);
    expect(
      (await ask("GET", "/api/alerts", { headers: { cookie: "fraud-dashboard=9999999999999.forged" } })).status,
    ).toBe(401);
    expect((await ask("GET", "/api/alerts", { headers: { authorization: "Bearer wrong" } })).status).toBe(401);
    expect(asked).toEqual([]);
  });

  it("signs in with a cookie that scripts and other sites cannot use", async () => {
    const { ask } = await startApp({ token: TOKEN });
    expect((await ask("POST", "/api/login", { headers: OWN, body: { token: "wrong" } })).status).toBe(401);
    const { status, headers } = await ask("POST", "/api/login", { headers: OWN, body: { token: TOKEN } });
    expect(status).toBe(200);
    const cookie = String(headers["set-cookie"]);
    expect(cookie).toMatch(/HttpOnly; SameSite=Strict/);
    expect((await ask("GET", "/api/alerts", { headers: { cookie: cookie.split(";")[0]! } })).status).toBe(200);
    expect((await ask("GET", "/api/alerts", { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(200);
  });

  it("lets the right token in however often it was guessed, and limits those who are signed in one by one", async () => {
    const { ask } = await startApp({ token: TOKEN });
    const login = (token: string) => ask("POST", "/api/login", { headers: OWN, body: { token } });
    for (let n = 0; n < 20; n++) await login("guess");
    expect((await login("guess")).status).toBe(429);
    const { status, headers } = await login(TOKEN);
    expect(status).toBe(200);
    const cookie = String(headers["set-cookie"]).split(";")[0]!;
    const kill = (sent: Readonly<Record<string, string>>) =>
      ask("POST", "/api/failures/kafka", { headers: { ...OWN, ...sent }, body: {} });
    let last = 0;
    for (let n = 0; n < 31; n++) last = (await kill({ cookie })).status;
    expect(last).toBe(429);
    // The same address, but someone else.
    expect((await kill({ authorization: `Bearer ${TOKEN}` })).status).not.toBe(429);
  });

  it("limits guessing", async () => {
    const { ask } = await startApp({ token: TOKEN });
    const statuses: number[] = [];
    for (let n = 0; n < 11; n++)
      statuses.push((await ask("POST", "/api/login", { headers: OWN, body: { token: "guess" } })).status);
    expect([statuses[9], statuses[10]]).toEqual([401, 429]);
    const { headers } = await ask("POST", "/api/login", { headers: OWN, body: { token: "guess" } });
    expect(Number(headers["retry-after"])).toBeGreaterThan(0);
  });

  it("ends a session with its time, or another token", () => {
    const value = new Sessions(TOKEN).issue({ name: undefined }, 0);
    expect(new Sessions(TOKEN).read(value, 1_000)).toEqual({ name: undefined });
    expect(new Sessions(TOKEN).read(value, 13 * 3_600_000)).toBeUndefined();
    expect(new Sessions("another-long-token").read(value, 1_000)).toBeUndefined();
    for (const value of ["", ".", "x.y.z", "99999999999999..", "99999999999999.QWRh.", "-1..a"])
      expect(new Sessions(TOKEN).read(value, 0), value).toBeUndefined();
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

describe("with people who sign in by name", () => {
  const ADA = { name: "Ada Lovelace", token: "the-token-of-ada" };
  const GRACE = { name: "Jörg: Ω", token: "the-token-of-joerg" };
  const people = [ADA, GRACE];
  const { analyst: _, ...unsigned } = VERDICT;

  it("gives a verdict in the name of whoever has signed in, and in no other", async () => {
    const { ask, asked } = await startApp({ people });
    for (const { name, token } of people) {
      const { headers } = await ask("POST", "/api/login", { headers: OWN, body: { token } });
      const cookie = String(headers["set-cookie"]).split(";", 1)[0]!;
      for (const by of [{ cookie }, { authorization: `Bearer ${token}` }]) {
        const own = { ...OWN, ...by };
        expect(JSON.parse((await ask("GET", "/api/meta", { headers: own })).body)).toMatchObject({ signedInAs: name });
        expect((await ask("POST", "/api/verdicts", { headers: own, body: unsigned })).status).toBe(202);
        expect(
          (await ask("POST", "/api/verdicts", { headers: own, body: { ...unsigned, analyst: name } })).status,
        ).toBe(202);
        expect(asked.splice(0)).toMatchObject([{ body: { analyst: name } }, { body: { analyst: name } }]);
        const other = await ask("POST", "/api/verdicts", { headers: own, body: { ...unsigned, analyst: "ada" } });
        expect([other.status, JSON.parse(other.body)]).toEqual([
          403,
          expect.objectContaining({ detail: `you are signed in as ${name}, and can't give a verdict in another name` }),
        ]);
        expect(asked).toEqual([]);
      }
    }
    expect((await ask("POST", "/api/login", { headers: OWN, body: { token: "the-token-of-eve!" } })).status).toBe(401);
  });

  it("takes nobody's session for another's, and ends it when the token is another", () => {
    const sessions = new Sessions(undefined, people);
    const value = sessions.issue({ name: ADA.name }, 0);
    expect(sessions.read(value, 1_000)).toEqual({ name: ADA.name });
    const as = (name: string) => value.replace(/\.[^.]*\./, `.${Buffer.from(name).toString("base64url")}.`);
    for (const forged of [as(GRACE.name), as(""), as("Eve")]) expect(sessions.read(forged, 1_000)).toBeUndefined();
    expect(
      new Sessions(undefined, [{ ...ADA, token: "another-token-of-ada" }, GRACE]).read(value, 1_000),
    ).toBeUndefined();
    expect(new Sessions(undefined, [GRACE]).read(value, 1_000)).toBeUndefined();
  });
});

describe("where people share a token", () => {
  it("wants the name of whoever gives a verdict", async () => {
    const { ask } = await startApp({ token: TOKEN });
    const { analyst: _, ...unsigned } = VERDICT;
    const headers = { ...OWN, authorization: `Bearer ${TOKEN}` };
    const { status, body } = await ask("POST", "/api/verdicts", { headers, body: unsigned });
    expect([status, JSON.parse(body)]).toEqual([
      400,
      expect.objectContaining({ detail: "analyst: is needed: the trail names who gave the verdict" }),
    ]);
    expect(JSON.parse((await ask("GET", "/api/meta", { headers })).body)).toMatchObject({ signedInAs: null });
  });
});
