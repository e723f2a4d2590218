import { describe } from "vitest";

import { stopCluster } from "../../cluster/control.js";
import { clusterSettings, startCluster } from "../../cluster/index.js";
import { silentStep } from "../../terminal/steps.js";
import { pipelineTests, SERVER_ENV } from "./pipeline-tests.js";

const settings = clusterSettings({
  name: "e2e",
  portOffset: 10_000,
  serverEnv: SERVER_ENV,
});

describe("the pipeline, with one TaskManager and one JobManager killed on the way", () => {
  pipelineTests({
    settings,
    start: ({ fresh }) => startCluster(settings, { restart: true, fresh, step: silentStep }),
    changesBackend: true,
    wipe: async () => void (await stopCluster(settings, { wipe: true })),
  });
});
