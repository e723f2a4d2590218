import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { removeProject } from "../../cluster/compose/compose-cluster.js";
import { endedJobTests } from "./up/ended-job-tests.js";
import { scaledTests } from "./up/scaled-tests.js";
import { startTests } from "./up/start-tests.js";
import { unharmedTests } from "./up/unharmed-tests.js";
import { compose, leftovers, project } from "./up/up-project.js";
import { webTests } from "./up/web-tests.js";

describe.skipIf(inject("noContainers") !== "")("docker compose, as people use it", () => {
  beforeAll(() => removeProject(project, { volumes: true }));
  afterAll(() => removeProject(project, { volumes: true }));

  // In this order, on one project.
  startTests();
  webTests();
  unharmedTests();
  scaledTests();
  endedJobTests();

  it("leaves nothing after down -v", async () => {
    expect(await leftovers()).not.toEqual([]);
    expect((await compose("down", "--volumes")).code).toBe(0);
    expect(await leftovers()).toEqual([]);
  });
});
