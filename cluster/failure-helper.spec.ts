import { request } from "node:http";

import { afterEach, describe, expect, it } from "vitest";

import { UserError } from "../terminal/user-error.js";
import { type FailureHelper, KILLABLE, startFailureHelper } from "./failure-helper.js";

const killed: string[] = [];
let helper: FailureHelper;

async function ask(
  method: string,
  path: string,
  token = helper.env.DASHBOARD_FAILURES_TOKEN,
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(helper.env.DASHBOARD_FAILURES + path, {
    method,
    headers: { authorization: `Bearer ${token}` },
  });
  return { status: response.status, body: await response.json() };
}

afterEach(async () => {
  killed.length = 0;
  await helper.close();
});

describe("the failure helper", () => {
  it("kills the parts that it lists, and nothing else", async () => {
    helper = await startFailureHelper({ kill: (part) => void killed.push(part) });
    expect(await ask("GET", "/parts")).toEqual({ status: 200, body: { parts: KILLABLE } });
    expect((await ask("POST", "/kill/taskmanager")).status).toBe(202);
    for (const path of [
      "/kill/zookeeper",
      "/kill/dashboard",
      "/kill/",
      "/kill/taskmanager/..",
      "/",
      "/kill/taskmanager?x",
    ])
      expect((await ask("POST", path)).status, path).toBe(404);
    expect((await ask("GET", "/kill/taskmanager")).status).toBe(404);
    expect(killed).toEqual(["taskmanager"]);
  });

  it("does nothing for those who do not know the token", async () => {
    helper = await startFailureHelper({ kill: (part) => void killed.push(part) });
    expect((await ask("POST", "/kill/kafka", "wrong")).status).toBe(401);
    expect((await fetch(`${helper.env.DASHBOARD_FAILURES}/kill/kafka`, { method: "POST" })).status).toBe(401);
    expect((await ask("GET", "/parts", "")).status).toBe(401);
    expect(killed).toEqual([]);
  });

  it("does nothing for a page in a browser, whatever it knows", async () => {
    helper = await startFailureHelper({ kill: (part) => void killed.push(part), hosts: ["failures:8091"] });
    const { DASHBOARD_FAILURES: url, DASHBOARD_FAILURES_TOKEN: token } = helper.env;
    const status = (headers: Readonly<Record<string, string>>): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        request(`${url}/kill/kafka`, { method: "POST", headers: { authorization: `Bearer ${token}`, ...headers } })
          .on("response", (response) => resolve(response.resume().statusCode))
          .on("error", reject)
          .end();
      });
    expect(await status({ host: "evil.example" })).toBe(421);
    expect(await status({ origin: "http://127.0.0.1:8090" })).toBe(403);
    expect(await status({ "sec-fetch-site": "cross-site" })).toBe(403);
    expect(killed).toEqual([]);
    expect(await status({ host: "failures:8091" })).toBe(202);
  });

  it("says why a part was not killed", async () => {
    helper = await startFailureHelper({
      kill: () => {
        throw new UserError("kafka does not run");
      },
    });
    expect(await ask("POST", "/kill/kafka")).toEqual({ status: 409, body: { error: "kafka does not run" } });
  });
});
