import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { compare } from "bcryptjs";
import { afterAll, describe, expect, it } from "vitest";

import { authorizationOf, prometheusLogin } from "./login.js";

describe("the login of Prometheus", () => {
  const folder = mkdtempSync(join(tmpdir(), "fraud-login-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("is random, stays, and is what Prometheus is told a hash of", async () => {
    const first = await prometheusLogin(join(folder, "one"));
    expect(await prometheusLogin(join(folder, "one"))).toEqual(first);
    expect((await prometheusLogin(join(folder, "other"))).password).not.toBe(first.password);
    const [, user, hash] = /^basic_auth_users:\n {2}(\w+): (\S+)\n$/.exec(readFileSync(first.webConfig, "utf8"))!;
    expect(user).toBe(first.user);
    expect(await compare(first.password, hash!)).toBe(true);
  });

  it("goes with a request as HTTP's basic authorization", () => {
    expect(authorizationOf({ user: "a", password: "b" })).toBe("Basic YTpi");
  });
});
