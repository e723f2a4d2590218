import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecureContext } from "node:tls";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { flinkKeySettings, flinkKeystore, makeFlinkKey } from "./flink-key.js";

describe("the key of a cluster's Flink", () => {
  let root: string;
  const folder = (name: string): string => join(root, name);
  const all = (name: string) =>
    Object.fromEntries(readdirSync(folder(name)).map((file) => [file, readFileSync(join(folder(name), file))]));
  const password = (name: string) => flinkKeySettings(folder(name))["security.ssl.internal.key-password"]!;
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), "fraud-flink-key-"));
    const before = process.umask(0);
    try {
      await Promise.all(["one", "other"].map((name) => makeFlinkKey(folder(name))));
    } finally {
      process.umask(before);
    }
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it("is another one in each folder, behind another password", () => {
    expect(password("one")).toMatch(/^[\w-]{32}$/);
    expect(password("other")).not.toBe(password("one"));
    const pfx = readFileSync(flinkKeystore(folder("one")));
    createSecureContext({ pfx, passphrase: password("one") });
    expect(() => createSecureContext({ pfx, passphrase: password("other") })).toThrow("mac verify failure");
  });

  it("can be read only by its owner, whatever the umask", () => {
    const files = readdirSync(folder("one")).sort();
    expect(files).toEqual(["flink-key-password", "flink-key.p12"]);
    for (const file of files) expect(statSync(join(folder("one"), file)).mode & 0o777, file).toBe(0o600);
    expect(statSync(folder("one")).mode & 0o777).toBe(0o700);
  });

  it("stays the same, until it is deleted or was not finished", async () => {
    const first = all("other");
    await makeFlinkKey(folder("other"));
    expect(all("other")).toEqual(first);
    for (const file of Object.keys(first)) {
      const before = password("other");
      rmSync(join(folder("other"), file));
      await makeFlinkKey(folder("other"));
      expect(password("other")).not.toBe(before);
      createSecureContext({ pfx: readFileSync(flinkKeystore(folder("other"))), passphrase: password("other") });
    }
  });
});
