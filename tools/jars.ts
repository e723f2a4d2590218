import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { build } from "./build.js";
import { cacheDir } from "./cache-folder.js";
import { cached, type Progress } from "./cache.js";
import { JAR_SETS, type JarSet } from "./versions.js";

/** The folder of a jar set, whether or not it exists: its name changes with the set's content. */
export function jarFolder(set: JarSet): string {
  return join(
    cacheDir(),
    `jars-${set}-${createHash("sha256").update(JSON.stringify(JAR_SETS[set])).digest("hex").slice(0, 12)}`,
  );
}

/** A Java class path of all jars of a set. */
export const classpath = (set: JarSet): string => join(jarFolder(set), "*");

/** Downloads a jar set with Maven unless it is there. @throws {UserError} when Maven fails */
export async function ensureJars(set: JarSet, progress: Progress): Promise<void> {
  await cached(jarFolder(set), async (folder) => {
    const pomFolder = `${folder}.pom`;
    mkdirSync(pomFolder, { recursive: true });
    writeFileSync(join(pomFolder, "pom.xml"), pom(JAR_SETS[set]));
    await build({
      what: `jars for ${set}`,
      command: "mvn",
      args: [
        "-B",
        "-ntp",
        "-f",
        join(pomFolder, "pom.xml"),
        "dependency:copy-dependencies",
        `-DoutputDirectory=${folder}`,
        "-DincludeScope=runtime",
      ],
      failure: "Maven could not fetch the jars. Is its repository reachable?",
      progress,
    });
  });
}

/** A pom that depends on the given coordinates and builds nothing. */
export function pom(coordinates: readonly string[]): string {
  const dependencies = coordinates.map((text) => {
    const [group, artifact, version] = text.replace(/^!/, "").split(":");
    const alone = text.startsWith("!")
      ? "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>"
      : "";
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>${alone}</dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>local</groupId><artifactId>jars</artifactId><version>1</version><dependencies>\n${dependencies.join("\n")}\n</dependencies></project>\n`;
}
