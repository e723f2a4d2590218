import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { ClusterSettings, Part } from "../settings.js";

/** That processes of a part hung and were replaced, since the cluster was started. */
export interface Replacements {
  readonly count: number;
  /** The last time, in ms since 1970. */
  readonly lastAtMs: number;
  /** Why, the last time. */
  readonly why: string;
}

export type ReplacedParts = Readonly<Partial<Record<Part, Replacements>>>;

const file = ({ dataDir }: ClusterSettings): string => join(dataDir, "pids", "replaced.json");

/** Which parts the supervisor has replaced since it started. */
export function replacedParts(settings: ClusterSettings): ReplacedParts {
  try {
    return JSON.parse(readFileSync(file(settings), "utf8")) as ReplacedParts;
  } catch {
    return {};
  }
}

/** Counts one more, for whoever asks for the status. */
export function countReplacement(settings: ClusterSettings, part: Part, why: string): void {
  const before = replacedParts(settings);
  const count = (before[part]?.count ?? 0) + 1;
  // Renamed into place: a reader never sees half a file.
  writeFileSync(`${file(settings)}.new`, JSON.stringify({ ...before, [part]: { count, lastAtMs: Date.now(), why } }));
  renameSync(`${file(settings)}.new`, file(settings));
}

/** Nothing was replaced yet. */
export function forgetReplacements(settings: ClusterSettings): void {
  rmSync(file(settings), { force: true });
}
