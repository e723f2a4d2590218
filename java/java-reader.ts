import { spawn } from "node:child_process";

import type { RawRecord } from "../contract/raw-record.js";
import { javaEnv } from "../process/environment.js";
import { UserError } from "../terminal/user-error.js";
import { javaArgs, noJava } from "./java-program.js";
import { FrameReader, type ReadPartition } from "./record-frames.js";

export type { ReadPartition } from "./record-frames.js";

export interface ReadTopicsOptions {
  /** `host:port` of a broker. */
  readonly brokers: string;
  /** Topics, each from the given offsets by partition, or from its beginning; all partitions, or only some. */
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions?: readonly number[];
    readonly from?: ReadonlyMap<number, bigint>;
  }[];
  readonly isolation: "read_committed" | "read_uncommitted";
  /** It gives up when nothing comes for this long. */
  readonly timeoutMs: number;
  /** Reads at most this many records. Default: all. */
  readonly limit?: number;
}

/**
 * Reads topics to their present end, with Kafka's own Java consumer: proofs do not rest on a client of ours.
 *
 * @throws {UserError} when Java, the broker or a topic is not there, or the limit is over
 */
export async function readTopics(
  options: ReadTopicsOptions,
): Promise<{ records: RawRecord[]; partitions: ReadPartition[] }> {
  const records: RawRecord[] = [];
  const { finished } = startReader(options, String(options.limit ?? 0), (record) => void records.push(record));
  return { records, partitions: await finished };
}

/** Takes records as they come. Until it is done, no more are taken from the Java reader, which waits. */
export type RecordSink = (record: RawRecord) => void | Promise<void>;

/**
 * Reads like {@link readTopics}, but keeps nothing: each record is handed over as it comes.
 *
 * @param onBegin - is told what will be read, before the first record
 * @throws {UserError} when Java, the broker or a topic is not there, or the limit is over; and whatever `onRecord`
 *   throws
 */
export function scanTopics(
  options: Omit<ReadTopicsOptions, "limit">,
  onRecord: RecordSink,
  onBegin?: (partitions: readonly ReadPartition[]) => void,
): Promise<ReadPartition[]> {
  return startReader(options, "0", onRecord, onBegin).finished;
}

/**
 * Follows topics with Kafka's own Java consumer, from their beginning.
 *
 * @returns `stop`, which resolves when everything that was there by then has been read, and `kill`, for when that is no
 *   longer of use
 */
export function followByJava(
  options: Omit<ReadTopicsOptions, "limit">,
  onRecord: RecordSink,
): { stop(): Promise<void>; kill(): void } {
  const { finished, endInput, kill } = startReader(options, "follow", onRecord);
  // Awaited at the end; a failure before then must not go unhandled.
  finished.catch(() => undefined);
  return {
    async stop() {
      endInput();
      await finished;
    },
    kill,
  };
}

function startReader(
  { brokers, topics, isolation, timeoutMs }: ReadTopicsOptions,
  limit: string,
  onRecord: RecordSink,
  onBegin?: (partitions: readonly ReadPartition[]) => void,
): { readonly finished: Promise<ReadPartition[]>; readonly endInput: () => void; readonly kill: () => void } {
  const specs = topics.map(({ topic, partitions = [], from = new Map<number, bigint>() }) => {
    const only = partitions.length > 0 ? `/${partitions.join(",")}` : "";
    return `${topic}${only}${from.size > 0 ? `:${[...from].map(([partition, offset]) => `${partition}=${offset}`).join(",")}` : ""}`;
  });
  const child = spawn(
    "java",
    javaArgs("ReadTopics", [brokers, isolation, String(Math.ceil(timeoutMs / 1000)), limit, ...specs]),
    { stdio: ["pipe", "pipe", "pipe"], env: javaEnv() },
  );
  // It may end before its input does.
  child.stdin.on("error", () => undefined);
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", (cause) => reject(noJava(cause)));
    child.on("close", resolve);
  });
  ended.catch(() => undefined);
  const read = async (): Promise<ReadPartition[]> => {
    const partitions: ReadPartition[] = [];
    const frames = new FrameReader(topics.map(({ topic }) => topic));
    let begun = false;
    try {
      // Whatever is not taken out of the pipe holds up the Java reader: nothing piles up here.
      for await (const piece of child.stdout) {
        for (const frame of frames.push(piece as Buffer)) {
          if ("from" in frame) {
            partitions.push(frame);
            continue;
          }
          if (!begun) onBegin?.(partitions);
          begun = true;
          const taken = onRecord(frame);
          if (taken !== undefined) await taken;
        }
      }
    } catch (error) {
      child.kill();
      throw error;
    }
    const code = await ended;
    if (code !== 0)
      throw new UserError(
        `the Java reader of ${topics.map(({ topic }) => topic).join(", ")} at ${brokers} failed: ${errors.trim().split("\n").at(-1) ?? `exit code ${code}`}`,
      );
    return partitions;
  };
  return { finished: read(), endInput: () => void child.stdin.end(), kill: () => void child.kill("SIGKILL") };
}
