import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { REPOSITORY_ROOT } from "./process/repository-root.js";

/**
 * An npm that records how it was called, and installs what LEAVES_OUT does not name; its own list says what it has
 * installed.
 */
const NPM = `#!/bin/sh
echo "$@" >> "$CALLS"
rm -rf node_modules; mkdir -p node_modules
for name in runs builds; do
  [ "$name" = "$LEAVES_OUT" ] || { mkdir "node_modules/$name"; echo {} > "node_modules/$name/package.json"; }
done
ls node_modules > node_modules/.package-lock.json
`;

describe("the first steps of every command", () => {
  let folder: string;
  let root: string;
  const write = (file: string, text: string, mode = 0o644): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
    chmodSync(join(folder, file), mode);
  };
  const prepare = (env: NodeJS.ProcessEnv = {}) =>
    spawnSync(process.execPath, [join(root, "run.mjs"), "--prepare"], {
      encoding: "utf8",
      env: {
        ...process.env,
        PATH: [join(folder, "bin"), process.env["PATH"]].join(delimiter),
        CALLS: join(folder, "calls"),
        ...env,
      },
    });
  const calls = (): string[] =>
    existsSync(join(folder, "calls")) ? readFileSync(join(folder, "calls"), "utf8").trim().split("\n") : [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "fraud run-"));
    root = join(folder, "a checkout");
    write("bin/npm", NPM, 0o755);
    write("bin/npx", "#!/bin/sh\nexit 0\n", 0o755);
    write(
      "a checkout/package-lock.json",
      JSON.stringify({
        packages: {
          "": {},
          "node_modules/runs": {},
          "node_modules/builds": { dev: true },
          "node_modules/elsewhere": { optional: true },
        },
      }),
    );
    write("a checkout/buf.gen.yaml", "");
    write("a checkout/protos/io/a.proto", "");
    write("a checkout/protos/generate-features.mjs", "");
    write("a checkout/protos/resolve-import.mjs", "");
    copyFileSync(join(REPOSITORY_ROOT, "run.mjs"), join(root, "run.mjs"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("install everything, once, whatever the environment says of production", () => {
    expect(prepare({ NODE_ENV: "production", npm_config_omit: "dev", npm_config_dry_run: "true" }).status).toBe(0);
    expect(prepare().status).toBe(0);
    expect(calls()).toHaveLength(1);
    for (const flag of ["--include=dev", "--include=optional", "--dry-run=false"])
      expect(calls()[0]).toContain(` ${flag} `);
  });

  it("take half an install for no install", () => {
    const { status, stderr } = prepare({ LEAVES_OUT: "builds" });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^error: npm has left out 1 of 2 packages, such as node_modules\/builds\. .*remove it, and try again\.$/m,
    );
    expect(prepare().status).toBe(0);
    expect(calls()).toHaveLength(2);
  });

  it("install again when packages have been removed since", () => {
    expect(prepare().status).toBe(0);
    spawnSync("npm", ["install"], {
      cwd: root,
      env: {
        PATH: [join(folder, "bin"), process.env["PATH"]].join(delimiter),
        CALLS: join(folder, "calls"),
        LEAVES_OUT: "builds",
      },
    });
    expect(prepare().status).toBe(0);
    expect(existsSync(join(root, "node_modules/builds"))).toBe(true);
  });

  it.each([":", "?"])("refuse a folder with a %s, which PATH or tsx would split", (character) => {
    root = join(folder, `a${character}checkout`);
    mkdirSync(join(root, "cluster"), { recursive: true });
    copyFileSync(join(REPOSITORY_ROOT, "run.mjs"), join(root, "run.mjs"));
    expect(prepare().stderr).toBe(
      `error: the folder ${root}/ can't be used: its name has a "${character}". Clone the repository into another one.\n`,
    );
  });
});
