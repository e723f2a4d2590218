import { afterEach, describe, expect, it } from "vitest";

import { OWN } from "../testing/own-actions.js";
import { closeApps, startApp } from "../testing/started-app.js";

afterEach(closeApps);

describe("the failure menu", () => {
  it("is off unless there is a helper", async () => {
    const { ask, asked } = await startApp();
    expect(JSON.parse((await ask("GET", "/api/meta")).body)).toMatchObject({ failureParts: null });
    expect((await ask("POST", "/api/failures/taskmanager", { headers: OWN, body: {} })).status).toBe(404);
    expect(asked).toEqual([]);
  });

  it("asks the helper, with its token, and marks the moment", async () => {
    const { ask, asked, dashboard } = await startApp({ failures: true });
    expect(JSON.parse((await ask("GET", "/api/meta")).body)).toMatchObject({ failureParts: ["taskmanager"] });
    expect((await ask("POST", "/api/failures/taskmanager", { headers: OWN, body: {} })).status).toBe(202);
    expect((await ask("POST", "/api/failures/zookeeper", { headers: OWN, body: {} })).status).toBe(404);
    expect((await ask("POST", "/api/failures/taskmanager", { body: {} })).status).toBe(403);
    expect(asked.map(({ path, authorization }) => [path, authorization])).toEqual([
      ["/parts", "Bearer helper"],
      ["/kill/taskmanager", "Bearer helper"],
      ["/kill/zookeeper", "Bearer helper"],
    ]);
    expect(dashboard.failures.map(({ part }) => part)).toEqual(["taskmanager"]);
    expect(dashboard.takeDelta()?.failures).toHaveLength(1);
  });
});
