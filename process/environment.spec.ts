import { describe, expect, it } from "vitest";

import { askLoopbackDirectly, childEnv, given, JAVA_VARIABLES, K6_VARIABLES } from "./environment.js";

describe("an empty variable", () => {
  it("counts as not set", () => {
    expect(given({ A: "", B: " ", C: "0", D: undefined })).toEqual({ C: "0" });
  });
});

describe("what children are given", () => {
  it("asks loopback directly, and the hosts that the caller named, in both spellings", () => {
    const env = childEnv({}, undefined, {
      HTTP_PROXY: "http://proxy:3128",
      no_proxy: "intern.example, localhost",
      NO_PROXY: "other.example",
    });
    expect(env["HTTP_PROXY"]).toBe("http://proxy:3128");
    expect(env["no_proxy"]).toBe(env["NO_PROXY"]);
    expect(env["NO_PROXY"]!.split(",").sort()).toEqual([
      "127.0.0.1",
      "::1",
      "[::1]",
      "intern.example",
      "localhost",
      "other.example",
    ]);
  });

  it("holds for this process too, where Node asks proxies itself", () => {
    const before = { ...process.env };
    try {
      Object.assign(process.env, { HTTP_PROXY: "http://proxy:3128", no_proxy: "intern.example" });
      askLoopbackDirectly();
      for (const name of ["NO_PROXY", "no_proxy"])
        expect(process.env[name]!.split(",")).toEqual(
          expect.arrayContaining(["intern.example", "localhost", "127.0.0.1"]),
        );
    } finally {
      for (const name of ["HTTP_PROXY", "NO_PROXY", "no_proxy"]) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
  });

  it("are names of files in UTF-8", () => {
    if (process.platform === "linux")
      expect(childEnv({}, undefined, { LC_ALL: "POSIX", LANG: "C" })["LC_ALL"]).toBe("C.UTF-8");
  });

  it("has nothing that a caller sets for their own programs", () => {
    const callers = {
      JAVA_TOOL_OPTIONS: "-XX:+UseG1GC",
      _JAVA_OPTIONS: "-Xmx9g",
      JDK_JAVA_OPTIONS: "-ea",
      CLASSPATH: "/x",
      K6_VUS: "1",
      K6_DURATION: "1s",
      K6_OUT: "cloud",
      JAVA_HOME: "/java",
      PATH: "/bin",
    };
    expect(
      Object.keys(childEnv({ K6_NO_USAGE_REPORT: "true" }, K6_VARIABLES, callers)).filter((name) =>
        name.startsWith("K6_"),
      ),
    ).toEqual(["K6_NO_USAGE_REPORT"]);
    expect(childEnv({}, JAVA_VARIABLES, callers)).toMatchObject({ JAVA_HOME: "/java", PATH: "/bin" });
  });
});
