import { UserError } from "../terminal/user-error.js";
import type { Progress } from "../tools/cache.js";
import { ensureReader, ensureTools } from "../tools/index.js";
import { buildOwn, missingImages } from "./images/build-images.js";
import type { RunningCluster } from "./running-cluster.js";
import type { ClusterSettings } from "./settings.js";
import { startCluster, type StartOptions } from "./start-cluster.js";
import { PIPELINE_IMAGES } from "./compose/compose-env.js";
import { composeAnswers, engineAnswers } from "./compose/engine.js";
import { runsInContainers } from "./compose/services.js";
import { startComposeCluster } from "./compose/start-compose-cluster.js";
import { composeBackend } from "./compose/state-backend.js";

/** How a system runs: as processes of this machine, or in containers. */
export type Way = "native" | "docker";

/** What a command was told; neither means whichever is available. */
export interface WayOptions {
  readonly native?: boolean;
  readonly docker?: boolean;
}

/** Why nothing can run in containers here; `undefined` when it can. */
export async function noContainers(): Promise<string | undefined> {
  if (!engineAnswers()) return "no Docker engine answers";
  if (!composeAnswers()) return "Docker has no compose plugin";
  const missing = await missingImages(PIPELINE_IMAGES);
  return missing.length === 0 ? undefined : `the engine lacks ${missing.join(", ")}`;
}

/**
 * Chooses how to run, and says why in a few words.
 *
 * @throws {UserError} when containers are asked for and not available
 */
export async function chooseWay({
  native = false,
  docker = false,
}: WayOptions): Promise<{ readonly way: Way; readonly why: string }> {
  if (native) return { way: "native", why: "as asked" };
  const missing = await noContainers();
  if (docker && missing !== undefined)
    throw new UserError(
      `${missing}. Get images with: docker compose pull --ignore-buildable; or, where no image registry can be reached: npm run images -- --keep-engine`,
    );
  if (docker) return { way: "docker", why: "as asked" };
  return missing === undefined
    ? { way: "docker", why: "a Docker engine has the images" }
    : { way: "native", why: missing };
}

/** A sentence for people. */
export const wayText = (way: Way, why: string): string =>
  `${way === "docker" ? "runs in containers (docker compose)" : "runs as processes of this machine"}: ${why}`;

/**
 * Brings what one way of running needs, and starts a cluster that way.
 *
 * @throws {UserError} as {@link startCluster} does
 */
export async function startEither(
  way: Way,
  settings: ClusterSettings,
  { k6 = false, ...options }: StartOptions & { readonly k6?: boolean },
): Promise<RunningCluster> {
  const { step, fresh, signal } = options;
  if (way === "native") {
    await step(`tools: Java, jars, MinIO${k6 ? ", k6" : ""}`, (onProgress: Progress) =>
      ensureTools({ k6, onProgress }),
    );
    signal?.throwIfAborted();
    return await startCluster(settings, options);
  }
  if (!runsInContainers(settings))
    throw new UserError("docker-compose.yml has no service for each server of this application. Use --native.");
  const backend = composeBackend();
  if (settings.stateBackendAsked && settings.stateBackend !== backend)
    throw new UserError(
      `in containers the state backend is what cluster/flink-conf.yaml says: ${backend}. Use --native for another.`,
    );
  await step(`tools: Java, Kafka's jars${k6 ? ", k6" : ""}`, (onProgress: Progress) =>
    ensureReader({ k6, onProgress }),
  );
  await step("this repository's image", async (onProgress: Progress) => void (await buildOwn(onProgress)));
  signal?.throwIfAborted();
  return await startComposeCluster(settings, { step, ...(fresh !== undefined && { fresh }), signal });
}
