import { describe, expect, it } from "vitest";

import { poll } from "../../process/poll.js";
import { PATIENCE_MS } from "../patience.js";
import { BROWSER } from "./browser/browser.js";
import { analystTests } from "./live-app/analyst-tests.js";
import { foreignPageTests } from "./live-app/foreign-page-tests.js";
import { liveApp, origin, useLiveApp } from "./live-app/live-app.js";
import { pipelinePageTests } from "./live-app/pipeline-page-tests.js";

describe.skipIf(BROWSER === undefined)("the live web app, in a browser, on the real pipeline", () => {
  useLiveApp();
  analystTests();
  pipelinePageTests();
  foreignPageTests();

  it("comes back by itself, with its history, when its server was killed", async () => {
    const page = await liveApp.browser.open("/");
    await page.locator("[data-alert]").first().waitFor();
    const before = (await (await fetch(`${origin}/api/alerts?limit=1`)).json()) as { total: number };
    liveApp.cluster.kill("dashboard");
    await page.getByText("Reconnecting", { exact: true }).waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    await poll(
      "its history",
      async () =>
        ((await (await fetch(`${origin}/api/alerts?limit=1`)).json()) as { total: number }).total >= before.total,
      { timeoutMs: PATIENCE_MS },
    );
    await page.getByRole("link", { name: "Audit" }).click();
    await page.getByText("it was hers after all").waitFor();
    await page.close();
  });

  it("says that Kafka is away, and that it is back", async () => {
    const page = await liveApp.browser.open("/");
    await page.getByText("Live", { exact: true }).waitFor();
    liveApp.cluster.pause("kafka");
    try {
      await page.getByText("Kafka does not answer.").waitFor();
    } finally {
      liveApp.cluster.resume("kafka");
    }
    await page.getByText("Kafka does not answer.").waitFor({ state: "detached" });
    await page.close();
  });

  it("contacted nothing else, and had no error", () => {
    expect(liveApp.browser.problems).toEqual([]);
  });
});

// Only then, so that nothing is reported as skipped where everything was tested.
if (BROWSER === undefined) {
  describe("the live web app, in a browser", () => {
    it.skip("is not tested here: there is no Chromium (get it: apt-get install chromium)", () => undefined);
  });
}
