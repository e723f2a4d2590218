// The way into every command: makes sure that npm packages and generated code are there, then runs the command's
// module. Plain JavaScript, since a fresh clone can run nothing else.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const COMMANDS = {
  bench: "bench/main.ts",
  cluster: "cluster/main.ts",
  demo: "demo/main.ts",
  evaluate: "evaluation/main.ts",
  failover: "loadtest/failover/main.ts",
  fuzz: "loadtest/fuzz/main.ts",
  generate: "ingress-generator/main.ts",
  images: "cluster/images/main.ts",
  loadtest: "loadtest/load/main.ts",
  models: "models/main.ts",
  rejected: "rejected/main.ts",
  test: "test/main.ts",
  topics: "topics/main.ts",
  trace: "trace/main.ts",
  train: "evaluation/training/main.ts",
  verify: "verifier/main.ts",
};
const MINIMUM_NODE = [20, 19];

const root = fileURLToPath(new URL(".", import.meta.url));

/**
 * Everything, whatever this machine's settings or `NODE_ENV` would leave out: what builds and tests is a dev
 * dependency.
 */
const WHOLE = [
  "--include=dev",
  "--include=optional",
  "--include=peer",
  "--dry-run=false",
  "--package-lock-only=false",
  "--global=false",
];
/**
 * npm's own list of what it has installed: rewritten with every change, so that it shows when packages have been
 * removed since.
 */
const INSTALLED = "node_modules/.package-lock.json";
const INSTALLED_STAMP = { path: "node_modules/.cache/installed", files: ["package-lock.json", INSTALLED] };

/** Runs `make` when the content of a stamp's files has changed since the last time. */
function whenChanged(stamp, make) {
  const path = join(root, stamp.path);
  if (existsSync(path) && readFileSync(path, "utf8") === hashOf(stamp.files)) return;
  make();
  write(stamp);
}

function write({ path, files }) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), hashOf(files));
}

function hashOf(files) {
  const hash = createHash("sha256");
  for (const file of files)
    hash
      .update(file)
      .update("\0")
      .update(existsSync(join(root, file)) ? readFileSync(join(root, file)) : "");
  return hash.digest("hex");
}

function install() {
  step("npm packages (npm ci)", "npm", ["ci", ...WHOLE, "--no-audit", "--no-fund"], "Is the npm registry reachable?");
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const needed = Object.entries(packages).filter(
    ([path, { optional, devOptional }]) => path !== "" && !optional && !devOptional,
  );
  const missing = needed.filter(([path]) => !existsSync(join(root, path, "package.json"))).map(([path]) => path);
  if (missing.length > 0)
    fail(
      `npm has left out ${missing.length} of ${needed.length} packages, such as ${missing[0]}. Some setting of npm's on this machine says so (npm config ls): remove it, and try again.`,
    );
}

function step(what, command, args, cure) {
  process.stderr.write(`${what} …\n`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) fail(`${what} failed${error ? ` (${error.message})` : ""}. ${cure}`);
}

function fail(message) {
  process.stderr.write(`error: ${message}\n`);
  process.exit(1);
}

function protoFiles(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(({ name }) => name !== "gen")
    .flatMap((entry) =>
      entry.isDirectory()
        ? protoFiles(`${folder}/${entry.name}`)
        : entry.name.endsWith(".proto")
          ? [`${folder}/${entry.name}`]
          : [],
    )
    .sort();
}

const [command, ...args] = process.argv.slice(2);
const module = COMMANDS[command];
// These make what every command needs, and run none; the second then removes what only building needs: a step of the
// image's build.
const PREPARE = ["--prepare", "--prepare-runtime"];
if (module === undefined && !PREPARE.includes(command))
  fail(`no command "${command}": there are ${Object.keys(COMMANDS).join(", ")}.`);
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor < MINIMUM_NODE[1]))
  fail(`Node ${process.versions.node} is too old. Get Node ${MINIMUM_NODE.join(".")} or newer: https://nodejs.org`);

// In PATH, where npm puts the programs of packages, a folder ends at a ":"; tsx, which runs the TypeScript, ends a file
// name at a "?".
const unusable = [":", "?"].find((character) => root.includes(character));
if (unusable !== undefined)
  fail(`the folder ${root} can't be used: its name has a "${unusable}". Clone the repository into another one.`);

whenChanged(INSTALLED_STAMP, install);
whenChanged(
  {
    path: "statefun/gen/.generated",
    files: ["statefun/buf.gen.yaml", "package-lock.json", ...protoFiles("protos/io")],
  },
  () => {
    step(
      "code for StateFun's messages (buf generate)",
      "npx",
      ["--no-install", "buf", "generate", "--template", "statefun/buf.gen.yaml"],
      "See the lines above.",
    );
  },
);
whenChanged(
  {
    path: "protos/gen/.generated",
    files: [
      "buf.gen.yaml",
      "protos/generate-features.mjs",
      "protos/resolve-import.mjs",
      "package-lock.json",
      ...protoFiles("protos"),
    ],
  },
  () => {
    step("code for the messages (buf generate)", "npx", ["--no-install", "buf", "generate"], "See the lines above.");
    step("the table of features", process.execPath, ["protos/generate-features.mjs"], "See the lines above.");
    // For other languages, which can make classes from it at run time.
    step(
      "the messages' descriptors (buf build)",
      "npx",
      ["--no-install", "buf", "build", "--output", "protos/gen/messages.binpb"],
      "See the lines above.",
    );
  },
);

if (command === "--prepare-runtime") {
  step(
    "without what only building needs (npm prune)",
    "npm",
    [
      "prune",
      "--omit=dev",
      "--include=optional",
      "--include=peer",
      "--dry-run=false",
      "--global=false",
      "--no-audit",
      "--no-fund",
    ],
    "See the lines above.",
  );
  write(INSTALLED_STAMP);
}
if (PREPARE.includes(command)) process.exit(0);

const { register } = await import("tsx/esm/api");
register();
const { askLoopbackDirectly } = await import("./process/environment.ts");
askLoopbackDirectly();
const { visibleLines } = await import("./terminal/visible.ts");
const { main } = await import(new URL(`./${module}`, import.meta.url).href);
try {
  process.exitCode = await main(args);
} catch (error) {
  // commander has printed its own message, or the help.
  if (error?.code?.startsWith?.("commander.")) process.exitCode = error.exitCode;
  else if (error?.name === "UserError") {
    process.stderr.write(`error: ${visibleLines(error.message)}\n`);
    process.exitCode = 1;
  } else {
    process.stderr.write(`${visibleLines(String(error?.stack ?? error))}\n`);
    process.exitCode = 1;
  }
}
