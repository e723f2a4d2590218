import { poll } from "../../process/poll.js";
import { UserError } from "../../terminal/user-error.js";
import { type ClusterStatus, stateStatus } from "../control.js";
import { flinkClient } from "../flink-client.js";
import type { RunningCluster } from "../running-cluster.js";
import { type ClusterSettings, type Part, partsOf } from "../settings.js";
import { docker, dockerNow, dockerOk } from "./docker.js";
import { composeArgs, type ComposeProject } from "./project.js";
import { serviceOf, SERVICES } from "./services.js";

const START_LIMIT_MS = 60_000;

/** A container as the engine sees it. */
interface Container {
  readonly id: string;
  readonly state: string;
  readonly pid: number;
  readonly health: string | undefined;
  /** How often the engine has started it again by itself. */
  readonly restarts: number;
  /** Its address in the container network. */
  readonly address: string;
}

/** The parts of `docker inspect` that are used. */
interface Inspected {
  readonly Id: string;
  readonly RestartCount: number;
  readonly State: { readonly Status: string; readonly Pid: number; readonly Health?: { readonly Status: string } };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> };
}

/**
 * The services of docker-compose.yml, up and running: {@link startComposeCluster} starts them, or `testcontainers` may.
 */
export class ComposeCluster implements RunningCluster {
  readonly settings: ClusterSettings;
  readonly #project: ComposeProject;
  readonly #down: () => Promise<void>;
  readonly #starting = new Set<Promise<void>>();
  #stopped: Promise<void> | undefined;

  /** @param down - removes the containers; default: by `docker compose down`, which keeps the volumes */
  constructor(
    settings: ClusterSettings,
    project: ComposeProject,
    down: () => Promise<void> = () => removeProject(project, { volumes: false }),
  ) {
    this.settings = settings;
    this.#project = project;
    this.#down = down;
  }

  /** The containers of a service, running or not. */
  containers(service: string): readonly Container[] {
    const ids = dockerNow([
      "ps",
      "--all",
      "--quiet",
      "--no-trunc",
      "--filter",
      `label=com.docker.compose.project=${this.#project.name}`,
      "--filter",
      `label=com.docker.compose.service=${service}`,
      "--filter",
      "label=com.docker.compose.oneoff=False",
    ])
      .split("\n")
      .filter((id) => id !== "");
    if (ids.length === 0) return [];
    return (JSON.parse(dockerNow(["inspect", ...ids])) as Inspected[]).map(
      ({ Id, State, RestartCount, NetworkSettings }) => ({
        id: Id,
        state: State.Status,
        pid: State.Pid,
        health: State.Health?.Status,
        restarts: RestartCount,
        address: Object.values(NetworkSettings.Networks)[0]?.IPAddress ?? "",
      }),
    );
  }

  kill(part: Part, signal: NodeJS.Signals = "SIGKILL"): void {
    const ids = this.#those(part, "running");
    // The engine's signals go to the container's init; only what ends that ends the part.
    if (signal === "SIGSTOP" || signal === "SIGCONT") {
      for (const id of ids)
        dockerNow(["exec", id, "bash", "-c", `kill -${signal.slice(3)} $(</proc/1/task/1/children)`]);
      return;
    }
    dockerNow(["kill", "--signal", signal, ...ids]);
    // The engine takes a killed container for one that is wanted down, and leaves it to us.
    if (signal === "SIGKILL" || signal === "SIGTERM") this.#startAgain(ids);
  }

  pause(part: Part): void {
    dockerNow(["pause", ...this.#those(part, "running")]);
  }

  resume(part: Part): void {
    dockerNow(["unpause", ...this.#those(part, "paused")]);
  }

  /** @throws {UserError} when there are none */
  #those(part: Part, wanted: "running" | "paused"): string[] {
    const ids = this.containers(serviceOf(part)).flatMap(({ id, state }) => (state === wanted ? [id] : []));
    if (ids.length === 0)
      throw new UserError(
        `no container of ${serviceOf(part)} is ${wanted}. See: docker compose -p ${this.#project.name} ps`,
      );
    return ids;
  }

  #startAgain(ids: readonly string[]): void {
    const starting = poll(
      `the killed containers to start`,
      async () => this.#stopped !== undefined || (await docker(["start", ...ids])).code === 0,
      { timeoutMs: START_LIMIT_MS, intervalMs: 250 },
    )
      .then(() => undefined)
      // What is missing shows in the status, and in what is waited for.
      .catch(() => undefined)
      .finally(() => this.#starting.delete(starting));
    this.#starting.add(starting);
  }

  hold(part: Part): void {
    throw new UserError(`in containers ${part} is not kept down. Use the native cluster.`);
  }

  release(part: Part): Promise<void> {
    return Promise.reject(new UserError(`in containers ${part} is not kept down. Use the native cluster.`));
  }

  restartFlink(): Promise<void> {
    return Promise.reject(
      new UserError(
        "in containers the job is not restarted with changes: its settings are files of the repository. Use the native cluster.",
      ),
    );
  }

  async status(): Promise<ClusterStatus> {
    const parts = partsOf(this.settings).flatMap((part) =>
      SERVICES[part] === undefined
        ? []
        : [this.containers(SERVICES[part])].map((all) => ({
            part,
            pid: all[0]?.pid === 0 ? undefined : all[0]?.pid,
            healthy:
              all.length > 0 &&
              all.every(({ state, health }) => state === "running" && (health === "healthy" || health === undefined)),
          })),
    );
    const flink = flinkClient(this.settings);
    const job = await flink.jobState();
    return {
      parts,
      supervisorPid: undefined,
      job,
      state: await stateStatus(flink),
      running: job === "RUNNING" && parts.every(({ healthy }) => healthy),
    };
  }

  log(part: Part): Promise<string> {
    return this.logOf(serviceOf(part));
  }

  /** What a service has logged; for several containers, one after the other. */
  async logOf(service: string): Promise<string> {
    const { stdout, stderr } = await docker(
      composeArgs(this.#project, "logs", "--no-color", "--no-log-prefix", service),
      this.#project.env,
    );
    return stdout + stderr;
  }

  stop(): Promise<void> {
    this.#stopped ??= (async () => {
      await Promise.all(this.#starting);
      await this.#down();
    })();
    return this.#stopped;
  }
}

/** Removes a project's containers and networks, and with `volumes` all that it holds. */
export async function removeProject(project: ComposeProject, { volumes }: { volumes: boolean }): Promise<void> {
  await dockerOk(
    composeArgs(
      project,
      "--profile",
      "*",
      "down",
      "--remove-orphans",
      "--timeout",
      "20",
      ...(volumes ? ["--volumes"] : []),
    ),
    project.env,
  );
}
