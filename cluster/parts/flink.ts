import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { delimiter, join } from "node:path";

import { JAVA_VARIABLES } from "../../process/environment.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { classArchiveOptions } from "../../tools/class-archives.js";
import { fileUri } from "../../tools/file-names.js";
import { classpath, jarFolder, transportJar } from "../../tools/index.js";
import type { ClusterSettings } from "../settings.js";
import { objectStoreKeys } from "../state/object-store-keys.js";
import { flinkKeySettings, flinkKeystore } from "./flink-key.js";
import { compilerOptions, EXIT_ON_ERROR, log4j, type PartProgram, QUICK_START, write } from "./part-program.js";
import { flinkOverrides, renderFlinkConf, renderModule, taskManagerMemoryMb } from "./render.js";

// Flink 1.16 is made for Java 11; on 17 it needs these packages opened.
export const JAVA_17_OPTIONS = [
  ...["java.base/sun.net.util", "java.rmi/sun.rmi.registry", "java.security.jgss/sun.security.krb5"].map(
    (name) => `--add-exports=${name}=ALL-UNNAMED`,
  ),
  ...[
    "java.lang",
    "java.lang.reflect",
    "java.util",
    "java.util.concurrent",
    "java.util.concurrent.atomic",
    "java.util.concurrent.locks",
    "java.text",
    "java.time",
    "java.net",
    "java.io",
    "java.nio",
    "sun.nio.ch",
  ].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
];
/** No MD5 of every upload in addition to TCP's checksums: the object store is on this machine. */
const NO_UPLOAD_MD5 = "-Dcom.amazonaws.services.s3.disablePutObjectMD5Validation=true";
/**
 * After a failure each subtask of the egress aborts what its five or more producers may have left open, as many at once
 * as the common pool has threads: by default one per processor. But this waits for the broker, not for processors.
 */
const ABORT_SIDE_BY_SIDE = "-Djava.util.concurrent.ForkJoinPool.common.parallelism=8";

/**
 * The clock of Flink's messages, two in each process, turns 20 times a second instead of 100, which is much of what it
 * does at rest. What it is for, heartbeats and limits, is in seconds; the delay before a restart may be 50 ms longer.
 */
const SLOW_CLOCK = "-Dakka.scheduler.tick-duration=50ms";

/**
 * For the server of its metrics and its health, Java's own, of which each request keeps a thread: one that has not come
 * after five seconds is given up. By default it may take for ever.
 */
const WHOLE_REQUESTS = "-Dsun.net.httpserver.maxReqTime=5";

/**
 * It takes the memory for its whole heap at the start instead of as it fills: a machine that is too small shows at
 * once, and whatever grows later is a leak.
 */
const PRE_TOUCH = "-XX:+AlwaysPreTouch";

/**
 * Besides Java's, those that Flink's own scripts set, and proxies: its S3 client fails on one that is written without a
 * scheme, as many are, and AWS_ variables hold more than keys.
 */
const FOREIGN = new RegExp(`${JAVA_VARIABLES.source}|^FLINK_|^AWS_|^(HTTPS?|ALL)_PROXY$|^(https?|all)_proxy$`);

/** The transport's jar comes last: Java's class archives cover what comes before. */
const flinkClassPath = (): string => [classpath("flink"), transportJar()].join(delimiter);

function flinkConf(
  settings: ClusterSettings,
  role: "jobmanager" | "taskmanager",
): { folder: string; java: readonly string[]; paths: readonly string[]; prepare: () => void } {
  const folder = join(settings.dataDir, "conf", role);
  const module = join(settings.dataDir, "conf", "module.yaml");
  const logging = join(folder, "log4j.properties");
  const temporary = join(settings.dataDir, `flink-tmp-${role}`);
  const keystore = flinkKeystore(settings.dataDir);
  return {
    folder,
    java: [
      `-Dlog4j.configurationFile=${fileUri(logging)}`,
      // What a killed process leaves there does no harm, and is deleted with the data.
      `-Djava.io.tmpdir=${temporary}`,
    ],
    // On the command line: flink-conf.yaml cannot hold a "#", and is read in a different encoding.
    paths: [
      `io.tmp.dirs=${temporary}`,
      `statefun.remote.module-name=${fileUri(module)}`,
      `security.ssl.internal.keystore=${keystore}`,
      `security.ssl.internal.truststore=${keystore}`,
    ].flatMap((setting) => ["-D", setting]),
    prepare: () => {
      write(
        join(folder, "flink-conf.yaml"),
        renderFlinkConf(readFileSync(join(REPOSITORY_ROOT, "cluster/flink-conf.yaml"), "utf8"), {
          ...flinkKeySettings(settings.dataDir),
          ...flinkOverrides(settings, role),
        }),
        // It has the key's password.
        0o600,
      );
      write(module, renderModule(readFileSync(settings.application.moduleFile, "utf8"), settings));
      write(logging, log4j("info"));
      linkS3Plugin(settings);
      rmSync(temporary, { recursive: true, force: true });
      mkdirSync(temporary, { recursive: true });
    },
  };
}

const pluginsFolder = ({ dataDir }: ClusterSettings): string => join(dataDir, "conf", "plugins");
const flinkEnv = (settings: ClusterSettings, folder: string): Record<string, string> => ({
  FLINK_PLUGINS_DIR: pluginsFolder(settings),
  // As Flink's own scripts do: the guard of the stores reads it from there.
  FLINK_CONF_DIR: folder,
});

/**
 * Flink's S3 plugin takes them from the environment. Whatever is in flink-conf.yaml, Flink shows to anyone who asks.
 */
function s3Keys({ objectStore }: ClusterSettings): Record<string, string> {
  const { accessKey, secretKey } = objectStoreKeys(objectStore.keysIn);
  return { AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secretKey };
}

let links = 0;

/** The S3 file system must be a plugin: jars in their own folder below the plugins folder. */
function linkS3Plugin(settings: ClusterSettings): void {
  const link = join(pluginsFolder(settings), "s3");
  mkdirSync(pluginsFolder(settings), { recursive: true });
  // Renamed into place: the other Flink process may be looking at this very moment.
  const fresh = join(settings.dataDir, "conf", `s3-plugin.${process.pid}.${++links}`);
  symlinkSync(jarFolder("flink-s3"), fresh);
  renameSync(fresh, link);
}

export function jobManager(settings: ClusterSettings): PartProgram {
  const { folder, java, paths, prepare } = flinkConf(settings, "jobmanager");
  const heap = settings.memoryMb.jobManager - 450;
  return {
    command: "java",
    args: [
      `-Xms${heap}m`,
      `-Xmx${heap}m`,
      "-XX:MaxMetaspaceSize=256m",
      QUICK_START,
      ...classArchiveOptions("jobmanager"),
      NO_UPLOAD_MD5,
      SLOW_CLOCK,
      WHOLE_REQUESTS,
      "-XX:+UseSerialGC",
      EXIT_ON_ERROR,
      ...JAVA_17_OPTIONS,
      ...java,
      "-cp",
      flinkClassPath(),
      "org.apache.flink.container.entrypoint.StandaloneApplicationClusterEntryPoint",
      "--configDir",
      folder,
      "--job-classname",
      "org.apache.flink.statefun.flink.core.StatefulFunctionsJob",
      ...(settings.savepoint === undefined ? [] : ["--fromSavepoint", settings.savepoint]),
      ...paths,
    ],
    env: flinkEnv(settings, folder),
    secrets: () => s3Keys(settings),
    foreign: FOREIGN,
    ports: ["flinkRest", "jobManagerRpc", "jobManagerBlob", "jobManagerMetrics"],
    prepare,
  };
}

export function taskManager(settings: ClusterSettings): PartProgram {
  const { folder, java, paths, prepare } = flinkConf(settings, "taskmanager");
  const sizes = taskManagerMemoryMb(settings);
  return {
    command: "java",
    args: [
      `-Xms${sizes.heap}m`,
      `-Xmx${sizes.heap}m`,
      `-XX:MaxDirectMemorySize=${sizes.direct}m`,
      `-XX:MaxMetaspaceSize=${sizes.metaspace}m`,
      "-XX:+UseParallelGC",
      PRE_TOUCH,
      ...compilerOptions(settings),
      ...classArchiveOptions("taskmanager"),
      NO_UPLOAD_MD5,
      SLOW_CLOCK,
      WHOLE_REQUESTS,
      ABORT_SIDE_BY_SIDE,
      "-XX:ParallelGCThreads=2",
      EXIT_ON_ERROR,
      ...JAVA_17_OPTIONS,
      ...java,
      "-cp",
      flinkClassPath(),
      "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
      "--configDir",
      folder,
      ...paths,
    ],
    env: flinkEnv(settings, folder),
    secrets: () => s3Keys(settings),
    foreign: FOREIGN,
    ports: ["taskManagerMetrics"],
    prepare,
  };
}
