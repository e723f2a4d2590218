// The way into every command: makes sure that npm packages and generated code are there, then runs the command's module.
// Plain JavaScript, for on a fresh clone there is nothing else to run.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const COMMANDS = {
  bench: "bench/main.ts",
  cluster: "cluster/main.ts",
  demo: "demo/main.ts",
  failover: "loadtest/failover/main.ts",
  fuzz: "loadtest/fuzz/main.ts",
  generate: "ingress-generator/main.ts",
  images: "cluster/images/main.ts",
  loadtest: "loadtest/load/main.ts",
  rejected: "intake/rejected/main.ts",
  test: "test/main.ts",
  topics: "kafka/topics-main.ts",
  trace: "trace/main.ts",
  verify: "loadtest/verify/main.ts",
};
const MINIMUM_NODE = [20, 11];

const root = fileURLToPath(new URL("..", import.meta.url));

/** Runs `make` when the content of `files` is not what it was the last time. */
function whenChanged(stamp, files, make) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(file).update("\0").update(readFileSync(join(root, file)));
  const now = hash.digest("hex");
  const path = join(root, stamp);
  if (existsSync(path) && readFileSync(path, "utf8") === now) return;
  make();
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, now);
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
    .flatMap((entry) => (entry.isDirectory() ? protoFiles(`${folder}/${entry.name}`) : entry.name.endsWith(".proto") ? [`${folder}/${entry.name}`] : []))
    .sort();
}

const [command, ...args] = process.argv.slice(2);
const module = COMMANDS[command];
// `--prepare` makes what every command needs and runs none: a step of the image's build.
if (module === undefined && command !== "--prepare") fail(`no command "${command}": there are ${Object.keys(COMMANDS).join(", ")}.`);
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor < MINIMUM_NODE[1])) fail(`Node ${process.versions.node} is too old. Get Node ${MINIMUM_NODE.join(".")} or newer: https://nodejs.org`);

whenChanged("node_modules/.cache/installed", ["package-lock.json"], () =>
  step("npm packages (npm ci)", "npm", ["ci", "--no-audit", "--no-fund"], "Is the npm registry reachable?"),
);
whenChanged("protos/gen/.generated", ["buf.gen.yaml", "package-lock.json", ...protoFiles("protos")], () => {
  step("code for the messages (buf generate)", "npx", ["--no-install", "buf", "generate"], "See the lines above.");
  // For other languages, which can make classes of it while they run.
  step("the messages' descriptors (buf build)", "npx", ["--no-install", "buf", "build", "--output", "protos/gen/messages.binpb"], "See the lines above.");
});

if (command === "--prepare") process.exit(0);

const { register } = await import("tsx/esm/api");
register();
const { main } = await import(new URL(`../${module}`, import.meta.url).href);
try {
  process.exitCode = await main(args);
} catch (error) {
  // commander has printed its own message, or the help.
  if (error?.code?.startsWith?.("commander.")) process.exitCode = error.exitCode;
  else if (error?.name === "UserError") {
    process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = 1;
  } else {
    process.stderr.write(`${error?.stack ?? error}\n`);
    process.exitCode = 1;
  }
}
