import { readFileSync, rmSync } from "node:fs";

import { docker, dockerOk } from "../../cluster/compose/docker.js";
import { engineFolders, ensureEngine, startedEngine } from "../../cluster/compose/engine.js";
import { runQuietly } from "../../process/run-command.js";
import { endAtOnce, parentOf, processTree } from "../process-tree.js";

/**
 * Ends an engine of ours and everything in its containers as a machine does that loses its power: all at the same
 * moment. Then takes away what a machine has not kept when it starts: what is mounted, and `/run`.
 */
export async function endMachine(): Promise<void> {
  const ids = (await dockerOk(["ps", "--quiet"])).split("\n").filter((line) => line !== "");
  const firsts = (await dockerOk(["inspect", "--format", "{{.State.Pid}}", ...ids])).trim().split("\n").map(Number);
  // Each container has a process of its own above it, which belongs to nobody.
  const roots = new Set([startedEngine()!.pid, ...firsts.flatMap((pid) => parentOf(pid) ?? [])]);
  await endAtOnce([...roots].flatMap(processTree));
  const { data, run } = engineFolders();
  const mounted = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .flatMap((line) => line.split(" ")[1] ?? [])
    .filter((place) => [data, run].some((folder) => place.startsWith(`${folder}/`)));
  for (const place of mounted.reverse()) await runQuietly("umount", ["--lazy", place]);
  rmSync(run, { recursive: true, force: true });
}

/** Starts an engine again, as a machine does. It starts its containers by itself. */
export async function startMachine(): Promise<void> {
  const engine = await ensureEngine(() => undefined);
  if ("missing" in engine || (await docker(["ps"])).code !== 0) throw new Error("the engine does not start again");
}
