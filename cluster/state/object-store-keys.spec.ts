import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { objectStoreKeys } from "./object-store-keys.js";

describe("the keys of an object store", () => {
  let root: string;
  let folder: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "fraud-keys-"));
    folder = join(root, "demo");
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it("are different in each folder, and stay the same from then on", () => {
    const keys = objectStoreKeys(folder);
    expect(keys.accessKey).toMatch(/^[0-9a-f]{20}$/);
    expect(keys.secretKey).toMatch(/^[\w-]{32}$/);
    expect(objectStoreKeys(folder)).toEqual(keys);
    const other = objectStoreKeys(join(root, "other"));
    expect(other.accessKey).not.toBe(keys.accessKey);
    expect(other.secretKey).not.toBe(keys.secretKey);
  });

  it("can be read only by their owner, whatever the umask", () => {
    const before = process.umask(0);
    try {
      objectStoreKeys(folder);
    } finally {
      process.umask(before);
    }
    const [file, ...more] = readdirSync(folder);
    expect(more).toEqual([]);
    expect(statSync(join(folder, file!)).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it("are not made anew over a file that does not hold keys", () => {
    objectStoreKeys(folder);
    const file = join(folder, readdirSync(folder)[0]!);
    chmodSync(file, 0o600);
    writeFileSync(file, '{"accessKey":');
    expect(() => objectStoreKeys(folder)).toThrow(/does not hold the object store's keys\. Delete it/);
    expect(readFileSync(file, "utf8")).toBe('{"accessKey":');
  });
});
