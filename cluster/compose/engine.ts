import { spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { given } from "../../process/environment.js";
import { poll } from "../../process/poll.js";
import { identify, isAlive, type ProcessIdentity, signalProcess } from "../../process/process-identity.js";
import { UserError } from "../../terminal/user-error.js";
import { cacheDir } from "../../tools/cache-folder.js";
import type { Progress } from "../../tools/cache.js";
import { hasProgram } from "../../tools/has-program.js";
import { installDebian, mayInstall } from "../../tools/requirements.js";
import { ensureComposePlugin } from "./compose-plugin.js";

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 60_000;
/** A Docker engine that someone else runs beside it keeps its own. */
const RUN_DIR = "/run/stateful-fraud-detection";
const PID_FILE = join(RUN_DIR, "engine.json");

/** Why there is no engine, and no way to start one. */
export interface NoEngine {
  readonly missing: string;
}

/** A Docker engine that answers, with compose. */
export interface Engine {
  /** Whether this program has started it, so that it should stop it too. */
  readonly started: boolean;
  /** Stops it if it was started here. Its data stay for the next one. */
  stop(): Promise<void>;
}

/** Whether an engine answers, at `DOCKER_HOST` or the usual place. */
export const engineAnswers = (): boolean =>
  spawnSync("docker", ["version", "--format", "{{.Server.Version}}"], { stdio: "ignore", timeout: 20_000 }).status ===
  0;

/** Whether `docker compose` is there. */
export const composeAnswers = (): boolean =>
  spawnSync("docker", ["compose", "version"], { stdio: "ignore", timeout: 20_000 }).status === 0;

/**
 * Finds the running engine or, as root on Debian, starts one: Debian's `docker.io`, installed if need be, with its data
 * in the tools' cache, so that images last. Compose comes with it.
 *
 * @throws {UserError} when it should start but does not
 */
export async function ensureEngine(progress: Progress): Promise<Engine | NoEngine> {
  if (engineAnswers()) {
    if (!composeAnswers()) {
      if (!mayInstall())
        return { missing: "Docker runs, but has no compose plugin (get it: https://docs.docker.com/compose/install)" };
      await ensureComposePlugin(progress);
    }
    return { started: false, stop: () => Promise.resolve() };
  }
  const host = given()["DOCKER_HOST"];
  if (host !== undefined) return { missing: `no Docker engine answers at ${host} (DOCKER_HOST)` };
  if (!mayInstall())
    return { missing: "no Docker engine runs (start Docker; as root on Debian this would install and start one)" };
  if (!hasProgram("dockerd", "--version")) {
    await installDebian("Docker engine", ["docker.io", "iptables"], progress);
  }
  if (!composeAnswers()) await ensureComposePlugin(progress);
  // Installing may have started it, where there is a service manager.
  if (engineAnswers()) return { started: false, stop: () => Promise.resolve() };
  progress("starting a Docker engine");
  return await startEngine();
}

async function startEngine(): Promise<Engine> {
  const log = join(cacheDir(), "logs", "dockerd.log");
  mkdirSync(join(cacheDir(), "logs"), { recursive: true });
  mkdirSync(RUN_DIR, { recursive: true });
  const output = openSync(log, "a");
  const child = spawn(
    "dockerd",
    [
      "--data-root",
      engineFolders().data,
      "--exec-root",
      join(RUN_DIR, "exec"),
      "--pidfile",
      join(RUN_DIR, "dockerd.pid"),
    ],
    { detached: true, stdio: ["ignore", output, output] },
  );
  closeSync(output);
  child.unref();
  let ended = false;
  child.on("error", () => (ended = true));
  child.on("exit", () => (ended = true));
  try {
    await poll("the Docker engine to answer", () => ended || engineAnswers(), {
      timeoutMs: START_LIMIT_MS,
      intervalMs: 250,
    });
  } catch (cause) {
    throw new UserError(`the Docker engine does not start; its log: ${log}`, { cause });
  }
  const identity = child.pid === undefined || ended ? undefined : identify(child.pid);
  if (identity === undefined) throw new UserError(`the Docker engine ended while it was starting; its log: ${log}`);
  writeFileSync(PID_FILE, JSON.stringify(identity));
  return { started: true, stop: () => stopEngine(identity) };
}

/** The engine that this or an earlier run has started; `undefined` when none runs. */
export function startedEngine(): ProcessIdentity | undefined {
  if (!existsSync(PID_FILE)) return undefined;
  const identity = JSON.parse(readFileSync(PID_FILE, "utf8")) as ProcessIdentity;
  return isAlive(identity) ? identity : undefined;
}

/** Stops the engine that this or an earlier run has started. @returns whether there was one */
export async function stopStartedEngine(): Promise<boolean> {
  const identity = startedEngine();
  if (identity === undefined) return false;
  await stopEngine(identity);
  return true;
}

/** Where the engine that this program starts keeps its data, and what a machine loses when it is started again. */
export const engineFolders = (): { readonly data: string; readonly run: string } => ({
  data: join(cacheDir(), "docker"),
  run: RUN_DIR,
});

async function stopEngine(identity: ProcessIdentity): Promise<void> {
  // It stops its containers and its containerd by itself.
  if (signalProcess(identity, "SIGTERM"))
    await poll("the Docker engine to end", () => !isAlive(identity), { timeoutMs: STOP_LIMIT_MS });
  rmSync(PID_FILE, { force: true });
}
