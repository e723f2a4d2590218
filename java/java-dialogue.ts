import { spawn } from "node:child_process";
import { delimiter } from "node:path";
import { createInterface } from "node:readline";

import { javaEnv } from "../process/environment.js";
import { UserError } from "../terminal/user-error.js";
import { compiled, noJava } from "./java-program.js";

/** A Java program that takes a line and answers with one. */
export interface JavaDialogue {
  readonly pid: number;
  /** @throws {UserError} when the program ends instead of answering */
  ask(line: string): Promise<string>;
  /** Ends it: by ending its input, or immediately. */
  end(atOnce?: boolean): Promise<void>;
}

export interface JavaDialogueOptions {
  /** Absolute path of the folder with its source. */
  readonly sources: string;
  readonly program: string;
  /** Absolute paths of jars, or of folders as Java takes them. */
  readonly classpath: readonly string[];
  readonly heapMb: number;
  /** Further options for Java itself. */
  readonly options: readonly string[];
  readonly args: readonly string[];
}

/**
 * Starts a Java program, after compiling it if that has not been done yet.
 *
 * @throws {UserError} when there is no Java
 */
export async function startJavaDialogue({
  sources,
  program,
  classpath,
  heapMb,
  options,
  args,
}: JavaDialogueOptions): Promise<JavaDialogue> {
  const libraries = classpath.join(delimiter);
  const own = [`-Xms${heapMb}m`, `-Xmx${heapMb}m`, "-XX:+UseParallelGC", "-XX:ParallelGCThreads=2"];
  const child = spawn(
    "java",
    [...own, ...options, "-cp", [compiled(sources, libraries), libraries].join(delimiter), program, ...args],
    { stdio: ["pipe", "pipe", "inherit"], env: javaEnv() },
  );
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  await new Promise<void>((resolve, reject) =>
    child.once("spawn", resolve).once("error", (cause) => reject(noJava(cause))),
  );
  // It may end while something is written to it.
  child.stdin.on("error", () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    pid: child.pid!,
    async ask(line) {
      child.stdin.write(`${line}\n`);
      const answer = await lines.next();
      if (answer.done === true)
        throw new UserError(`${program} ended with ${await closed} instead of answering "${line}"`);
      return answer.value;
    },
    async end(atOnce = false) {
      child.stdin.end();
      if (atOnce) child.kill("SIGKILL");
      await closed;
    },
  };
}
