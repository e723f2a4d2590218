import { describe, expect, it } from "vitest";

import { cacheDir } from "./cache-folder.js";

describe("the cache folder", () => {
  it("is absolute, or refused with an absolute one suggested", () => {
    expect(cacheDir({ FRAUD_CACHE_DIR: "/a b/cache/" })).toBe("/a b/cache/");
    expect(() => cacheDir({ FRAUD_CACHE_DIR: "cache" })).toThrow(
      /^FRAUD_CACHE_DIR is "cache": give it an absolute path, such as \/.*\/cache\.$/,
    );
    expect(() => cacheDir({ FRAUD_CACHE_DIR: "~/cache" })).toThrow(/such as \/.*\/cache\.$/);
  });

  it("is not looked for in a relative XDG_CACHE_HOME, as its definition asks, nor in a relative home", () => {
    expect(cacheDir({ XDG_CACHE_HOME: "cache", HOME: "/home/ada" })).toBe("/home/ada/.cache/stateful-fraud-detection");
    expect(cacheDir({ HOME: "." })).toMatch(/^\/.*\/stateful-fraud-detection$/);
  });

  it("is not one that Java would take for two", () => {
    expect(() => cacheDir({ FRAUD_CACHE_DIR: "/a:b" })).toThrow(
      /Java's class path ends one path.* Name another one: FRAUD_CACHE_DIR=/,
    );
    expect(() => cacheDir({ HOME: "/a:b" })).toThrow(/Java's class path/);
  });
});
