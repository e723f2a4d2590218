import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { given, javaEnv } from "../process/environment.js";
import { UserError } from "../terminal/user-error.js";
import { build } from "./build.js";
import type { Progress } from "./cache.js";
import { jarFolder } from "./jars.js";
import { k6Program } from "./k6.js";
import { minioProgram } from "./minio.js";
import { GO_MINIMUM, JAVA_MAJOR } from "./versions.js";

/**
 * The Java version that the batching transport is compiled for: that of the official StateFun image. Fetching jars
 * needs no newer one.
 */
const JAVA_MINIMUM = 11;

/** The kinds of work: running everything natively, or only reading topics and driving a load. */
export interface Work {
  readonly native: boolean;
  readonly k6: boolean;
  /** Maven's other work, besides fetching jars. */
  readonly maven?: boolean;
}

/** A program that must be on the machine. */
interface Requirement {
  readonly name: string;
  /** The program, with the arguments that make it tell its version. */
  readonly version: readonly [string, readonly string[]];
  /** Whether it is there, in a suitable version. */
  readonly present: () => boolean;
  /** Which kinds of work need it; false when what it makes is already in the cache. */
  readonly needed: (work: Work) => boolean;
  /** It runs on the Java of `JAVA_HOME`, where that is set; everything else on that of `PATH`. */
  readonly usesJavaHome?: boolean;
  readonly debianPackage: string;
  readonly cure: string;
}

const REQUIREMENTS: readonly Requirement[] = [
  {
    name: `a Java ${JAVA_MAJOR} JDK`,
    version: ["javac", ["-version"]],
    // A JRE is not enough: the proofs' reader is a Java source file, compiled when it starts.
    present: () =>
      (javaMajor(output("javac", ["-version"])) ?? 0) >= JAVA_MAJOR &&
      (javaMajor(output("java", ["-version"])) ?? 0) >= JAVA_MAJOR,
    needed: () => true,
    debianPackage: "openjdk-17-jdk-headless",
    cure: "apt-get install openjdk-17-jdk-headless, or https://adoptium.net",
  },
  {
    name: "Maven",
    version: ["mvn", ["-version"]],
    present: () => output("mvn", ["-version"]) !== undefined,
    needed: ({ native, maven }) =>
      maven === true ||
      (native ? (["kafka", "flink", "flink-s3"] as const) : (["kafka"] as const)).some(
        (set) => !existsSync(jarFolder(set)),
      ),
    usesJavaHome: true,
    debianPackage: "maven",
    cure: "apt-get install maven, or https://maven.apache.org/install.html",
  },
  {
    name: `Go ${GO_MINIMUM}`,
    version: ["go", ["version"]],
    present: () => goIsRecent(output("go", ["version"])),
    needed: ({ native, k6 }) => (native && !existsSync(minioProgram())) || (k6 && !existsSync(k6Program())),
    debianPackage: "golang-go",
    cure: "https://go.dev/dl/",
  },
];

/** The major version in what `java -version` or `javac -version` prints. */
function javaMajor(text: string | undefined): number | undefined {
  const match = /(?:version "|javac )(?:1\.)?(\d+)/.exec(text ?? "");
  return match ? Number(match[1]) : undefined;
}

/**
 * Whether what `go version` prints is new enough; from 1.21 on Go fetches a newer toolchain by itself when a module
 * asks.
 */
function goIsRecent(text: string | undefined): boolean {
  const match = /go(\d+)\.(\d+)/.exec(text ?? "");
  return match !== null && (Number(match[1]) > 1 || Number(match[2]) >= 21);
}

/** What a program prints; `undefined` when it is not there, or fails. */
function output(command: string, args: readonly string[]): string | undefined {
  const { error, status, stdout, stderr } = asked(command, args);
  return error !== undefined || status !== 0 ? undefined : stdout + stderr;
}

// Options that the caller has for other Java programs, such as an agent that does not exist, would make Java seem to be
// missing.
const asked = (command: string, args: readonly string[]) =>
  spawnSync(command, args, { encoding: "utf8", env: javaEnv() });

/** The first line of what an unsuitable program says about itself, for people; empty when there is none. */
export function itself(command: string, args: readonly string[]): string {
  const { error, stdout, stderr } = asked(command, args);
  const [line] = error === undefined ? (stderr + stdout).trim().split("\n") : [];
  return line ? `; the one on PATH says: ${line}` : "";
}

/**
 * Checks Java, and Maven and Go when there is something for them to do.
 *
 * @param autoInstall - as root on Debian, install what is missing
 * @throws {UserError} that names all that is missing and how to get it
 */
export async function ensureRequirements(work: Work, autoInstall: boolean, progress: Progress): Promise<void> {
  if (REQUIREMENTS.some(({ usesJavaHome, needed }) => usesJavaHome === true && needed(work)))
    requireJavaHome(work.maven === true);
  const absent = () => REQUIREMENTS.filter(({ needed, present }) => needed(work) && !present());
  let missing = absent();
  if (missing.length > 0 && autoInstall && mayInstall()) {
    await installDebian(
      missing.map(({ name }) => name).join(", "),
      missing.map(({ debianPackage }) => debianPackage),
      progress,
    );
    missing = absent();
  }
  if (missing.length > 0)
    throw new UserError(
      `missing: ${missing.map(({ name, cure, version }) => `${name} (get it: ${cure}${itself(...version)})`).join("; ")}.`,
      { code: "tool-missing" },
    );
}

/**
 * Makes sure that `JAVA_HOME`, if it is set, leads to a Java. Maven runs on it, and if it is stale only says that it
 * could not start.
 *
 * @param compiles - whether it must be a JDK that can compile this repository's Java
 * @throws {UserError} that names it as the cause
 */
export function requireJavaHome(compiles: boolean, env: NodeJS.ProcessEnv = process.env): void {
  const home = given(env)["JAVA_HOME"];
  if (home === undefined) return;
  const program = compiles ? "javac" : "java";
  const cure = "Unset it (unset JAVA_HOME): then Maven takes the Java of PATH; or set it to a JDK.";
  const said = output(join(home, "bin", program), ["-version"]);
  if (said === undefined)
    throw new UserError(
      `JAVA_HOME is ${home}, but no ${program} runs at ${join(home, "bin", program)}, and Maven runs on that. ${cure}`,
    );
  const major = javaMajor(said) ?? 0;
  if (major < JAVA_MINIMUM)
    throw new UserError(
      `JAVA_HOME is ${home}, which is Java ${major}, and Maven runs on that: it takes ${JAVA_MINIMUM} or newer. ${cure}`,
    );
}

/** Whether Debian's packages can be installed: as root, on Debian. */
export const mayInstall = (): boolean => process.getuid?.() === 0 && isDebian();

/** @throws {UserError} when Debian's packages are not reachable */
export async function installDebian(what: string, packages: readonly string[], progress: Progress): Promise<void> {
  const install = (step: string, args: readonly string[]) =>
    build({
      what: step,
      command: "apt-get",
      args,
      env: { DEBIAN_FRONTEND: "noninteractive" },
      failure: "apt-get failed. Are Debian's packages reachable?",
      progress,
    });
  await install("package lists", ["update"]);
  await install(what, ["install", "-y", "--no-install-recommends", ...packages]);
}

function isDebian(): boolean {
  return existsSync("/etc/os-release") && /^ID(_LIKE)?=.*debian/m.test(readFileSync("/etc/os-release", "utf8"));
}
