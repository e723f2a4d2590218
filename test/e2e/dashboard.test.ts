import { mkdirSync } from "node:fs";
import { join } from "node:path";

import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { stopCluster } from "../../cluster/control.js";
import { type FailureHelper, startFailureHelper } from "../../cluster/failure-helper.js";
import { type Cluster, clusterSettings, endpoints, flinkClient, startCluster } from "../../cluster/index.js";
import { withDashboard } from "../../cluster/settings.js";
import type { RawRecord } from "../../contract/raw-record.js";
import { TOPICS } from "../../contract/topics.js";
import { intakeHeaders } from "../../ingress-generator/intake-token.js";
import { runGenerator } from "../../ingress-generator/producer.js";
import { readTopics } from "../../java/java-reader.js";
import { followTopics } from "../../kafka/consumer.js";
import { given } from "../../process/environment.js";
import { poll } from "../../process/poll.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { Alert, Alert_Kind } from "../../protos/gen/fraud/v1/evidence.js";
import { FraudLabel } from "../../protos/gen/fraud/v1/transaction.js";
import { Any } from "../../protos/gen/google/protobuf/any.js";
import { silentStep } from "../../terminal/steps.js";
import { judgeRun } from "../../verifier/judge.js";
import { PATIENCE_MS } from "../patience.js";
import { BROWSER, startBrowser, type TestBrowser } from "./browser/browser.js";
import { attackByPages, openServer } from "./browser/strange-page.js";
import { attackedPaths, STRANGE, strangeBodies } from "./browser/strange-requests.js";
import { listeners } from "./listeners.js";

const RATE = 100;
/** The limit of the median: far more than it takes on a busy machine, and less than a page that polls would take. */
const VISIBLE_MS = 5_000;
const HOUR_MS = 3_600_000;
/** Transactions within minutes that the model calls suspicious. */
const BURST = 5;
const SCRIPT = `<script>window.pwned = true</script><img src=x onerror="window.pwned = true">`;
/** Records in the page when each alert is first seen there. */
const NOTE_ALERTS = `
  window.seen = {};
  const look = () => document.querySelectorAll("[data-alert]").forEach((row) => (window.seen[row.dataset.alert] ??= Date.now()));
  look();
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, attributes: true });
`;
const SCREENSHOTS = given()["UPDATE_SCREENSHOTS"] === "1" ? join(REPOSITORY_ROOT, "docs/screenshots") : undefined;

const name = "e2e-dashboard";
const portOffset = 15_000;
const { kafka: brokers, intake, dashboard: origin } = endpoints(clusterSettings({ name, portOffset }));

let cluster: Cluster;
let helper: FailureHelper;
let browser: TestBrowser;
const generating = new AbortController();
let generated: Promise<unknown>;
let sent = 0;
/** When a committed reader had each alert, in ms since 1970. */
const committedAtMs = new Map<string, number>();
let alertReader: { stop(): Promise<void> };

/** A figure such as `12,345`, whatever words follow it. */
const figure = async (page: Page, id: string): Promise<number> =>
  Number(/^[\d,]+/.exec(await text(page, id))?.[0].replaceAll(",", "") ?? NaN);
const text = (page: Page, id: string): Promise<string> => page.locator(`[data-figure="${id}"]`).first().innerText();
/** Days ago, so that times may move on within the test. */
const BASE_MS = Date.now() - 240 * HOUR_MS;

async function post(
  account: string,
  n: number,
  eventTimeMs: number,
  fields: Record<string, unknown> = {},
): Promise<void> {
  const body = {
    transactionId: `${account}-${n}`,
    accountId: account,
    merchantId: `${account}-shop`,
    merchantName: "Corner shop",
    amountMinor: 1_000 + n,
    currency: "EUR",
    eventTimeMs,
    ...fields,
  };
  const response = await fetch(`${intake}/v1/transactions?wait=20s&for=committed`, {
    method: "POST",
    headers: { "content-type": "application/json", ...intakeHeaders() },
    body: JSON.stringify(body),
  });
  expect(response.status, await response.text()).toBe(200);
}

async function burst(account: string, fields: Record<string, unknown> = {}): Promise<void> {
  for (let n = 1; n <= BURST; n++) await post(account, n, BASE_MS + n * 1_000, fields);
}

async function openAlertOf(page: Page, account: string): Promise<void> {
  await page.keyboard.press("Escape");
  await page.keyboard.press("/");
  await page.getByLabel("Search the alerts").fill(account);
  await page.locator(`[data-alert^="${account}/"]`).first().click();
  await page.locator("#alert-title").waitFor();
}

async function screenshot(page: Page, file: string): Promise<void> {
  if (SCREENSHOTS === undefined) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${file}.png`) });
}

describe.skipIf(BROWSER === undefined)("the live web app, in a browser, on the real pipeline", () => {
  beforeAll(async () => {
    helper = await startFailureHelper({ kill: (part) => cluster.kill(part) });
    cluster = await startCluster(clusterSettings({ name, portOffset, application: withDashboard(helper.env) }), {
      step: silentStep,
      restart: true,
      fresh: true,
    });
    alertReader = await followTopics({
      brokers,
      topics: [TOPICS.alerts.name],
      from: "beginning",
      onRecord: ({ value, arrivedAtMs }) => {
        const alert = Alert.decode(Any.decode(value!).value);
        if (alert.kind !== Alert_Kind.CLOSED) committedAtMs.set(alert.alertId, arrivedAtMs);
      },
    });
    generated = runGenerator({
      brokers,
      seed: 5,
      runId: "live",
      rate: RATE,
      accounts: 300,
      signal: generating.signal,
      onSend: ({ kind }) => void (kind === "transaction" && sent++),
    });
    browser = await startBrowser(origin);
  });
  afterAll(async () => {
    generating.abort();
    await (generated as Promise<unknown> | undefined)?.catch(() => undefined);
    await (browser as TestBrowser | undefined)?.close();
    await (alertReader as typeof alertReader | undefined)?.stop();
    await (cluster as Cluster | undefined)?.stop();
    await (helper as FailureHelper | undefined)?.close();
    await stopCluster(clusterSettings({ name, portOffset }), { wipe: true });
  });

  it("shows an alert within 2 s of its commit", async () => {
    await poll("alerts to be committed", () => committedAtMs.size >= 5, { timeoutMs: PATIENCE_MS });
    const page = await browser.open("/");
    // Records, by the same clock, when each alert is first on the page.
    await page.evaluate(NOTE_ALERTS);
    const openedAtMs = Date.now();
    const fresh = () => [...committedAtMs].filter(([, at]) => at > openedAtMs);
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
    const page = await browser.open("/");
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
    const page = await browser.open("/");
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
      () => browser.problems.some((problem) => problem.includes("Content Security Policy")),
      { timeoutMs: PATIENCE_MS },
    );
    expect(await page.evaluate(`window.pwned ?? "untouched"`)).toBe("untouched");
    browser.problems.splice(
      0,
      Infinity,
      ...browser.problems.filter((problem) => !problem.includes("Content Security Policy")),
    );
    await page.close();
  });

  it("takes a verdict, keeps it in the topic, and shows how the next scores change", async () => {
    await burst("victim");
    const page = await browser.open("/");
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
    const page = await browser.open("/");
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

  it("kills the TaskManager from its menu, shows the dip, and ends with nothing missing and nothing twice", async () => {
    const page = await browser.open("/pipeline");
    await poll("the job to run", async () => (await text(page, "job")).includes("running"), { timeoutMs: PATIENCE_MS });
    const interruptions = await figure(page, "interruptions");
    // It dies with a request for its figures unanswered: Flink would wait for the answer, and refresh no figures at
    // all.
    cluster.pause("taskmanager");
    const flink = flinkClient(cluster.settings);
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
    generating.abort();
    await generated;
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
    expect(judgement).toMatchObject({ accepted: sent, decisions: sent, missing: 0, duplicates: 0, violations: [] });
    await page.setViewportSize({ width: 390, height: 844 });
    await screenshot(page, "pipeline-phone");
    await page.goto(`${origin}/`);
    await page.emulateMedia({ colorScheme: "light" });
    await page.locator("[data-alert]").first().waitFor();
    await screenshot(page, "alerts-phone");
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
    await page.close();
  });

  it("gives a page of another origin nothing, on any port of any part, and does nothing that it asks", async () => {
    const { parts } = await cluster.status();
    const pids = parts.map(({ pid }) => pid);
    const settings = clusterSettings({ name, portOffset });
    const { ports, objectStore } = settings;
    const helperPort = Number(new URL(helper.env.DASHBOARD_FAILURES).port);
    const { jobs } = (await (await fetch(`${endpoints(settings).flink}/jobs/overview`)).json()) as {
      jobs: { jid: string }[];
    };
    const paths = attackedPaths(jobs[0]!.jid, objectStore.bucket);
    const pathsOf: Readonly<Record<number, readonly string[]>> = {
      [ports.flinkRest]: paths.flink,
      [ports.minio]: paths.minio,
      [ports.functions]: paths.functions,
      [ports.intake]: paths.intake,
      [ports.dashboard]: paths.dashboard,
      [ports.jobManagerMetrics]: paths.metrics,
      [ports.taskManagerMetrics]: paths.metrics,
      [helperPort]: paths.failures,
    };
    const listening = new Set(listeners(new Set(pids.map((pid) => pid!))).map(({ port }) => port));
    expect([...listening]).toEqual(
      expect.arrayContaining(
        Object.keys(pathsOf)
          .map(Number)
          .filter((port) => port !== helperPort),
      ),
    );
    const restartsBefore = await flinkClient(settings).restarts();

    const open = await openServer();
    try {
      const { tried, leaks } = await attackByPages(
        [...listening, helperPort, open.port].map((port) => ({ port, paths: pathsOf[port] ?? [] })),
        strangeBodies(BASE_MS),
      );
      // Where nothing is kept from a page it gets everything by either way: the attack is none on paper.
      const mine = (port: number) => leaks.filter((leak) => leak.port === port);
      expect(new Set(mine(open.port).map(({ by }) => by))).toEqual(new Set(["foreign page", "foreign name", "socket"]));
      expect(open.taken).toEqual(expect.arrayContaining(["GET /", "DELETE /", "PUT /", "PATCH /", "POST /"]));
      expect(leaks.filter(({ port }) => port !== open.port)).toEqual([]);
      expect(tried).toBeGreaterThan(1_000);
    } finally {
      await open.close();
    }

    expect((await cluster.status()).parts.map(({ pid }) => pid)).toEqual(pids);
    expect(await flinkClient(settings).restarts()).toBe(restartsBefore);
    await flinkClient(settings).waitForCheckpoints(1, PATIENCE_MS);
    const { records } = await readTopics({
      brokers,
      topics: [TOPICS.transactionsValid, TOPICS.labelsValid].map(({ name }) => ({ topic: name })),
      isolation: "read_committed",
      timeoutMs: PATIENCE_MS,
    });
    expect(records.length).toBeGreaterThan(RATE);
    expect(records.filter(({ value }) => value!.includes(STRANGE))).toEqual([]);
  });

  it("comes back by itself, with its history, when its server was killed", async () => {
    const page = await browser.open("/");
    await page.locator("[data-alert]").first().waitFor();
    const before = (await (await fetch(`${origin}/api/alerts?limit=1`)).json()) as { total: number };
    cluster.kill("dashboard");
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
    const page = await browser.open("/");
    await page.getByText("Live", { exact: true }).waitFor();
    cluster.pause("kafka");
    try {
      await page.getByText("Kafka does not answer.").waitFor();
    } finally {
      cluster.resume("kafka");
    }
    await page.getByText("Kafka does not answer.").waitFor({ state: "detached" });
    await page.close();
  });

  it("contacted nothing else, and had no error", () => {
    expect(browser.problems).toEqual([]);
  });
});

// Only then, so that nothing is reported as skipped where everything was tested.
if (BROWSER === undefined) {
  describe("the live web app, in a browser", () => {
    it.skip("is not tested here: there is no Chromium (get it: apt-get install chromium)", () => undefined);
  });
}
