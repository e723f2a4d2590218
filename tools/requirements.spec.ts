import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { itself, requireJavaHome } from "./requirements.js";

describe("an unsuitable program", () => {
  it("is asked why, if it is there", () => {
    expect(itself("sh", ["-c", "echo 'javac 11.0.2'; exit 1"])).toBe("; the one on PATH says: javac 11.0.2");
    expect(itself("sh", ["-c", ""])).toBe("");
    expect(itself("no-such-program", [])).toBe("");
  });
});

describe("JAVA_HOME", () => {
  let home: string;
  beforeEach(() => void (home = mkdtempSync(join(tmpdir(), "fraud java-"))));
  afterEach(() => rmSync(home, { recursive: true, force: true }));
  const program = (name: string, says: string): void => {
    mkdirSync(join(home, "bin"), { recursive: true });
    writeFileSync(join(home, "bin", name), `#!/bin/sh\necho '${says}' >&2\n`);
    chmodSync(join(home, "bin", name), 0o755);
  };
  const check =
    (compiles: boolean, value = home) =>
    () =>
      requireJavaHome(compiles, { JAVA_HOME: value });

  it("may be a JDK, or not set", () => {
    program("java", 'openjdk version "17.0.15" 2025-04-15');
    program("javac", "javac 17.0.15");
    for (const compiles of [false, true]) expect(check(compiles)).not.toThrow();
    expect(check(true, "")).not.toThrow();
  });

  it("is named as the cause when no Java is there any more, with the cure, in one line", () => {
    expect(check(false, "/usr/lib/jvm/java-gone")).toThrow(
      /^JAVA_HOME is \/usr\/lib\/jvm\/java-gone, but no java runs at \/usr\/lib\/jvm\/java-gone\/bin\/java, and Maven runs on that\. Unset it \(unset JAVA_HOME\).*$/,
    );
  });

  it("is named when it is a JRE and something is to be compiled, or too old", () => {
    program("java", 'openjdk version "1.8.0_402"');
    expect(check(true)).toThrow(/no javac runs/);
    expect(check(false)).toThrow(/which is Java 8, .* 11 or newer/);
  });
});
