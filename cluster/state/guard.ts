import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { readTopics } from "../../java/java-reader.js";
import { UserError } from "../../terminal/user-error.js";
import { endpoints } from "../endpoints.js";
import { zookeeperData } from "../parts/index.js";
import type { ClusterSettings } from "../settings.js";

/** What the three stores say about earlier runs. */
export interface Past {
  /** The ingress topics were there before this start. */
  readonly topics: boolean;
  /** The object store holds the handle of a completed checkpoint. */
  readonly checkpoint: boolean;
  /** ZooKeeper, which holds the pointer to the newest checkpoint, has run before. */
  readonly pointer: boolean;
  /** The output topics hold committed records, so a checkpoint completed once. Checked only when it matters. */
  readonly outputs: () => Promise<boolean>;
}

/**
 * Why the job must not start on these stores; `undefined` when it may. Topics, checkpoints and ZooKeeper's pointer
 * belong together: without its checkpoint the job would decide everything in the topics again, and with a checkpoint of
 * topics that are gone it would wait at offsets that never come.
 */
export async function refusal({ topics, checkpoint, pointer, outputs }: Past): Promise<string | undefined> {
  if (checkpoint && pointer)
    return topics
      ? undefined
      : "Kafka's topics are gone, but a checkpoint of them is there: new transactions would be skipped.";
  if (!topics || !(await outputs())) return undefined;
  return `The topics hold decisions, but ${checkpoint ? "ZooKeeper has lost the pointer to their checkpoint" : "their checkpoint is gone"}: every transaction would be decided again.`;
}

/** Whether ZooKeeper has run on its data before. Ask before it is started. */
export function zookeeperHasPast(settings: ClusterSettings): boolean {
  const folder = join(zookeeperData(settings), "version-2");
  return existsSync(folder) && readdirSync(folder).length > 0;
}

/** Commands to suggest when stores do not belong together. */
export interface Cures {
  /** Starts over. */
  readonly startOver: string;
  /** Goes on from the newest checkpoint that is left. */
  readonly goOn?: string;
}

/** The arguments of {@link guardStores}. */
export interface StoresAtStart {
  /** Whether ZooKeeper has a past: see {@link Past}. */
  readonly pointer: boolean;
  /** Topics that this start has created. */
  readonly createdTopics: readonly string[];
  /** Looks for a committed record in topics. Default: with Kafka's own Java consumer. */
  readonly holdsCommitted?: (topics: readonly string[]) => Promise<boolean>;
  /** What to suggest when they don't belong together. Default: the native cluster's commands. */
  readonly cures?: Cures;
}

/** The native cluster's command that forgets everything. */
export const startOverCommand = ({ name }: ClusterSettings): string => `npm run cluster -- down --name ${name} --wipe`;

/** The native cluster's command that goes on from the newest checkpoint that the object store holds. */
const fromLatestCommand = ({ name }: ClusterSettings): string => `npm run cluster -- up --name ${name} --from-latest`;

/**
 * Checks that the stores belong together, before Flink is started and while nothing writes to them.
 *
 * @param checkpoint - see {@link Past}
 * @throws {UserError} when {@link refusal} has a reason
 */
export async function guardStores(
  settings: ClusterSettings,
  checkpoint: boolean,
  {
    pointer,
    createdTopics,
    holdsCommitted = byJava(settings),
    cures = { startOver: startOverCommand(settings), goOn: fromLatestCommand(settings) },
  }: StoresAtStart,
): Promise<void> {
  const topics = !settings.application.ingressTopics.every(({ name }) => createdTopics.includes(name));
  const reason = await refusal({
    topics,
    checkpoint,
    pointer,
    outputs: () => holdsCommitted(settings.application.outputTopics.map(({ name }) => name)),
  });
  if (reason === undefined) return;
  const { startOver, goOn } = cures;
  throw new UserError(
    topics && goOn !== undefined
      ? `${reason} Go on from the newest checkpoint that is left: ${goOn}; or start over with: ${startOver}`
      : `${reason} Start over with: ${startOver}`,
  );
}

/** Offsets alone don't tell: aborted and open transactions take offsets too. */
const byJava =
  (settings: ClusterSettings) =>
  async (topics: readonly string[]): Promise<boolean> => {
    const { records } = await readTopics({
      brokers: endpoints(settings).kafka,
      topics: topics.map((topic) => ({ topic })),
      isolation: "read_committed",
      limit: 1,
      timeoutMs: 60_000,
    });
    return records.length > 0;
  };
