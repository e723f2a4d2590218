import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { endpoints, flinkClient, type RunningCluster } from "../../cluster/index.js";
import { withModule } from "../../cluster/module-changes.js";
import type { Part } from "../../cluster/settings.js";
import { poll } from "../../process/poll.js";
import type { FlakyMode } from "./flaky-server.js";
import { coldBacklog, competingPrograms, overloaded, type OverloadRecord } from "./overload.js";
import { Ballast } from "./small-disk.js";
import type { LoadedTarget, Target } from "./target.js";

/** The functions before and after the rolling upgrade: another state field, another feature, a different model. */
export const UPGRADED_SETTINGS = { account: { knownMerchants: 16 } };
const UPGRADED_MODEL = "models/points-v2.json";

/** Longer than Flink waits for a heartbeat (`heartbeat.timeout`, 8 s). */
const PAUSE_MS = 12_000;
/** A part that hangs has another process by then. */
export const REPLACED_WITHIN_MS = 15_000;
const FLAKY_MS = 8_000;
/** How long both directions of an upgrade carry load. */
const UPGRADE_MS = 25_000;
const BUSY_MS = 40_000;
const FULL_MS = 45_000;
/** What is freed meanwhile is taken, so often. */
const FILL_MS = 500;
const LIMIT_MS = 300_000;

/** The file that makes the function server misbehave, and the one with its environment. */
export const flakyFile = (folder: string): string => join(folder, "flaky");
export const rollingEnvFile = (folder: string): string => join(folder, "rolling-env.json");

interface FaultDefinition {
  readonly description: string;
  /** Roughly how long it takes until all is well again, in seconds: this decides what still fits into a run. */
  readonly seconds: number;
  /** Whether a process is killed and nothing else happens: such faults must be recovered from quickly. */
  readonly kill?: true;
  /**
   * Whether it can be injected in containers too. The others control the function server through files, or restart the
   * job with changes.
   */
  readonly inContainers?: true;
  /** The part that the watchdog is to replace; for any other fault it must replace none. */
  readonly hangs?: Part;
  /** Whether the data folder must be on a disk of its own, which takes root: such a fault is left out of `all`. */
  readonly ownDisk?: true;
  /**
   * Whether the broker must have a clock of its own, which takes libfaketime: such a fault is left out of `all`, and
   * injected once, after the others. By that clock, topics keep their records for seven days.
   */
  readonly ownClock?: true;
  /** Whether it lasts for minutes: such a fault is left out of `all`, and injected once, after the others. */
  readonly long?: true;
  /** @returns how it went, if it must do more than recover */
  inject(target: LoadedTarget): Promise<OverloadRecord | undefined>;
}

const kill = (...parts: readonly Part[]): FaultDefinition => ({
  description: `${parts.join(" and ")} killed (SIGKILL)`,
  seconds: 20,
  kill: true,
  inContainers: true,
  inject: ({ cluster }) => {
    for (const part of parts) cluster.kill(part);
    return Promise.resolve(undefined);
  },
});

const pause = (part: Part): FaultDefinition => ({
  description: `${part} stopped for ${PAUSE_MS / 1000} s (SIGSTOP), longer than the heartbeat`,
  seconds: 35,
  inContainers: true,
  inject: async ({ cluster, signal }) => {
    cluster.pause(part);
    await delay(PAUSE_MS, undefined, { signal });
    // By now Flink may have given it up, and it may have given up itself.
    try {
      cluster.resume(part);
    } catch {
      // It is gone, and started again.
    }
    return undefined;
  },
});

const hang = (part: Part): FaultDefinition => ({
  description: `${part} stopped for good (SIGSTOP): the watchdog replaces it within ${REPLACED_WITHIN_MS / 1000} s`,
  seconds: 35,
  hangs: part,
  inject: async ({ cluster, signal }) => {
    const pid = async () => (await cluster.status()).parts.find((one) => one.part === part)?.pid;
    const before = await pid();
    cluster.kill(part, "SIGSTOP");
    await poll(
      `another process of ${part}`,
      async () => {
        const now = await pid();
        return now !== undefined && now !== before;
      },
      { timeoutMs: LIMIT_MS, signal },
    );
    return undefined;
  },
});

const flaky = (mode: FlakyMode, what: string): FaultDefinition => ({
  description: `the function server ${what} for ${FLAKY_MS / 1000} s`,
  seconds: 25,
  inject: async ({ folder, signal }) => {
    writeFileSync(flakyFile(folder), mode);
    await delay(FLAKY_MS, undefined, { signal });
    writeFileSync(flakyFile(folder), "");
    return undefined;
  },
});

/** Every kind of fault, by the name that reports use. */
export const FAULTS = {
  "kill-taskmanager": kill("taskmanager"),
  "kill-jobmanager": kill("jobmanager"),
  "kill-functions": kill("functions"),
  "kill-intake": kill("intake"),
  "kill-kafka": kill("kafka"),
  "kill-minio": kill("minio"),
  "kill-zookeeper": kill("zookeeper"),
  "kill-taskmanager-and-kafka": kill("taskmanager", "kafka"),
  "kill-jobmanager-and-functions": kill("jobmanager", "functions"),
  "pause-taskmanager": pause("taskmanager"),
  "pause-jobmanager": pause("jobmanager"),
  "pause-kafka": pause("kafka"),
  "hang-zookeeper": hang("zookeeper"),
  "hang-kafka": hang("kafka"),
  "hang-minio": hang("minio"),
  "hang-functions": hang("functions"),
  "hang-intake": hang("intake"),
  "hang-jobmanager": hang("jobmanager"),
  "hang-taskmanager": hang("taskmanager"),
  "functions-500": flaky("500", "answers 500"),
  "functions-404": flaky("404", "answers 404"),
  "functions-slow": flaky("slow", "answers 1.5 s late"),
  "functions-truncated": flaky("truncated", "breaks off its answers"),
  "functions-silent": flaky("silent", "does not answer"),
  "rolling-upgrade": {
    description: "the functions upgraded under load to a version with a new state field, feature and model, and back",
    seconds: 60,
    inject: async (target) => {
      await roll(target, { FRAUD_SETTINGS: JSON.stringify(UPGRADED_SETTINGS), FRAUD_MODEL: UPGRADED_MODEL });
      await delay(UPGRADE_MS, undefined, { signal: target.signal });
      await roll(target, {});
      await delay(UPGRADE_MS, undefined, { signal: target.signal });
      return undefined;
    },
  },
  "savepoint-restart": {
    description: "the job stopped with a savepoint and started with a changed module.yaml",
    seconds: 40,
    inject: async (target) => {
      const changes = { "io.statefun.endpoints.v2/http": { maxNumBatchRequests: 250 } };
      return await restart(target, {
        application: withModule(target.cluster.settings.application, target.folder, changes),
      });
    },
  },
  "parallelism-change": {
    description: "the job stopped with a savepoint and started with another parallelism: 1, 2, 3, and 1 again",
    seconds: 40,
    inject: (target) => restart(target, { parallelism: (target.cluster.settings.parallelism % 3) + 1 }),
  },
  "backend-change": {
    description: "the job stopped with a savepoint and started on the other state backend",
    seconds: 40,
    inject: (target) =>
      restart(target, { stateBackend: target.cluster.settings.stateBackend === "rocksdb" ? "hashmap" : "rocksdb" }),
  },
  "busy-machine": {
    description: `other programs have half of this machine's processors for ${BUSY_MS / 1000} s`,
    seconds: 60,
    inject: (target) => competingPrograms(target, BUSY_MS),
  },
  "disk-full": {
    description: `the disk of the data folder has no room for ${FULL_MS / 1000} s (needs root, for a disk of its own)`,
    seconds: 75,
    ownDisk: true,
    inject: async ({ cluster, signal }) => {
      const ballast = new Ballast(cluster.settings.dataDir);
      try {
        for (const endMs = Date.now() + FULL_MS; Date.now() < endMs;) {
          ballast.fill();
          await delay(FILL_MS, undefined, { signal });
        }
      } finally {
        ballast.drop();
      }
      return undefined;
    },
  },
  "outage-24h": {
    description:
      "taskmanager and kafka killed (SIGKILL), and back a day later by the broker's clock (needs libfaketime)",
    seconds: 30,
    ownClock: true,
    inject: async ({ cluster, clock }) => {
      const parts = ["taskmanager", "kafka"] as const;
      for (const part of parts) {
        cluster.hold(part);
        cluster.kill(part);
      }
      clock?.setAhead(1);
      // One that has not ended yet is only let go.
      for (const part of parts) await cluster.release(part);
      return undefined;
    },
  },
  overload: {
    description: "twice what the cluster holds is offered through Kafka's door for minutes, and then drained",
    seconds: 900,
    long: true,
    inject: overloaded,
  },
  "cold-backlog": {
    description: "the job and the functions are down while a backlog builds up, and start cold",
    seconds: 900,
    long: true,
    inject: coldBacklog,
  },
} as const satisfies Record<string, FaultDefinition>;
export type FaultKind = keyof typeof FAULTS;

export const faultOf = (kind: FaultKind): FaultDefinition => FAULTS[kind];

/** Replaces the function server by one with this environment, while it serves. */
async function roll({ cluster, folder, signal }: Target, env: Readonly<Record<string, string>>): Promise<void> {
  const health = async () =>
    (await (await fetch(`${endpoints(cluster.settings).functions}/healthz`)).json()) as {
      readonly logicVersion: string;
    };
  const before = await health();
  writeFileSync(rollingEnvFile(folder), JSON.stringify(env));
  cluster.kill("functions", "SIGHUP");
  await poll("the new function server to serve", async () => (await health()).logicVersion !== before.logicVersion, {
    timeoutMs: LIMIT_MS,
    signal,
  });
}

async function restart(
  { cluster, signal }: Target,
  changes: Parameters<RunningCluster["restartFlink"]>[0],
): Promise<undefined> {
  await cluster.restartFlink(changes);
  await flinkClient(cluster.settings).waitForRunning(LIMIT_MS, signal);
}
