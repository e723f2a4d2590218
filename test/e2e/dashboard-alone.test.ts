import { describe, expect, it } from "vitest";

import { sampleDecision, sampleTreesDecision } from "../../dashboards/live/testing/samples.js";
import { poll } from "../../process/poll.js";
import { Outcome } from "../../protos/gen/fraud/v1/decision.js";
import { Verdict } from "../../protos/gen/fraud/v1/transaction.js";
import { PATIENCE_MS } from "../patience.js";
import { appWithAlerts, inBrowser } from "./browser/app-with-alerts.js";
import { BROWSER } from "./browser/browser.js";

/** A name that would be markup, were it not escaped; and as long as no screen. */
const STRANGE = `<img src=x onerror="alert(1)">${"x".repeat(60)}`;

describe.skipIf(BROWSER === undefined)("the live web app with 10,000 alerts", () => {
  const COUNT = 10_000;

  it("draws a few dozen of them, finds any, and holds still for people who read further down", async () => {
    await inBrowser(await appWithAlerts(COUNT), async (app, own) => {
      const page = await own.open("/");
      await page.getByText("10,000 alerts").waitFor();
      const rows = page.locator("[data-alert]");
      expect(await rows.count()).toBeLessThan(60);

      const beganMs = Date.now();
      await page.getByLabel("Search the alerts").fill("account-4711");
      await page.getByText("1 of 10,000").waitFor();
      process.stdout.write(`    found one of 10,000 in ${Date.now() - beganMs} ms\n`);
      expect(await rows.first().getAttribute("data-alert")).toBe("account-4711/1");
      await page.getByRole("button", { name: "clear" }).click();

      await page.locator("#alert-list").focus();
      await page.keyboard.press("End");
      await page.locator('[data-alert="account-1/1"]').waitFor();
      expect(await rows.count()).toBeLessThan(60);
      await page.keyboard.press("Escape");

      await page.evaluate("document.getElementById('alert-list').scrollTop = 68 * 5000");
      const middle = page.locator('[data-alert="account-4990/1"]');
      await middle.waitFor();
      const before = await middle.boundingBox();
      for (let n = 1; n <= 5; n++) app.raise({ id: `fresh/${n}`, account: "fresh", transactionId: `f${n}` });
      await page.getByText("10,000 alerts").waitFor();
      await poll(
        "the new ones to be there",
        () => page.evaluate<boolean>("document.getElementById('alert-list').scrollTop === 68 * 5005"),
        { timeoutMs: PATIENCE_MS },
      );
      expect(await middle.boundingBox()).toEqual(before);
      await page.getByRole("button", { name: "Newest" }).click();
      await page.locator('[data-alert="fresh/5"]').waitFor();
      expect(own.problems).toEqual([]);
    });
  });
});

describe.skipIf(BROWSER === undefined)("the live web app in many tabs", () => {
  it("is live in each of them, over one connection: a browser opens at most six to one server", async () => {
    await inBrowser(await appWithAlerts(3), async (app, own) => {
      const pages = [];
      for (let n = 0; n < 9; n++) pages.push(await own.open("/"));
      for (const page of pages) await page.getByText("3 alerts").waitFor({ timeout: PATIENCE_MS });
      await poll("the pages to follow", () => Promise.resolve(app.streams() === 1), { timeoutMs: PATIENCE_MS });
      app.raise({ id: "fresh/1", account: "fresh", transactionId: "f1" });
      for (const page of pages) await page.locator('[data-alert="fresh/1"]').waitFor({ timeout: PATIENCE_MS });
      expect(app.streams()).toBe(1);

      // Where there is no worker to share, each has its own connection.
      await own.context.addInitScript("delete globalThis.SharedWorker");
      const alone = await own.open("/");
      await poll("the page to follow by itself", () => Promise.resolve(app.streams() === 2), {
        timeoutMs: PATIENCE_MS,
      });
      app.raise({ id: "fresh/2", account: "fresh", transactionId: "f2" });
      for (const page of [...pages, alone])
        await page.locator('[data-alert="fresh/2"]').waitFor({ timeout: PATIENCE_MS });

      for (const page of [...pages.slice(1), alone]) await page.close();
      app.raise({ id: "fresh/3", account: "fresh", transactionId: "f3" });
      await pages[0]!.locator('[data-alert="fresh/3"]').waitFor({ timeout: PATIENCE_MS });
      expect(own.problems).toEqual([]);
    });
  });
});

describe.skipIf(BROWSER === undefined)("the keys of the live web app", () => {
  it("each count, however fast they come: faster than the page is painted", async () => {
    await inBrowser(await appWithAlerts(30), async (_app, own) => {
      const page = await own.open("/");
      await page.locator("[data-alert]").first().waitFor();
      const ids = await page.evaluate<string[]>(
        `[...document.querySelectorAll("[data-alert]")].map((row) => row.dataset.alert)`,
      );
      // Each in a task of its own, as a browser does it, and all of them before the next frame.
      const press = (keys: string): Promise<void> =>
        page.evaluate(`(async () => {
          await new Promise(requestAnimationFrame);
          for (const key of ${JSON.stringify(keys)}) {
            document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
            await new Promise((resolve) => {
              const { port1, port2 } = new MessageChannel();
              port1.onmessage = resolve;
              port2.postMessage(0);
            });
          }
        })()`);
      const selected = () => page.locator('[aria-selected="true"]').getAttribute("data-alert");
      await press("jjjjj");
      expect(await selected()).toBe(ids[4]);
      await press("kkj");
      expect(await selected()).toBe(ids[3]);
      await press("pjpjp");
      expect(await selected()).toBe(ids[5]);
      await page.getByText("Paused").waitFor();
      expect(own.problems).toEqual([]);
    });
  });
});

describe.skipIf(BROWSER === undefined)("the live web app on a decision by a model of points", () => {
  it("says what would have been approved", async () => {
    await inBrowser(await appWithAlerts(1), async (app, own) => {
      app.decide(sampleDecision({ accountId: "account-1" }));
      const page = await own.open("/alerts/account-1/1");
      await page.getByText("What would have been approved").click();
      expect(await page.locator(".counterfactuals li").allInnerTexts()).toEqual([
        "Distance from the last place: below 300 km instead of 900 km",
        "Speed needed from the last place: below 900 km/h instead of 1,200 km/h",
      ]);
      expect(own.problems).toEqual([]);
    });
  });
});

describe.skipIf(BROWSER === undefined)("the live web app on a decision by a model of trees", () => {
  it("shows probability, contributions with their signs and the challenger, as text", async () => {
    await inBrowser(await appWithAlerts(1), async (app, own) => {
      const decision = sampleTreesDecision({ accountId: "account-1" });
      decision.evidence!.scoring!.contributions.push({ feature: STRANGE, marginE6: 400_000n });
      Object.assign(decision.evidence!.scoring!.challenger!, { modelId: STRANGE });
      app.decide(decision);
      const page = await own.open("/alerts/account-1/1");
      await page.locator(".alert-head").getByText("12.4 % likely fraud").waitFor();
      // By what was decided, whatever score other models review from.
      await page.locator(".alert-head.review").getByText("to review").waitFor();
      const lines = page.locator(".contributions > .rules > li");
      expect((await lines.allInnerTexts()).map((text) => text.split(/\s*\n\s*/).join(" · "))).toEqual([
        "Transactions within 30 days · +251 · 3 (ordinary: 82), towards fraud",
        `${STRANGE} · +40 · not known, towards fraud`,
        "Known frauds since the last known genuine transaction · +30 · not known (ordinary: 0), towards fraud",
        "Amount · −12 · 19.99 (ordinary: 44.27), towards genuine",
      ]);
      await page.getByText("Less than one point each: 1.").waitFor();
      const challenger = page.getByRole("region", { name: "The challenger" });
      const said = await challenger.innerText();
      for (const part of [STRANGE, "shadow: changes nothing", "750 of 1000: declined.", "It does not agree."])
        expect(said).toContain(part);
      // The lines are at that model's thresholds: 395 and 443 of 1000.
      expect(await page.locator(".timeline .threshold").count()).toBe(2);
      for (const width of [390, 320]) {
        await page.setViewportSize({ width, height: 800 });
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
      }
      expect(own.problems).toEqual([]);
    });
  });
});

describe.skipIf(BROWSER === undefined)("the live web app's page of quality", () => {
  it("says what labels say, follows them, and works out costs that its reader changes", async () => {
    await inBrowser(await appWithAlerts(1), async (app, own) => {
      const decide = (transactionId: string, score: number): void =>
        app.decide(
          sampleDecision({
            transactionId,
            score,
            outcome: score >= 700 ? Outcome.DECLINE : score >= 400 ? Outcome.REVIEW : Outcome.APPROVE,
          }),
        );
      const label = (transactionId: string, verdict: Verdict, revision = 1): void =>
        app.label({ labelId: `${transactionId}-${revision}`, accountId: "a", transactionId, verdict, revision });
      const page = await own.open("/");
      await page.getByRole("link", { name: "Quality" }).click();
      await page.getByText("No decisions yet, so no labels yet.").waitFor();
      const figure = async (id: string, text: string): Promise<void> =>
        page.locator(`[data-figure="${id}"]`).filter({ hasText: text }).waitFor();

      for (let n = 1; n <= 40; n++) decide(`t${n}`, 0);
      for (let n = 41; n <= 44; n++) decide(`t${n}`, 250);
      for (let n = 45; n <= 54; n++) decide(`t${n}`, 450);
      await page.reload();
      await page.getByText("No labels yet. They come from the label feed").waitFor();
      await figure("labelled", "0");
      await figure("unlabelled", "10");

      // Of ten alerts eight are right, and three frauds were let through; one label comes twice.
      for (let n = 45; n <= 52; n++) label(`t${n}`, Verdict.FRAUD);
      for (const n of [42, 43, 44, 44]) label(`t${n}`, Verdict.FRAUD);
      label("t53", Verdict.FRAUD);
      label("t53", Verdict.LEGITIMATE, 2);
      label("t54", Verdict.LEGITIMATE);
      label("nobody knows it", Verdict.FRAUD);
      await figure("labelled", "13");
      await figure("precision", "80.0 %");
      await page.getByText("8 of 10; 95 %: 49.0 % to 94.3 %").first().waitFor();
      await figure("recall", "72.7 %");
      await figure("value-EUR", "72.7 %");
      await figure("unlabelled", "0");
      await figure("without-decision", "1");
      const byScore = page.getByRole("table", { name: "Fraud by score" });
      await byScore.getByRole("columnheader", { name: "Of the labelled" }).waitFor();
      const row = (await byScore.getByRole("row", { name: "200–299" }).innerText()).split(/\s+/);
      expect(row.slice(0, 4)).toEqual(["200–299", "4", "3", "3"]);
      await page.getByText("This model has no reference to compare with").waitFor();

      // Three frauds at 100 and ten looks at 3; declining from 250 on stops three good customers.
      await figure("looked-at", "review from 400: 330 = 3 frauds let through × 100 + 0 good customers stopped × 10");
      await figure("cheapest", "Now: review from 400, decline from 700: 330.");
      await figure("cheapest", "Cheapest of all: review from 250, decline from 250: 30.");
      await page.getByLabel("A fraud let through").fill("1");
      await figure("cheapest", "Cheapest of all: review from 451, decline from 700: 11.");
      await page.getByLabel("A fraud let through").fill("100");

      // By the keyboard alone.
      await page.getByLabel("An analyst's look").focus();
      await page.keyboard.press("Tab");
      await page.keyboard.press("Space");
      await page.getByText("What has no label is left out").waitFor();
      await page.keyboard.press("Tab");
      await page.keyboard.press("ArrowRight");
      await figure("looked-at", "decline from 700: 330");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Home");
      await figure("looked-at", "decline from 0: 20 = 0 frauds let through × 100 + 2 good customers stopped × 10");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await page
        .getByRole("table", { name: "Costs by threshold" })
        .getByRole("rowheader", { name: "700 now" })
        .waitFor();
      for (const width of [390, 320]) {
        await page.setViewportSize({ width, height: 800 });
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
      }
      expect(own.problems).toEqual([]);
    });
  });

  it("shows how far scores are from what a model of trees calls ordinary", async () => {
    await inBrowser(await appWithAlerts(1), async (app, own) => {
      for (let n = 0; n < 1_000; n++)
        app.decide(
          sampleTreesDecision({ transactionId: `t${n}`, score: n < 780 ? 0 : n < 975 ? 200 : n < 997 ? 400 : 600 }),
        );
      app.decide(sampleDecision({ transactionId: "another", outcome: Outcome.APPROVE, score: 0 }));
      const page = await own.open("/quality");
      await page.getByText("This model has no reference to compare with").waitFor();
      await page.getByLabel("Model").selectOption({ index: 1 });
      await page.locator('[data-figure="psi"]').filter({ hasText: "0.11" }).waitFor();
      await page.getByText("drifting population stability index of the scores").waitFor();
      await page.getByRole("img", { name: "0.11 on a scale on which 0.1 is drift and 0.25 far off" }).waitFor();
      expect(await page.getByRole("row", { name: "200 19.5 % 9.0 %" }).count()).toBe(1);
      // A sample of them: it takes longer to know enough.
      await page
        .getByRole("region", { name: "Drift by feature" })
        .getByRole("row", { name: "Amount" })
        .first()
        .waitFor();
      expect(own.problems).toEqual([]);
    });
  });
});

describe.skipIf(BROWSER === undefined)("the live web app on a phone", () => {
  it.each([390, 320])("is as wide as the screen of %i, whatever it says", async (width) => {
    await inBrowser(await appWithAlerts(3), async (app, own) => {
      const page = await own.open("/");
      await page.setViewportSize({ width, height: 800 });
      const fits = async (where: string): Promise<void> =>
        expect(await page.evaluate("document.documentElement.scrollWidth"), where).toBeLessThanOrEqual(width);
      for (const path of ["/audit", "/pipeline", "/quality", "/alerts/account-1/1", "/"]) {
        await page.goto(app.origin + path);
        await page.locator(".connection.live").waitFor({ timeout: PATIENCE_MS });
        await fits(path);
      }
      await page.getByRole("button", { name: "Pause" }).click();
      await page.locator(".connection.paused").waitFor({ timeout: PATIENCE_MS });
      await fits("paused");
      await app.close();
      await page.locator(".connection.lost").waitFor({ timeout: PATIENCE_MS });
      await fits("lost");
    });
  });
});

describe.skipIf(BROWSER === undefined)("the live web app with a token", () => {
  it("shows nothing before signing in", async () => {
    const token = "sixteen-and-more-letters";
    await inBrowser(await appWithAlerts(3, token), async (_app, own) => {
      const page = await own.open("/alerts/account-1/1");
      await page.getByLabel("Token").fill("wrong");
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByText("that is not the token").waitFor();
      expect(await page.getByText("account-1").count()).toBe(0);
      await page.getByLabel("Token").fill(token);
      await page.keyboard.press("Enter");
      await page.locator("#alert-title").waitFor();
      await page.reload();
      await page.locator("#alert-title").waitFor();
      expect(own.problems).toEqual([]);
    });
  });
});

// Only then, so that nothing is reported as skipped where everything was tested.
if (BROWSER === undefined) {
  describe("the live web app by itself, in a browser", () => {
    it.skip("is not tested here: there is no Chromium (get it: apt-get install chromium)", () => undefined);
  });
}
