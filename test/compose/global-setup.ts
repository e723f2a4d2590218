import type { TestProject } from "vitest/node";

import { dockerOk } from "../../cluster/compose/docker.js";
import { ensureEngine, stopStartedEngine } from "../../cluster/compose/engine.js";
import { buildImages } from "../../cluster/images/build-images.js";

declare module "vitest" {
  interface ProvidedContext {
    /** Why nothing can run in containers here; empty when it can. */
    noContainers: string;
  }
}

/**
 * Before the container suite: makes sure of an engine, started if there is none and that is allowed, and of every
 * image. Afterwards that engine is stopped.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const say = (line: string): void => void process.stderr.write(`   ${line}\n`);
  // testcontainers' own helper for leftovers is one more image to pull; the tests clean up after themselves.
  process.env["TESTCONTAINERS_RYUK_DISABLED"] = "true";
  let engine = await ensureEngine(say);
  if (!("missing" in engine) && engine.started && (await removeContainersOfTests())) {
    say("removing containers of a run that was cut short, and restarting the engine: it may hold their ports");
    await engine.stop();
    engine = await ensureEngine(say);
  }
  if ("missing" in engine) {
    say(`the container suite is skipped: ${engine.missing}`);
    project.provide("noContainers", engine.missing);
    return undefined;
  }
  try {
    for (const { image, state } of await buildImages(say)) say(`${image}: ${state}`);
  } catch (error) {
    await engine.stop();
    throw error;
  }
  project.provide("noContainers", "");
  // A test may have put another in its place.
  return engine.started ? async () => void (await stopStartedEngine()) : undefined;
}

/**
 * An engine that was stopped while these ran starts them again when it starts, as it should. Where that fails because
 * their checkout is gone, Docker 20.10 does not release their ports until it ends.
 *
 * @returns whether there were any
 */
async function removeContainersOfTests(): Promise<boolean> {
  const ids = (await dockerOk(["ps", "--all", "--quiet", "--filter", "name=^fraud-test-"])).split("\n");
  const left = ids.filter((id) => id !== "");
  if (left.length > 0) await dockerOk(["rm", "--force", "--volumes", ...left]);
  return left.length > 0;
}
