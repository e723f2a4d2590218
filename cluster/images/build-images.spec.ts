import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { asOnLinux } from "./build-images.js";

/** Files as git checks them out on Windows, or under a strict umask: by path, with their content and mode. */
const CHECKED_OUT: readonly (readonly [string, string | Buffer, number])[] = [
  ["run", "#!/bin/sh\r\necho 1\r\n", 0o700],
  ["conf/server.properties", "a=1\r\n", 0o600],
];
const BINARY = Buffer.from([0, 1, 13, 10, 255]);

describe("a checkout on any machine", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "fraud-context-"));
    for (const [path, content, mode] of [...CHECKED_OUT, ["files/lib/a.jar", BINARY, 0o600] as const]) {
      mkdirSync(dirname(join(folder, path)), { recursive: true, mode: 0o700 });
      writeFileSync(join(folder, path), content);
      chmodSync(join(folder, path), mode);
    }
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const mode = (path: string): string => (statSync(join(folder, path)).mode & 0o777).toString(8);
  const text = (path: string): string => readFileSync(join(folder, path), "utf8");

  it("is the same context for a stand-in", () => {
    asOnLinux(folder, join(folder, "files"));
    expect(["", "conf", "files", "files/lib"].map(mode)).toEqual(["755", "755", "755", "755"]);
    expect(["run", "conf/server.properties", "files/lib/a.jar"].map(mode)).toEqual(["755", "644", "644"]);
    expect([text("run"), text("conf/server.properties")]).toEqual(["#!/bin/sh\necho 1\n", "a=1\n"]);
    expect(readFileSync(join(folder, "files/lib/a.jar"))).toEqual(BINARY);
  });

  it("makes the same image of this repository, from what its Dockerfile runs", () => {
    const dockerfile = readFileSync(join(REPOSITORY_ROOT, "Dockerfile"), "utf8");
    const [, run] = /AS sources\nWORKDIR \/app\nCOPY \. \.\nRUN (.*)\n/.exec(dockerfile)!;
    expect(spawnSync("sh", ["-c", run!], { cwd: folder, encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
    expect(["conf", "files/lib", "run", "conf/server.properties"].map(mode)).toEqual(["755", "755", "755", "644"]);
    expect([text("run"), text("conf/server.properties")]).toEqual(["#!/bin/sh\necho 1\n", "a=1\n"]);
    expect(readFileSync(join(folder, "files/lib/a.jar"))).toEqual(BINARY);
    // Nothing else from the checkout gets in.
    expect([...dockerfile.matchAll(/^COPY (?!--from=)(.*)$/gm)].map(([, what]) => what)).toEqual([
      "statefun/transport/pom.xml /",
      "statefun/transport/src/main /transport",
      ". .",
    ]);
  });

  it("has the same line ends wherever git puts it", () => {
    expect(readFileSync(join(REPOSITORY_ROOT, ".gitattributes"), "utf8")).toMatch(/^\* text=auto eol=lf$/m);
    const standIns = join(REPOSITORY_ROOT, "cluster/images/stand-ins");
    for (const file of readdirSync(standIns, { recursive: true, encoding: "utf8" }))
      if (statSync(join(standIns, file)).isFile())
        expect(readFileSync(join(standIns, file), "utf8"), file).not.toContain("\r");
  });
});
