import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { zookeeperData } from "./parts.js";
import type { ClusterSettings } from "./settings.js";
import { UserError } from "./user-error.js";

/** What the three stores say about the past. */
export interface Past {
  /** Output topics hold records: the egress committed some, so a checkpoint completed once. */
  readonly outputs: boolean;
  /** The ingress topics hold records. */
  readonly inputs: boolean;
  /** The object store holds the metadata of a completed checkpoint. */
  readonly checkpoint: boolean;
  /** ZooKeeper has a past of its own; in it the pointer to the newest checkpoint. */
  readonly pointer: boolean;
}

/**
 * Why the job must not start on these stores; `undefined` when it may.
 *
 * Topics, checkpoints and ZooKeeper's pointer belong together. Without the checkpoint everything in the topics would be
 * decided again; with a checkpoint of other topics its offsets would point into nowhere.
 */
export function refusal({ outputs, inputs, checkpoint, pointer }: Past): string | undefined {
  if (outputs && !checkpoint) return "The topics hold decisions, but the checkpoints that belong to them are gone: every transaction would be decided again.";
  if (outputs && !pointer) return "The topics hold decisions, but ZooKeeper has lost the pointer to their checkpoint: every transaction would be decided again.";
  if (checkpoint && pointer && !inputs && !outputs) {
    // A checkpoint of a run without a record is as good as none.
    return undefined;
  }
  return undefined;
}

/** Whether ZooKeeper has run before. Call it before it is started. */
export function zookeeperHasPast(settings: ClusterSettings): boolean {
  const folder = join(zookeeperData(settings), "version-2");
  return existsSync(folder) && readdirSync(folder).length > 0;
}

/** @throws {UserError} when {@link refusal} has a reason */
export function guard(past: Past): void {
  const reason = refusal(past);
  if (reason !== undefined) throw new UserError(`${reason} Start over with: npm run cluster -- down --wipe`);
}
