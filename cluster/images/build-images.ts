import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { build } from "../../tools/build.js";
import type { Progress } from "../../tools/cache.js";
import { filesBelow } from "../../tools/files-below.js";
import { ensureImageTools } from "../../tools/index.js";
import {
  composeEnv,
  IMAGE_NAMES,
  type ImageName,
  OWN_IMAGE_NAMES,
  OWN_IMAGES,
  type OwnImageName,
} from "../compose/compose-env.js";
import { docker, dockerOk } from "../compose/docker.js";
import { BASE_IMAGE, ensureBaseImage } from "./base-image.js";
import { STAND_INS, type WithoutStandIn } from "./stand-ins.js";

/** A label on every stand-in: what it was made from. An official image has none, and is left alone. */
const LABEL = "stateful-fraud-detection.stand-in";

/** The images that this repository's own are built from. */
const BUILT_FROM = ["NODE_IMAGE", "JDK_IMAGE", "STATEFUN_IMAGE"] as const satisfies readonly ImageName[];

/** What became of an image. */
export interface BuiltImage {
  readonly image: string;
  readonly state: "official" | "stand-in, there already" | "stand-in, built" | "built" | "no stand-in";
}

const hasStandIn = (name: ImageName): name is Exclude<ImageName, WithoutStandIn> => name in STAND_INS;

/**
 * Builds a stand-in for every image that docker-compose.yml names and the engine lacks, under the same name, from
 * package registries, if they have what it takes; and this repository's own images.
 *
 * @throws {UserError} when something cannot be fetched or built
 */
export async function buildImages(progress: Progress): Promise<BuiltImage[]> {
  const env = composeEnv();
  const results: BuiltImage[] = [];
  const present = new Map<ImageName, string | undefined>();
  for (const name of IMAGE_NAMES) present.set(name, await standInLabel(env[name]!));
  if ([...present].some(([name, label]) => label !== "" && hasStandIn(name))) {
    await ensureImageTools(progress);
    await ensureBaseImage(progress);
  }
  for (const [name, label] of present) {
    const image = env[name]!;
    if (label === "") {
      results.push({ image, state: "official" });
      continue;
    }
    if (!hasStandIn(name)) {
      results.push({ image, state: "no stand-in" });
      continue;
    }
    const wanted = fingerprint(name);
    if (label === wanted) results.push({ image, state: "stand-in, there already" });
    else {
      await buildStandIn(name, image, wanted, progress);
      results.push({ image, state: "stand-in, built" });
    }
  }
  for (const image of await buildOwn(progress)) results.push({ image, state: "built" });
  return results;
}

/** Builds this repository's own images; what has not changed comes from the engine's cache. @returns their names */
export async function buildOwn(progress: Progress): Promise<string[]> {
  const images: string[] = [];
  for (const name of OWN_IMAGE_NAMES) images.push(await buildTarget(name, progress));
  return images;
}

async function buildTarget(name: OwnImageName, progress: Progress): Promise<string> {
  const env = composeEnv();
  const image = env[name]!;
  await build({
    what: `image ${image}`,
    command: "docker",
    args: [
      "build",
      "--network",
      "host",
      "--target",
      OWN_IMAGES[name],
      ...BUILT_FROM.flatMap((base) => ["--build-arg", `${base}=${env[base]!}`]),
      "-t",
      image,
      REPOSITORY_ROOT,
    ],
    // The classic builder: the other is a plugin that may be missing.
    env: { DOCKER_BUILDKIT: "0" },
    failure: `${image} could not be built. Is the npm registry reachable?`,
    progress,
  });
  return image;
}

/** Other people's images that the engine lacks. */
export async function missingImages(
  names: readonly (ImageName | OwnImageName)[] = [...IMAGE_NAMES, ...OWN_IMAGE_NAMES],
): Promise<string[]> {
  const env = composeEnv();
  const missing: string[] = [];
  for (const name of names) if ((await docker(["image", "inspect", env[name]!])).code !== 0) missing.push(env[name]!);
  return missing;
}

/** The label of a stand-in, `""` of an official image, `undefined` without an image. */
async function standInLabel(image: string): Promise<string | undefined> {
  const { code, stdout } = await docker(["image", "inspect", "--format", `{{index .Config.Labels "${LABEL}"}}`, image]);
  return code === 0 ? stdout.trim().replace("<no value>", "") : undefined;
}

function fingerprint(name: keyof typeof STAND_INS): string {
  const { folder, from } = STAND_INS[name];
  const hash = createHash("sha256")
    .update(JSON.stringify([BASE_IMAGE, from()]))
    .update(readFileSync(join(import.meta.dirname, "stand-ins.ts")));
  const files = join(import.meta.dirname, "stand-ins", folder);
  for (const file of filesBelow(files)) hash.update(file).update(readFileSync(join(files, file)));
  return hash.digest("hex").slice(0, 16);
}

/**
 * Makes a build context the same, whatever git's settings and the umask have made of it: its files keep their modes in
 * the image, where other users read them and its scripts run.
 *
 * @param binaries - its folder of files that are not text
 */
export function asOnLinux(context: string, binaries: string): void {
  chmodSync(context, 0o755);
  for (const entry of readdirSync(context, { withFileTypes: true })) {
    const path = join(context, entry.name);
    if (entry.isDirectory()) asOnLinux(path, binaries);
    else if (entry.isFile()) {
      chmodSync(path, (statSync(path).mode & 0o100) !== 0 ? 0o755 : 0o644);
      if (!path.startsWith(`${binaries}/`)) writeFileSync(path, readFileSync(path, "utf8").replaceAll("\r\n", "\n"));
    }
  }
}

async function buildStandIn(
  name: keyof typeof STAND_INS,
  image: string,
  label: string,
  progress: Progress,
): Promise<void> {
  const { folder, fill } = STAND_INS[name];
  const context = mkdtempSync(join(tmpdir(), `fraud-image-${folder}-`));
  try {
    cpSync(join(import.meta.dirname, "stand-ins", folder), context, { recursive: true });
    mkdirSync(join(context, "files"));
    fill(join(context, "files"));
    asOnLinux(context, join(context, "files"));
    await build({
      what: `stand-in for ${image}`,
      command: "docker",
      args: [
        "build",
        "--network",
        "none",
        "--build-arg",
        `BASE=${BASE_IMAGE}`,
        "--label",
        `${LABEL}=${label}`,
        "-t",
        image,
        context,
      ],
      env: { DOCKER_BUILDKIT: "0" },
      failure: `the stand-in for ${image} could not be built.`,
      progress,
    });
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
  await dockerOk(["image", "prune", "--force", "--filter", "dangling=true", "--filter", `label=${LABEL}`]);
}
