import { DockerComposeEnvironment, type StartedDockerComposeEnvironment, Wait } from "testcontainers";
import { describe, inject } from "vitest";

import { ComposeCluster, removeProject } from "../../cluster/compose/compose-cluster.js";
import { composeProject, PIPELINE_SERVICES } from "../../cluster/compose/project.js";
import { clusterSettings, flinkClient } from "../../cluster/index.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
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
        return new ComposeCluster(
          settings,
          project,
          async () => void (await running?.down({ removeVolumes: false, timeout: STOP_LIMIT_MS })),
        );
      },
      changesBackend: false,
      wipe: () => removeProject(project, { volumes: true }),
    });
  },
);
