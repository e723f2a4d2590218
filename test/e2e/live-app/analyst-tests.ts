import { expect, it } from "vitest";

import { TOPICS } from "../../../contract/topics.js";
import { readTopics } from "../../../java/java-reader.js";
import { poll } from "../../../process/poll.js";
import { FraudLabel } from "../../../protos/gen/fraud/v1/transaction.js";
import { PATIENCE_MS } from "../../patience.js";
import { BASE_MS, brokers, burst, HOUR_MS, liveApp, openAlertOf, post, screenshot } from "./live-app.js";

/** The limit of the median: far more than it takes on a busy machine, and less than a page that polls would take. */
const VISIBLE_MS = 5_000;
const SCRIPT = `<script>window.pwned = true</script><img src=x onerror="window.pwned = true">`;
/** Records in the page when each alert is first seen there. */
const NOTE_ALERTS = `
  window.seen = {};
  const look = () => document.querySelectorAll("[data-alert]").forEach((row) => (window.seen[row.dataset.alert] ??= Date.now()));
  look();
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, attributes: true });
`;

/** What an analyst does: looks at alerts, gives a verdict, follows a transaction. Later ones rest on earlier ones. */
export function analystTests(): void {
  it("shows alerts as they are committed", async () => {
    await poll("alerts to be committed", () => liveApp.committedAtMs.size >= 5, { timeoutMs: PATIENCE_MS });
    const page = await liveApp.browser.open("/");
    // Records, by the same clock, when each alert is first on the page.
    await page.evaluate(NOTE_ALERTS);
    const openedAtMs = Date.now();
    const fresh = () => [...liveApp.committedAtMs].filter(([, at]) => at > openedAtMs);
    await poll("10 more alerts", () => fresh().length >= 10, { timeoutMs: PATIENCE_MS });
    const wanted = fresh().slice(0, 10);
    const seen = await poll(
      "them to be on the page",
      async () => {
        const all = await page.evaluate<Record<string, number>>("window.seen");
        return wanted.every(([id]) => all[id] !== undefined) && all;
      },
      { timeoutMs: PATIENCE_MS },
    );
    const delays = wanted.map(([id, at]) => seen[id]! - at);
    const median = delays.toSorted((a, b) => a - b)[Math.floor(delays.length / 2)]!;
    process.stdout.write(`    from commit to the page: median ${median} ms, at most ${Math.max(...delays)} ms\n`);
    expect(median).toBeLessThan(VISIBLE_MS);
    await screenshot(page, "alerts-light");
    await page.emulateMedia({ colorScheme: "dark" });
    await screenshot(page, "alerts-dark");
    await page.emulateMedia({ colorScheme: "light" });
    await page.getByLabel("Reason").selectOption("TRAVEL_IMPOSSIBLE");
    await page.locator("[data-alert]").first().click();
    await page.getByRole("img", { name: /^Places: / }).waitFor();
    await screenshot(page, "alert-light");
    await page.close();
  });

  it("works by keyboard", async () => {
    const page = await liveApp.browser.open("/");
    await page.locator("[data-alert]").first().waitFor();
    await page.keyboard.press("p");
    await page.getByText("Paused").waitFor();
    const ids = await page.evaluate<string[]>(
      `[...document.querySelectorAll("[data-alert]")].map((row) => row.dataset.alert)`,
    );
    // The page follows a key as soon as it gets to it.
    const isSelected = (id: string | undefined) => page.locator(`[aria-selected="true"][data-alert="${id}"]`).waitFor();
    await page.keyboard.press("j");
    await isSelected(ids[0]);
    await page.keyboard.press("j");
    await isSelected(ids[1]);
    await page.keyboard.press("k");
    await isSelected(ids[0]);
    await page.locator("#alert-title").waitFor();
    await page.keyboard.press("Enter");
    await page.locator("#alert-title:focus").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("#alert-title").waitFor({ state: "detached" });
    await page.keyboard.press("/");
    await page.keyboard.type("nothing is called this");
    await page.getByText("No alert matches these filters.").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.close();
  });

  it("shows a script in a name as text", async () => {
    await burst("evil", { merchantName: SCRIPT, location: { latitudeE6: 1, longitudeE6: 1, name: SCRIPT } });
    const page = await liveApp.browser.open("/");
    await page.locator("[data-alert]").first().waitFor();
    await openAlertOf(page, "evil");
    expect(await page.locator("#alert-title").innerText()).toContain(SCRIPT);
    await page.getByText("All features").waitFor();
    expect(
      await page.evaluate(`[window.pwned ?? "untouched", document.querySelectorAll("#app script, #app img").length]`),
    ).toEqual(["untouched", 0]);
    // And anything that got past the escaping would be stopped.
    await page.evaluate(
      `document.body.insertAdjacentHTML("beforeend", '<img src="/nothing" onerror="window.pwned = true">')`,
    );
    await poll(
      "the browser to refuse it",
      () => liveApp.browser.problems.some((problem) => problem.includes("Content Security Policy")),
      { timeoutMs: PATIENCE_MS },
    );
    expect(await page.evaluate(`window.pwned ?? "untouched"`)).toBe("untouched");
    liveApp.browser.problems.splice(
      0,
      Infinity,
      ...liveApp.browser.problems.filter((problem) => !problem.includes("Content Security Policy")),
    );
    await page.close();
  });

  it("takes a verdict, keeps it in the topic, and shows how the next scores change", async () => {
    await burst("victim");
    const page = await liveApp.browser.open("/");
    await page.locator("[data-alert]").first().waitFor();
    await openAlertOf(page, "victim");
    await page.getByRole("button", { name: /Confirm fraud/ }).focus();
    await page.keyboard.press("c");
    await page.getByLabel("Your name").fill("Ada Lovelace");
    await page.getByLabel("Note").fill(`called: not hers ${SCRIPT}`);
    await page.getByLabel("Note").press("Enter");
    const account = page.locator('[data-side="account"]');
    await account.waitFor();
    await page.getByText(/revision 1 · account event \d+ \(\+1\), merchant event \d+ \(\+1\)/).waitFor();

    // The window of the burst is past: alone, this scores 0.
    await post("victim", 100, BASE_MS + 20 * HOUR_MS);
    await post("victim", 101, BASE_MS + 21 * HOUR_MS);
    const after = account.locator("tr.after").last();
    await poll("the next scores", async () => (await account.locator("tr.after").count()) >= 2, {
      timeoutMs: PATIENCE_MS,
    });
    expect(await after.locator("td").nth(1).innerText()).toMatch(/^1 \+1$/);
    expect(await after.locator("td").nth(2).innerText()).toMatch(/^200\b/);
    expect(await page.locator('[data-side="merchant"] tr.after').last().locator("td").nth(1).innerText()).toMatch(
      /^1 \+1$/,
    );
    await page.emulateMedia({ colorScheme: "dark" });
    await page.setViewportSize({ width: 1440, height: 1350 });
    await screenshot(page, "alert-dark");
    await page.setViewportSize({ width: 390, height: 844 });
    await page.emulateMedia({ colorScheme: "light" });
    await screenshot(page, "alert-phone");
    await page.setViewportSize({ width: 1440, height: 900 });

    await page.locator("#alert-title").focus();
    await page.keyboard.press("f");
    await page.getByLabel("Note").fill("it was hers after all");
    await page.getByRole("button", { name: "Call it a false alarm" }).click();
    await page.getByText(/revision 2 · account event \d+ \(-1\)/).waitFor();
    await post("victim", 102, BASE_MS + 42 * HOUR_MS);
    const last = account.locator("tr.after").last();
    await poll(
      "a score without the fraud",
      async () =>
        /^0\b/.test(
          await last
            .locator("td")
            .nth(2)
            .innerText()
            .catch(() => ""),
        ),
      { timeoutMs: PATIENCE_MS },
    );
    expect(await last.locator("td").nth(1).innerText()).toMatch(/^0 −1$/);

    await page.getByRole("link", { name: "Audit" }).click();
    await page.getByText(`called: not hers ${SCRIPT}`).waitFor();
    expect(await page.locator("table.audit tbody tr").count()).toBe(2);
    const { records } = await readTopics({
      brokers,
      topics: [{ topic: TOPICS.labelsValid.name }],
      isolation: "read_committed",
      timeoutMs: PATIENCE_MS,
    });
    const trail = records
      .map(({ value }) => FraudLabel.decode(value!))
      .filter(({ analyst }) => analyst === "Ada Lovelace");
    expect(trail.map(({ accountId, revision, verdict, note }) => ({ accountId, revision, verdict, note }))).toEqual([
      { accountId: "victim", revision: 1, verdict: 1, note: `called: not hers ${SCRIPT}` },
      { accountId: "victim", revision: 2, verdict: 2, note: "it was hers after all" },
    ]);
    await page.close();
  });

  it("leads from an alert to its transaction's trace", async () => {
    const page = await liveApp.browser.open("/");
    await page.locator("[data-alert]").first().waitFor();
    await openAlertOf(page, "victim");
    const [trace] = await Promise.all([
      page.waitForEvent("popup"),
      page.getByRole("link", { name: "Trace it through the topics" }).click(),
    ]);
    await trace.getByText(/Derived again from the topics: byte-identical/).waitFor();
    for (const hop of ["entered", "counted", "merchant", "scored", "written", "committed", "alert"])
      await trace.getByRole("cell", { name: hop, exact: true }).first().waitFor();
    // Its style is allowed by its hash.
    expect(await trace.evaluate("getComputedStyle(document.body).maxWidth")).toBe("1120px");
    await trace.setViewportSize({ width: 1440, height: 1350 });
    await screenshot(trace, "trace-light");
    await trace.close();
    await page.close();
  });
}
