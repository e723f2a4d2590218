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

  it("says why a part was not killed", async () => {
    helper = await startFailureHelper({
      kill: () => {
        throw new UserError("kafka does not run");
      },
    });
    expect(await ask("POST", "/kill/kafka")).toEqual({ status: 409, body: { error: "kafka does not run" } });
  });
});
