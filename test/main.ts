import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import { Command } from "commander";

import { given } from "../process/environment.js";
import { REPOSITORY_ROOT } from "../process/repository-root.js";
import { runCommand, runQuietly } from "../process/run-command.js";
import { someOf, wholeNumber } from "../terminal/option-values.js";
import { UserError } from "../terminal/user-error.js";
import { ensureFakeTime, ensureNode, ensurePrometheus, ensureTools } from "../tools/index.js";
import { ensureRequirements } from "../tools/requirements.js";
import { NODE_MAJORS, NODE_VERSIONS, type NodeMajor } from "../tools/versions.js";
import { checkCounts, closingLine, type SuiteResult, sumOf, surefireCounts, vitestCounts } from "./suites.js";

/**
 * The suites in their order; those in one row run side by side. The first ones take one core each, Java's mostly waits;
 * whatever depends on timing, or has a cluster, has the machine to itself.
 */
const ROWS = [["types", "lint", "docs", "java"], ["unit"], ["e2e"], ["compose"]] as const;
type Suite = (typeof ROWS)[number][number];
const SUITES: readonly Suite[] = ROWS.flat();

/**
 * `npm test`: types, lint, the SDK's reference (TSDoc), unit specs, the batching transport's tests in Java, the
 * end-to-end suite on the real cluster, and the container suite. Installs what they need. Prints `N passed, N failed`
 * last.
 *
 * @returns 0 when nothing failed
 */
export async function main(argv: string[]): Promise<number> {
  const program = new Command("npm test --")
    .description(
      "Runs every suite: types, lint, the SDK's TSDoc, unit specs, the batching transport's tests in Java, end-to-end tests on the real cluster, and the same and more in containers where there is a Docker engine, or one can be started.",
    )
    .argument("[suites...]", `only these suites: ${SUITES.join(", ")}`)
    .option(
      "--node <lines>",
      `run the unit suite on these lines of Node, brought as npm packages: ${NODE_MAJORS.join(",")} (default: once, on this one)`,
      someOf(NODE_MAJORS),
    )
    .option(
      "--times <n>",
      "run them so many times, one after the other, whatever fails: for what goes wrong now and then; properties draw other cases each time",
      wholeNumber(1, 10_000),
      1,
    )
    .option("--files <text>", "of unit, e2e and compose only the files with this in their paths")
    .exitOverride();
  program.parse(argv, { from: "user" });
  const unknown = program.args.filter((name) => !SUITES.some((suite) => suite === name));
  if (unknown.length > 0) throw new Error(`no suite is called ${unknown.join(", ")}: there are ${SUITES.join(", ")}`);
  const { node: nodes, times, files } = program.opts<{ node?: readonly NodeMajor[]; times: number; files?: string }>();
  const isChosen = (suite: Suite): boolean => program.args.length === 0 || program.args.includes(suite);

  const onProgress = (line: string): void => console.log(`   ${line}`);
  if (isChosen("java")) {
    console.log("\n== set-up: Java, Maven");
    await ensureRequirements({ native: false, k6: false, maven: true }, true, onProgress);
  }
  if (isChosen("e2e") || isChosen("compose")) {
    console.log("\n== set-up: tools, jars, MinIO, k6, Prometheus, Chromium, libfaketime");
    await ensureTools({ autoInstall: true, k6: true, browser: true, onProgress });
    await ensurePrometheus(onProgress);
    await ensureFakeTime(onProgress);
  }
  const results: SuiteResult[] = [];
  const failures: string[] = [];
  for (let time = 1; time <= times; time++) {
    const which = times === 1 ? "" : `, ${time} of ${times}`;
    for (const row of ROWS)
      results.push(
        ...(await Promise.all(
          row.filter(isChosen).map(async (suite) => {
            const result =
              suite === "unit" && nodes !== undefined
                ? await onEach(nodes, files, onProgress)
                : await timed(suite, files, `${suite}${which}`, {
                    PROPERTY_SEED: given()["PROPERTY_SEED"] ?? String(time),
                  });
            if (result.failed > 0)
              failures.push(
                ...(result.failures ?? ["see its lines above"]).map((failure) => `${suite}${which}: ${failure}`),
              );
            return result;
          }),
        )),
      );
  }
  console.log();
  // Once more at the end, where a long run is read first.
  for (const failure of failures) console.log(`failed: ${failure}`);
  console.log(closingLine(results));
  return results.some(({ failed }) => failed > 0) ? 1 : 0;
}

/** The unit suite on several lines of Node, one after the other. */
async function onEach(
  majors: readonly NodeMajor[],
  files: string | undefined,
  onProgress: (line: string) => void,
): Promise<SuiteResult> {
  const results: SuiteResult[] = [];
  for (const major of majors) {
    const folder = await ensureNode(major, onProgress);
    results.push(
      await timed("unit", files, `unit on Node ${NODE_VERSIONS[major]}`, {
        PATH: [folder, given()["PATH"]].join(delimiter),
      }),
    );
  }
  return sumOf(results);
}

async function timed(
  suite: Suite,
  files: string | undefined,
  name: string,
  env: Readonly<Record<string, string>> = {},
): Promise<SuiteResult> {
  const startedAt = Date.now();
  console.log(`\n== ${name}`);
  const result = await run(suite, files, env);
  console.log(`== ${name}: ${closingLine([result])} in ${Math.round((Date.now() - startedAt) / 1000)} s`);
  return result;
}

async function run(
  suite: Suite,
  files: string | undefined,
  env: Readonly<Record<string, string>>,
): Promise<SuiteResult> {
  switch (suite) {
    case "types":
      // The web app's client has a different environment: a browser's.
      return await checked(["tsc", "--noEmit"], ["tsc", "--noEmit", "-p", "dashboards/live/client"]);
    case "lint":
      return await checked(
        ["prettier", "--check", "--log-level", "warn", "."],
        ["eslint", ".", "--max-warnings", "0"],
        ["depcruise", "."],
      );
    case "docs":
      // TypeDoc takes such a name to be a pattern.
      if (/[()[\]{}*!]/.test(REPOSITORY_ROOT)) {
        console.log(`   skipped: TypeDoc can't find its files in ${REPOSITORY_ROOT}, because of the folder's name`);
        return { passed: 0, failed: 0, skipped: 1 };
      }
      return await checked(["typedoc", "--emit", "none"]);
    case "java":
      return await maven();
    case "unit":
    case "e2e":
    case "compose":
      return await vitest(suite, files, env);
  }
}

/**
 * Runs programs of npm packages, one after the other. Their output is printed when all have ended, as others run at the
 * same time.
 */
async function checked(...programs: readonly (readonly string[])[]): Promise<SuiteResult> {
  let worst = 0;
  let said = "";
  for (const program of programs) {
    const { code, output } = await runQuietly("npx", ["--no-install", ...program]);
    worst = Math.max(worst, code);
    said += output;
  }
  process.stdout.write(said);
  return checkCounts(worst);
}

const TRANSPORT = join(REPOSITORY_ROOT, "statefun/transport");

async function maven(): Promise<SuiteResult> {
  const folder = join(TRANSPORT, "target/surefire-reports");
  // An earlier run's results say nothing about this one.
  rmSync(folder, { recursive: true, force: true });
  const exitCode = await runCommand("mvn", ["-q", "-B", "-ntp", "-f", join(TRANSPORT, "pom.xml"), "test"]);
  const reports = existsSync(folder) ? readdirSync(folder).filter((name) => /^TEST-.*\.xml$/.test(name)) : [];
  return surefireCounts(
    reports.map((name) => readFileSync(join(folder, name), "utf8")),
    exitCode,
  );
}

async function vitest(
  project: string,
  files: string | undefined,
  env: Readonly<Record<string, string>>,
): Promise<SuiteResult> {
  // Vite takes what follows to be part of a page; everything else runs there.
  if (REPOSITORY_ROOT.includes("#"))
    throw new UserError(
      `vitest can't run tests in ${REPOSITORY_ROOT}: the name has a "#". Clone the repository into another folder for that.`,
    );
  const folder = mkdtempSync(join(tmpdir(), "fraud-test-"));
  try {
    const file = join(folder, "report.json");
    // With the `node` on its PATH.
    const exitCode = await runCommand(
      "node",
      [
        "node_modules/vitest/vitest.mjs",
        "run",
        "--project",
        project,
        ...(files === undefined ? [] : [files]),
        "--reporter=default",
        "--reporter=json",
        `--outputFile.json=${file}`,
      ],
      env,
    );
    return vitestCounts(readJson(file), exitCode);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}
