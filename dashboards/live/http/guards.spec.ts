import { afterEach, describe, expect, it } from "vitest";

import { OWN, VERDICT } from "../testing/own-actions.js";
import { closeApps, startApp } from "../testing/started-app.js";
import { Sessions } from "./guards.js";

const TOKEN = "a-long-enough-token";

afterEach(closeApps);

describe("whoever asks", () => {
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
