import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import type { PortName } from "../../contract/ports.js";
import { properties } from "../../tools/file-names.js";
import type { ClusterSettings } from "../settings.js";

/** How one part is started, and how it is known to work. */
export interface PartProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Variables that hold secrets, which are made when they are first asked for. */
  readonly secrets?: () => Readonly<Record<string, string>>;
  /** Variables in the caller's environment that would change what it does. */
  readonly foreign?: RegExp;
  /** Ports that must be free before it starts. */
  readonly ports: readonly PortName[];
  /** Writes configuration and folders; called before each start. */
  prepare(): void;
}

/**
 * Only the quick compiler. The optimising one takes ten seconds of processor time more in the first minute after each
 * start, when there is most to catch up with; what works hard and lives long gets that back (docs/performance.md).
 */
export const QUICK_START = "-XX:TieredStopAtLevel=1";
/** The compiler of those that work hard: the broker and the TaskManager. */
export const compilerOptions = ({ compiler }: Pick<ClusterSettings, "compiler">): string[] =>
  compiler === "quick" ? [QUICK_START] : [];
export const EXIT_ON_ERROR = "-XX:+ExitOnOutOfMemoryError";

/**
 * Writes a file and the folders above it, if it is not there like that already: a part that is started again has its
 * files, also where the disk has no room for them now. Readers never see half a file.
 *
 * @param mode - of a new file. Default: everybody may read it
 */
export function write(file: string, text: string, mode = 0o666): void {
  if (textOf(file) === text) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, text, { mode });
  renameSync(`${file}.new`, file);
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** Log lines with time, level and class, on the standard output, which the supervisor keeps. */
export function log4j(level: "info" | "warn"): string {
  return properties({
    "rootLogger.level": level,
    "rootLogger.appenderRef.console.ref": "Console",
    "appender.console.name": "Console",
    "appender.console.type": "CONSOLE",
    "appender.console.layout.type": "PatternLayout",
    // A plain stack trace: by default log4j looks up the jar of every frame.
    "appender.console.layout.pattern": "%d{ISO8601} %-5p %-60c{1.} %m%n%ex",
    // A line for each of hundreds of completed checkpoints says nothing.
    "logger.checkpoints.name": "org.apache.flink.runtime.checkpoint.CheckpointCoordinator",
    "logger.checkpoints.level": "warn",
    "logger.kafka.name": "org.apache.kafka",
    "logger.kafka.level": "warn",
    "logger.sink.name": "org.apache.flink.streaming.api.functions.sink",
    "logger.sink.level": "warn",
    "logger.connector.name": "org.apache.flink.streaming.connectors.kafka",
    "logger.connector.level": "warn",
    // Repeats itself at every checkpoint.
    "logger.kryo.name": "org.apache.flink.api.java.typeutils.runtime.kryo",
    "logger.kryo.level": "warn",
    // While no function server answers, each of hundreds of calls a second fails again and again, and each failure
    // would be a stack trace: 150 MB in five minutes. The metrics count all of them (remoteInvocationFailures).
    "logger.calls.name": "org.apache.flink.statefun.flink.core.nettyclient",
    "logger.calls.level": "info",
    "logger.calls.filter.burst.type": "BurstFilter",
    "logger.calls.filter.burst.level": "warn",
    "logger.calls.filter.burst.rate": 2,
    "logger.calls.filter.burst.maxBurst": 20,
    // Noise from the supervisor's own probes.
    "logger.knock.name": "org.apache.flink.shaded.zookeeper3.org.apache.zookeeper.server.NIOServerCnxn",
    "logger.knock.level": "error",
  });
}
