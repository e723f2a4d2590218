// Before `npm pack`: the package's JavaScript and types, and the licence that goes with them.
import { spawnSync } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
rmSync(here("dist"), { recursive: true, force: true });
for (const name of ["LICENSE", "NOTICE"]) copyFileSync(here(`../${name}`), here(name));
process.exit(
  spawnSync("tsc", ["-p", here("tsconfig.package.json")], { stdio: "inherit", shell: process.platform === "win32" })
    .status ?? 1,
);
