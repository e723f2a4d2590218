import type { TestProject } from "vitest/node";

import { ensureEngine } from "../../cluster/compose/engine.js";
import { buildImages } from "../../cluster/images/build-images.js";

declare module "vitest" {
  interface ProvidedContext {
    /** Why nothing can run in containers here; empty when it can. */
    noContainers: string;
  }
}

/**
 * Before the container suite: an engine, started if there is none and it may, and every image. Afterwards that engine
 * is stopped.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const say = (line: string): void => void process.stderr.write(`   ${line}\n`);
  // testcontainers' own helper for leftovers is one more image to pull; the tests remove what they make.
  process.env["TESTCONTAINERS_RYUK_DISABLED"] = "true";
  const engine = await ensureEngine(say);
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
  return () => engine.stop();
}
