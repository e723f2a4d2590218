import { mkdirSync } from "node:fs";
import { join } from "node:path";

import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";

import { stopCluster } from "../../../cluster/control.js";
import { type FailureHelper, startFailureHelper } from "../../../cluster/failure-helper.js";
import { type Cluster, clusterSettings, endpoints, startCluster } from "../../../cluster/index.js";
import { withDashboard } from "../../../cluster/settings.js";
import { TOPICS } from "../../../contract/topics.js";
import { intakeHeaders } from "../../../ingress-generator/intake-token.js";
import { runGenerator } from "../../../ingress-generator/producer.js";
import { followTopics } from "../../../kafka/consumer.js";
import { given } from "../../../process/environment.js";
import { REPOSITORY_ROOT } from "../../../process/repository-root.js";
import { Alert, Alert_Kind } from "../../../protos/gen/fraud/v1/evidence.js";
import { Any } from "../../../protos/gen/google/protobuf/any.js";
import { silentStep } from "../../../terminal/steps.js";
import { startBrowser, type TestBrowser } from "../browser/browser.js";

/** Transactions per second that the generator sends. */
export const RATE = 300;
export const HOUR_MS = 3_600_000;
/** Days ago, so that times may move on within the test. */
export const BASE_MS = Date.now() - 240 * HOUR_MS;
/** Transactions within minutes that the model calls suspicious. */
const BURST = 5;
const SCREENSHOTS = given()["UPDATE_SCREENSHOTS"] === "1" ? join(REPOSITORY_ROOT, "docs/screenshots") : undefined;

const name = "e2e-dashboard";
const portOffset = 15_000;
export const settings = clusterSettings({ name, portOffset });
export const { kafka: brokers, dashboard: origin } = endpoints(settings);

/** What all tests of the web app share: one cluster, one browser, one stream of transactions. */
export const liveApp = {
  sent: 0,
  committedAtMs: new Map(),
} as {
  cluster: Cluster;
  helper: FailureHelper;
  browser: TestBrowser;
  /** Transactions that the generator has sent. */
  sent: number;
  /** When a committed reader had each alert, in ms since 1970. */
  readonly committedAtMs: Map<string, number>;
  /** Sends no more, and waits until all that was sent is written. */
  stopGenerating(): Promise<void>;
};

/** Starts all of it before the tests of a `describe`, and ends it after them. */
export function useLiveApp(): void {
  const generating = new AbortController();
  let generated: Promise<unknown> | undefined;
  let alertReader: { stop(): Promise<void> } | undefined;
  liveApp.stopGenerating = async () => {
    generating.abort();
    await generated;
  };
  beforeAll(async () => {
    liveApp.helper = await startFailureHelper({ kill: (part) => liveApp.cluster.kill(part) });
    liveApp.cluster = await startCluster(
      clusterSettings({ name, portOffset, application: withDashboard(liveApp.helper.env) }),
      { step: silentStep, restart: true, fresh: true },
    );
    alertReader = await followTopics({
      brokers,
      topics: [TOPICS.alerts.name],
      from: "beginning",
      onRecord: ({ value, arrivedAtMs }) => {
        const alert = Alert.decode(Any.decode(value!).value);
        if (alert.kind !== Alert_Kind.CLOSED) liveApp.committedAtMs.set(alert.alertId, arrivedAtMs);
      },
    });
    generated = runGenerator({
      brokers,
      seed: 5,
      runId: "live",
      rate: RATE,
      accounts: 300,
      signal: generating.signal,
      onSend: ({ kind }) => void (kind === "transaction" && liveApp.sent++),
    });
    liveApp.browser = await startBrowser(origin);
  });
  afterAll(async () => {
    await liveApp.stopGenerating().catch(() => undefined);
    // Undefined where the start failed.
    const { browser, cluster, helper } = liveApp as Partial<typeof liveApp>;
    await browser?.close();
    await alertReader?.stop();
    await cluster?.stop();
    await helper?.close();
    await stopCluster(settings, { wipe: true });
  });
}

/** A figure such as `12,345`, whatever words follow it. */
export const figure = async (page: Page, id: string): Promise<number> =>
  Number(/^[\d,]+/.exec(await text(page, id))?.[0].replaceAll(",", "") ?? NaN);
export const text = (page: Page, id: string): Promise<string> =>
  page.locator(`[data-figure="${id}"]`).first().innerText();

/** Sends a transaction of an account, and waits for its committed decision. */
export async function post(
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
  const response = await fetch(`${endpoints(settings).intake}/v1/transactions?wait=20s&for=committed`, {
    method: "POST",
    headers: { "content-type": "application/json", ...intakeHeaders() },
    body: JSON.stringify(body),
  });
  expect(response.status, await response.text()).toBe(200);
}

/** Sends so many of an account that alerts are raised. */
export async function burst(account: string, fields: Record<string, unknown> = {}): Promise<void> {
  for (let n = 1; n <= BURST; n++) await post(account, n, BASE_MS + n * 1_000, fields);
}

/** Finds an account's alert on the page, and opens it. */
export async function openAlertOf(page: Page, account: string): Promise<void> {
  await page.keyboard.press("Escape");
  await page.keyboard.press("/");
  await page.getByLabel("Search the alerts").fill(account);
  await page.locator(`[data-alert^="${account}/"]`).first().click();
  await page.locator("#alert-title").waitFor();
}

/** For the docs, when `UPDATE_SCREENSHOTS` is 1. */
export async function screenshot(page: Page, file: string): Promise<void> {
  if (SCREENSHOTS === undefined) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${file}.png`) });
}
