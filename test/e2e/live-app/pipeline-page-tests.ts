import { expect, it } from "vitest";

import { flinkClient } from "../../../cluster/index.js";
import type { RawRecord } from "../../../contract/raw-record.js";
import { TOPICS } from "../../../contract/topics.js";
import { readTopics } from "../../../java/java-reader.js";
import { poll } from "../../../process/poll.js";
import { judgeRun } from "../../../verifier/judge.js";
import { PATIENCE_MS } from "../../patience.js";
import { brokers, figure, liveApp, origin, RATE, screenshot, text } from "./live-app.js";

/** The page that shows the pipeline at work, through a failure. Nothing is generated after it. */
export function pipelinePageTests(): void {
  it("kills the TaskManager from its menu, shows the dip, and ends with nothing missing and nothing twice", async () => {
    const page = await liveApp.browser.open("/pipeline");
    await poll("the job to run", async () => (await text(page, "job")).includes("running"), { timeoutMs: PATIENCE_MS });
    const interruptions = await figure(page, "interruptions");
    // It dies with a request for its figures unanswered: Flink would wait for the answer, and refresh no figures at
    // all.
    liveApp.cluster.pause("taskmanager");
    const flink = flinkClient(liveApp.cluster.settings);
    await poll(
      "a checkpoint to wait for the stopped TaskManager",
      async () => ((await flink.pendingCheckpoint())?.triggeredAtMs ?? Infinity) < Date.now() - 2_500,
      { timeoutMs: PATIENCE_MS },
    );
    await page.getByRole("button", { name: "Kill TaskManager" }).click();
    await page.getByRole("button", { name: "Kill it now" }).click();
    await page.getByText("TaskManager was killed at").waitFor();
    await poll("the page to show the dip", async () => !(await text(page, "job")).includes("running"), {
      timeoutMs: PATIENCE_MS,
    });
    await page.getByText(/Flink (job is not running|does not answer)/).waitFor();
    await poll("the job to run again", async () => (await text(page, "job")).includes("running"), {
      timeoutMs: PATIENCE_MS,
    });
    expect(await figure(page, "interruptions")).toBe(interruptions + 1);
    // Flink gathers its metrics only now and then.
    await poll("the restart to be counted", async () => (await figure(page, "restarts")) > 0, {
      timeoutMs: PATIENCE_MS,
    });

    const decided = await figure(page, "decided");
    await poll("decisions to flow again", async () => (await figure(page, "decided")) > decided + 15 * RATE, {
      timeoutMs: PATIENCE_MS,
    });
    await screenshot(page, "pipeline-light");
    await page.emulateMedia({ colorScheme: "dark" });
    await screenshot(page, "pipeline-dark");
    await liveApp.stopGenerating();
    await poll("everything to be decided", async () => (await page.getByText(/; 0 are in flight/).count()) === 1, {
      timeoutMs: PATIENCE_MS,
    });
    await flink.waitForCheckpoints(2, PATIENCE_MS);
    const counted = {
      sent: await figure(page, "sent"),
      decided: await figure(page, "decided"),
      missing: await figure(page, "missing-tile"),
      duplicates: await figure(page, "duplicates-tile"),
    };
    expect(counted).toEqual({ sent: counted.decided, decided: counted.sent, missing: 0, duplicates: 0 });
    expect(counted.sent).toBeGreaterThan(10 * RATE);

    // What the page says is what Kafka's own consumer finds.
    const { records } = await readTopics({
      brokers,
      topics: [TOPICS.transactionsValid, TOPICS.decisions, TOPICS.functionsRejected].map((topic) => ({
        topic: topic.name,
      })),
      isolation: "read_committed",
      timeoutMs: PATIENCE_MS,
    });
    const of = (topic: { name: string }): RawRecord[] => records.filter((record) => record.topic === topic.name);
    const judgement = judgeRun(
      {
        transactions: of(TOPICS.transactionsValid),
        decisions: of(TOPICS.decisions),
        rejected: of(TOPICS.functionsRejected),
      },
      (account) => account.startsWith("live-"),
    );
    expect(judgement).toMatchObject({
      accepted: liveApp.sent,
      decisions: liveApp.sent,
      missing: 0,
      duplicates: 0,
      violations: [],
    });
    await page.setViewportSize({ width: 390, height: 844 });
    await screenshot(page, "pipeline-phone");
    await page.goto(`${origin}/`);
    await page.emulateMedia({ colorScheme: "light" });
    await page.locator("[data-alert]").first().waitFor();
    await screenshot(page, "alerts-phone");
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
    await page.close();
  });
}
