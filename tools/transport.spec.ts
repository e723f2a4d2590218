import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { REPOSITORY_ROOT } from "../process/repository-root.js";
import { childEnv } from "../process/environment.js";
import { javacOptions } from "./transport.js";
import { spawnSync } from "node:child_process";

describe("the compiler of the batching transport", () => {
  const options = javacOptions(readFileSync(join(REPOSITORY_ROOT, "statefun/transport/pom.xml"), "utf8"));

  it("has the options that Maven has, with warnings as errors", () => {
    expect(options).toEqual(["--release", "11", "-proc:none", expect.stringMatching(/^-Xlint:[a-z,-]+$/), "-Werror"]);
  });

  it("has the same ones in the image's build", () => {
    const dockerfile = readFileSync(join(REPOSITORY_ROOT, "Dockerfile"), "utf8");
    const script = /javac \$\((sed .*) \/pom\.xml\)/.exec(dockerfile)?.[1];
    const { stdout } = spawnSync("sh", ["-c", `${script} statefun/transport/pom.xml`], {
      cwd: REPOSITORY_ROOT,
      env: childEnv(),
      encoding: "utf8",
    });
    expect(stdout.trim().split(/\s+/)).toEqual(options);
  });
});
