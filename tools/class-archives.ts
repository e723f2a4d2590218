import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

import { given, javaEnv } from "../process/environment.js";
import { runQuietly } from "../process/run-command.js";
import { cacheDir } from "./cache-folder.js";
import type { Progress } from "./cache.js";
import { jarFolder } from "./jars.js";
import { transportJar } from "./transport.js";
import type { JarSet } from "./versions.js";

/*
 * Starting a Java program means loading classes: reading, checking and linking some ten thousand of them. An archive of
 * classes that were loaded once (Java's class data sharing) halves the processor time of a start, and so of a recovery.
 */

/** The parts that run on Java, and what they load classes from. */
const JAVA_PARTS = {
  zookeeper: "flink",
  kafka: "kafka",
  jobmanager: "flink",
  taskmanager: "flink",
} as const satisfies Readonly<Record<string, JarSet>>;
export type JavaPart = keyof typeof JAVA_PARTS;
/** These also have the batching transport on their class path. */
const RUN_THE_JOB: ReadonlySet<JavaPart> = new Set(["jobmanager", "taskmanager"]);
const JAVA_PART_NAMES = Object.keys(JAVA_PARTS) as JavaPart[];

/** Java's options for using a part's archive; if there is none, those that let {@link makeClassArchive} make it. */
export function classArchiveOptions(part: JavaPart): string[] {
  const file = archiveFile(part);
  // One that does not fit is silently left unused.
  return existsSync(file)
    ? [`-XX:SharedArchiveFile=${file}`, "-Xlog:cds=off", "-Xlog:cds+dynamic=off"]
    : ["-XX:+RecordDynamicDumpInfo"];
}

/** Those of these parts that could have an archive, but have none yet. */
export const withoutClassArchive = (parts: readonly string[]): readonly JavaPart[] =>
  JAVA_PART_NAMES.filter((part) => parts.includes(part) && !existsSync(archiveFile(part)));

/**
 * Makes a part's archive from what its running process has loaded: some seconds, once per machine. A part whose archive
 * cannot be made only starts more slowly.
 *
 * @param folder - the folder that the process runs in
 */
export async function makeClassArchive(
  part: JavaPart,
  { pid, folder }: { readonly pid: number; readonly folder: string },
  progress: Progress,
): Promise<void> {
  progress(part);
  const file = archiveFile(part);
  const temporary = `${file}.${process.pid}.tmp`;
  mkdirSync(dirname(file), { recursive: true });
  // By a name in that folder: jcmd splits a path at its spaces.
  const name = `${part}.jsa`;
  const dumped = join(folder, name);
  rmSync(dumped, { force: true });
  const { code, output } = await runQuietly("jcmd", [String(pid), "VM.cds", "dynamic_dump", name], javaEnv()).catch(
    (error: unknown) => ({ code: 1, output: String(error) }),
  );
  if (code === 0 && existsSync(dumped)) {
    // Possibly to another file system.
    copyFileSync(dumped, temporary);
    renameSync(temporary, file);
  } else progress(`${part}: ${output.trim().split("\n").at(-1) ?? ""}`);
  for (const left of [dumped, temporary]) rmSync(left, { force: true });
}

/** A different Java or different jars have a different archive. */
function archiveFile(part: JavaPart): string {
  const hash = createHash("sha256")
    .update(
      JSON.stringify([
        jarFolder(JAVA_PARTS[part]),
        // Of Java itself they load what TLS takes: an archive from before they spoke it lacks that.
        RUN_THE_JOB.has(part) ? [transportJar(), "TLS"] : "",
        javaProgram(),
      ]),
    )
    .digest("hex")
    .slice(0, 12);
  return join(cacheDir(), "class-archives", `${part}-${hash}.jsa`);
}

/** The Java that the path leads to, and when it was installed. */
function javaProgram(): readonly [string, number] | undefined {
  for (const folder of (given()["PATH"] ?? "").split(delimiter)) {
    const program = join(folder, "java");
    if (existsSync(program)) return [realpathSync(program), statSync(program).mtimeMs];
  }
  return undefined;
}
