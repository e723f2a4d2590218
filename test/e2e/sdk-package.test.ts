import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { poll } from "../../process/poll.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { runQuietly, startProgram, type StartedProgram } from "../../process/run-command.js";
import { Email, Greeting, SeenCount } from "../../protos/gen/demo/v1/greet.js";
import { FromFunction, ToFunction, type TypedValue } from "../../statefun/gen/io/statefun/reqreply.js";
import { PATIENCE_MS } from "../patience.js";

const PACKAGE = "statefun-typescript";
const SERVER = `import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { statefun } from "./greet/functions.js";

const server = createServer(statefun).listen(0, "127.0.0.1", () => console.log(\`port \${(server.address() as AddressInfo).port}\`));
`;
/** Uses each of the other entry points once. */
const ENTRIES = `import assert from "node:assert/strict";
import { lambdaHandler } from "${PACKAGE}/aws-lambda";
import { expressMiddleware } from "${PACKAGE}/express";
import { nodeHttpListener } from "${PACKAGE}/http";
import { TestRuntime } from "${PACKAGE}/testing";

import { functions } from "./greet/functions.js";
import { Greeting } from "./gen/demo/v1/greet.js";
import { greetOf } from "./greet-of.js";

for (const adapter of [lambdaHandler, expressMiddleware, nodeHttpListener]) assert.equal(typeof adapter, "function");
const runtime = new TestRuntime(functions);
runtime.ingress(greetOf("ada"), Greeting, Greeting.fromPartial({ name: "ada" }));
await runtime.run();
assert.deepEqual(runtime.kafka("emails").map(({ key }) => key), ["ada"]);
console.log("entries are fine");
`;

const typed = <T>(
  type: { readonly $type: string; encode(message: T): { finish(): Uint8Array } },
  message: T,
): TypedValue => ({
  typename: `type.googleapis.com/${type.$type}`,
  hasValue: true,
  value: Buffer.from(type.encode(message).finish()),
});

describe("the SDK's package, installed by a stranger", () => {
  const folder = mkdtempSync(join(tmpdir(), "statefun-stranger-"));
  const inFolder = (command: string, args: readonly string[]) =>
    runQuietly("sh", ["-c", `cd "$0" && exec "$@"`, folder, command, ...args]);
  let server: StartedProgram | undefined;

  beforeAll(async () => {
    const packed = await runQuietly("npm", [
      "pack",
      "--workspace",
      "statefun",
      "--pack-destination",
      folder,
      "--loglevel",
      "error",
    ]);
    expect(packed.code, packed.output).toBe(0);
    const file = readdirSync(folder).find((name) => name.endsWith(".tgz"))!;
    writeFileSync(
      join(folder, "package.json"),
      JSON.stringify({
        name: "stranger",
        private: true,
        type: "module",
        dependencies: { [PACKAGE]: `file:${file}` },
        devDependencies: versions("@types/node"),
      }),
    );
    const installed = await inFolder("npm", [
      "install",
      "--no-audit",
      "--no-fund",
      "--prefer-offline",
      "--loglevel",
      "error",
    ]);
    expect(installed.code, installed.output).toBe(0);
    // The stranger's own messages, and the example's functions with nothing changed but where the SDK comes from.
    mkdirSync(join(folder, "gen/demo/v1"), { recursive: true });
    for (const name of ["typeRegistry.ts", "demo/v1/greet.ts"])
      cpSync(join(REPOSITORY_ROOT, "protos/gen", name), join(folder, "gen", name));
    mkdirSync(join(folder, "greet"));
    for (const name of ["greet.ts", "email-sender.ts", "functions.ts"]) {
      const text = readFileSync(join(REPOSITORY_ROOT, "examples/greet", name), "utf8")
        .replace("../../statefun/index.js", PACKAGE)
        .replace("../../protos/gen/", "../gen/");
      expect(text).not.toContain("../../");
      writeFileSync(join(folder, "greet", name), text);
    }
    writeFileSync(join(folder, "server.ts"), SERVER);
    writeFileSync(join(folder, "entries.ts"), ENTRIES);
    writeFileSync(
      join(folder, "greet-of.ts"),
      `import { functionType } from "${PACKAGE}";\n\nimport { Greeting } from "./gen/demo/v1/greet.js";\n\nexport const greetOf = functionType("demo/greet", [Greeting]);\n`,
    );
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: {
          target: "ES2022",
          module: "NodeNext",
          strict: true,
          skipLibCheck: false,
          types: ["node"],
          outDir: "dist",
        },
        include: ["*.ts", "greet/*.ts", "gen/**/*.ts"],
      }),
    );
  });
  afterAll(async () => {
    server?.kill("SIGTERM");
    await server?.finished;
    rmSync(folder, { recursive: true, force: true });
  });

  it("holds what it says, and none of this repository's specs or sources", () => {
    const files = readdirSync(join(folder, "node_modules", PACKAGE), { recursive: true, encoding: "utf8" });
    expect(files).toEqual(
      expect.arrayContaining(["README.md", "LICENSE", "NOTICE", "package.json", "dist/index.js", "dist/index.d.ts"]),
    );
    expect(files.filter((name) => /\.spec\.|[^d]\.ts$|testing\/(?!test-runtime)/.test(name))).toEqual([]);
  });

  it("compiles the greet example, strictly, its own types included", async () => {
    const { code, output } = await runQuietly("npx", ["--no-install", "tsc", "-p", folder]);
    expect(output).toBe("");
    expect(code).toBe(0);
  });

  it("has each of its entry points", async () => {
    const { code, output } = await runQuietly(process.execPath, [join(folder, "dist/entries.js")]);
    expect(output).toContain("entries are fine");
    expect(code).toBe(0);
  });

  it("runs it: it counts, and sends an e-mail", async () => {
    server = startProgram(process.execPath, [join(folder, "dist/server.js")]);
    const port = await poll("the example to listen", () => /port (\d+)/.exec(server!.output())?.[1], {
      timeoutMs: PATIENCE_MS,
    });
    const request = ToFunction.fromPartial({
      request: {
        $case: "invocation",
        value: {
          target: { namespace: "demo", type: "greet", id: "ada" },
          invocations: [{ argument: typed(Greeting, Greeting.fromPartial({ name: "ada" })) }],
          state: [{ stateName: "seen", stateValue: typed(SeenCount, SeenCount.fromPartial({ count: 1 })) }],
        },
      },
    });
    const response = await fetch(`http://127.0.0.1:${port}/statefun`, {
      method: "POST",
      headers: { "content-type": "application/octet-stream" },
      body: ToFunction.encode(request).finish(),
    });
    expect(response.status).toBe(200);
    const { response: answer } = FromFunction.decode(new Uint8Array(await response.arrayBuffer()));
    if (answer?.$case !== "invocationResult") throw new Error(`the answer is ${answer?.$case ?? "none"}`);
    const { stateMutations, outgoingMessages } = answer.value;
    expect(SeenCount.decode(stateMutations[0]!.stateValue!.value)).toMatchObject({ count: 2 });
    expect(outgoingMessages[0]!.target).toMatchObject({ namespace: "demo", type: "email_sender", id: "ada" });
    expect(Email.decode(outgoingMessages[0]!.argument!.value)).toMatchObject({
      to: "ada@example.com",
      text: "Nice to see you again, ada: visit 2.",
    });
  });
});

/** The versions that this repository has. */
function versions(...names: readonly string[]): Record<string, string> {
  const { devDependencies } = JSON.parse(readFileSync(join(REPOSITORY_ROOT, "package.json"), "utf8")) as {
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  return Object.fromEntries(names.map((name) => [name, devDependencies[name]!]));
}
