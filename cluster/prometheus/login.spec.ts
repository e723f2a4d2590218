import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
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

  it("can be read only by its owner, whatever the umask and earlier versions did, unless it is shared", async () => {
    const modes = (of: string) => readdirSync(of).map((file) => statSync(join(of, file)).mode & 0o777);
    const before = process.umask(0);
    try {
      await prometheusLogin(join(folder, "mine"));
      expect(modes(join(folder, "mine"))).toEqual([0o600, 0o600]);
      for (const file of readdirSync(join(folder, "mine"))) chmodSync(join(folder, "mine", file), 0o644);
      await prometheusLogin(join(folder, "mine"));
      expect(modes(join(folder, "mine"))).toEqual([0o600, 0o600]);
    } finally {
      process.umask(0o077);
    }
    try {
      await prometheusLogin(join(folder, "shared"), { shared: true });
      expect(modes(join(folder, "shared"))).toEqual([0o644, 0o644]);
    } finally {
      process.umask(before);
    }
  });

  it("goes with a request as HTTP's basic authorization", () => {
    expect(authorizationOf({ user: "a", password: "b" })).toBe("Basic YTpi");
  });
});
