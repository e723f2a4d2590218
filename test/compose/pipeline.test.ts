import { readFileSync } from "node:fs";

import { DockerComposeEnvironment, type StartedDockerComposeEnvironment, Wait } from "testcontainers";
import { describe, expect, inject, it } from "vitest";

import { ComposeCluster, removeProject } from "../../cluster/compose/compose-cluster.js";
import { docker, dockerOk } from "../../cluster/compose/docker.js";
import { composeProject, PIPELINE_SERVICES } from "../../cluster/compose/project.js";
import { clusterSettings, endpoints, flinkClient } from "../../cluster/index.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { expectStrangersToGetNothing } from "../e2e/inner-ports.js";
import { networkListeners } from "../e2e/listeners.js";
import { pipelineTests, SERVER_ENV } from "../e2e/pipeline-tests.js";
import { PATIENCE_MS } from "../patience.js";

const STOP_LIMIT_MS = 20_000;

const settings = clusterSettings({
  name: "test-pipeline",
  portOffset: 17_000,
  serverEnv: SERVER_ENV,
});
const project = composeProject(settings);

describe.skipIf(inject("noContainers") !== "")(
  "the pipeline in containers, with one worker and one master killed on the way",
  () => {
    let cluster: ComposeCluster | undefined;
    let running: StartedDockerComposeEnvironment | undefined;
    const up = async (): Promise<StartedDockerComposeEnvironment> =>
      await new DockerComposeEnvironment(REPOSITORY_ROOT, "docker-compose.yml")
        .withProjectName(project.name)
        .withEnvironment(project.env)
        .withAutoCleanup(false)
        .withDefaultWaitStrategy(Wait.forHealthCheck())
        .withStartupTimeout(PATIENCE_MS)
        .up([...PIPELINE_SERVICES]);

    pipelineTests({
      settings,
      start: async ({ fresh }) => {
        // Left by a run that was cut short.
        if (fresh) await removeProject(project, { volumes: true });
        running = await up();
        await flinkClient(settings).waitForRunning(PATIENCE_MS);
        cluster = new ComposeCluster(
          settings,
          project,
          async () => void (await running?.down({ removeVolumes: false, timeout: STOP_LIMIT_MS })),
        );
        return cluster;
      },
      changesBackend: false,
      wipe: () => removeProject(project, { volumes: true }),
    });

    it("gives strangers nothing where master and worker talk to each other, and keeps nothing of theirs", async () => {
      const [master, worker] = ["master", "worker"].map((service) => cluster!.containers(service)[0]!);
      const inner = (pid: number, http: readonly number[]): number[] =>
        networkListeners(pid).flatMap(({ port, loopback }) => (loopback || http.includes(port) ? [] : [port]));
      const ports = [
        ...inner(master!.pid, [8_081, 9_249]).map((port) => ({ address: master!.address, port })),
        ...inner(worker!.pid, [9_249]).map((port) => ({ address: worker!.address, port })),
      ];
      // Of each its messages and its figures; the master's files; the records between workers.
      expect(ports.map(({ address }) => address)).toEqual([
        ...Array.from({ length: 3 }, () => master!.address),
        ...Array.from({ length: 3 }, () => worker!.address),
      ]);
      const inWorker = (...command: readonly string[]) => dockerOk(["exec", worker!.id, ...command]);
      await expectStrangersToGetNothing({
        ports,
        rest: endpoints(settings).flink,
        own: {
          pfx: Buffer.from(await inWorker("base64", "/volumes/flink-key/flink-key.p12"), "base64"),
          passphrase: await inWorker("cat", "/volumes/flink-key/password"),
        },
        taskManagers: processesBelow(worker!.pid),
        filesWith: async (text) =>
          (
            await Promise.all(
              [master!, worker!].map(({ id }) => docker(["exec", id, "grep", "-rl", text, "/tmp", "/opt/flink/log"])),
            )
          ).flatMap(({ stdout }) => stdout.split("\n").filter((line) => line !== "")),
      });
    });

    it("has the key of master and worker where Flink's user alone reads it, and its password in no argument", async () => {
      for (const service of ["master", "worker"]) {
        const { id, pid } = cluster!.containers(service)[0]!;
        const conf = "/dev/shm/flink-conf";
        const files = ["/volumes/flink-key/flink-key.p12", "/volumes/flink-key/password", conf];
        const modes = await dockerOk(["exec", id, "stat", "--format", "%A %U", ...files]);
        expect(modes.trim().split("\n")).toEqual(["-rw------- flink", "-rw------- flink", "drwx------ flink"]);
        const password = await dockerOk(["exec", id, "cat", "/volumes/flink-key/password"]);
        expect(password).toMatch(/^[\w-]{32}$/);
        const args = processesBelow(pid).map((one) => readFileSync(`/proc/${one}/cmdline`, "utf8"));
        expect(args.filter((line) => line.includes(conf)).length).toBeGreaterThan(0);
        expect(args.filter((line) => line.includes(password))).toEqual([]);
        expect(await cluster!.logOf(service)).not.toContain(password);
      }
    });
  },
);

/** A container's init, and what it has started. */
const processesBelow = (pid: number): number[] => [
  pid,
  ...readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number),
];
