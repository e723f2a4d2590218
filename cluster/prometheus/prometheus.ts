import { spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { HOST } from "../../contract/ports.js";
import { childEnv } from "../../process/environment.js";
import { poll } from "../../process/poll.js";
import { UserError } from "../../terminal/user-error.js";
import { isFree } from "../parts/ports.js";
import type { ClusterSettings } from "../settings.js";
import { authorizationOf, type PrometheusLogin, prometheusLogin } from "./login.js";
import { prometheusFiles, type PrometheusTimes } from "./render-prometheus.js";

const READY_MS = 30_000;
const STOP_MS = 10_000;
/** By default pages of every origin may read what it answers. */
const NO_ORIGIN = "http://none\\.invalid";

/** A Prometheus that watches a native cluster. */
export interface RunningPrometheus {
  /** Its web interface, without a slash at the end. */
  readonly url: string;
  /** Who may look. */
  readonly login: PrometheusLogin;
  readonly stop: () => Promise<void>;
  /** Resolves, when it ends by itself, with the last thing that it said. */
  readonly ended: Promise<string>;
}

/** Where a cluster's rendered configuration and its Prometheus' data are. */
const folderOf = ({ dataDir }: ClusterSettings): string => join(dataDir, "prometheus");

/** Writes the cluster's copy of the configuration. @returns the path of its `prometheus.yml` */
export function writePrometheusFiles(
  settings: ClusterSettings,
  times?: PrometheusTimes,
  editRules?: (text: string) => string,
): string {
  for (const [path, text] of prometheusFiles(settings, times, editRules)) {
    const file = join(folderOf(settings), path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return join(folderOf(settings), "prometheus.yml");
}

/**
 * Starts Prometheus with a configuration that {@link writePrometheusFiles} wrote, on loopback, and resolves when it
 * answers.
 *
 * @throws {UserError} when it is not installed, its port is taken, or it does not come up
 */
export async function startPrometheus(settings: ClusterSettings, configFile: string): Promise<RunningPrometheus> {
  const port = settings.ports.prometheus;
  if (!(await isFree(port)))
    throw new UserError(
      `port ${port}, which Prometheus needs, is taken by another program. Stop that, or move all ports with --port-offset.`,
    );
  const data = join(folderOf(settings), "data");
  // What was scraped before belongs to another run.
  rmSync(data, { recursive: true, force: true });
  const login = await prometheusLogin(join(folderOf(settings), "login"));
  // From its own folder: paths of rules are patterns, and a folder in front of them would be read as one too.
  const child = spawn(
    "prometheus",
    [
      `--config.file=${basename(configFile)}`,
      `--storage.tsdb.path=${data}`,
      `--web.listen-address=${HOST}:${port}`,
      `--web.config.file=${login.webConfig}`,
      `--web.cors.origin=${NO_ORIGIN}`,
      "--storage.tsdb.retention.time=1d",
      "--log.level=warn",
    ],
    { detached: true, stdio: ["ignore", "ignore", "pipe"], cwd: dirname(configFile), env: childEnv() },
  );
  let said = "";
  let isOver = false;
  child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)));
  const ended = new Promise<string>((resolve) => {
    const end = (text: string): void => {
      isOver = true;
      resolve(text);
    };
    child.on("error", (error) =>
      end(
        "code" in error && error.code === "ENOENT"
          ? "it is not installed. Get it: apt-get install prometheus, or https://prometheus.io/download"
          : error.message,
      ),
    );
    child.on("close", () => end(said.trim().split("\n").at(-1) ?? ""));
  });
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await ended;
    clearTimeout(timer);
  };
  const url = `http://${HOST}:${port}`;
  try {
    await poll("Prometheus to answer", async () => isOver || (await answers(`${url}/-/ready`, login)), {
      timeoutMs: READY_MS,
      intervalMs: 200,
    });
  } catch (error) {
    await stop();
    throw error;
  }
  if (isOver) throw new UserError(`Prometheus does not start: ${await ended}`);
  return { url, login, stop, ended };
}

const answers = async (url: string, login: PrometheusLogin): Promise<boolean> =>
  (await fetch(url, { headers: { authorization: authorizationOf(login) } })).ok;
