import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type BrowserContext, chromium, type Page } from "playwright-core";

import { browserProgram } from "../../../tools/index.js";
import { PATIENCE_MS } from "../../patience.js";

/** Where a browser is, for `describe.skipIf`. */
export const BROWSER = browserProgram();

/** Of a browser that contacts nothing but the server under test. */
export const BROWSER_ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-extensions",
];

/** A browser for one test. */
export interface TestBrowser {
  readonly context: BrowserContext;
  /** Errors of scripts and of the console, and requests to anywhere but `origin`. */
  readonly problems: string[];
  open(path: string): Promise<Page>;
  close(): Promise<void>;
}

/**
 * Starts a browser with its own profile, which is gone afterwards.
 *
 * @param origin - the server under test, such as `http://127.0.0.1:8090`
 */
export async function startBrowser(origin: string): Promise<TestBrowser> {
  const profile = mkdtempSync(join(tmpdir(), "fraud-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: BROWSER!,
    headless: true,
    args: BROWSER_ARGS,
    viewport: { width: 1440, height: 900 },
    locale: "en-GB",
    timezoneId: "UTC",
    timeout: PATIENCE_MS,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const problems: string[] = [];
  context.on("request", (request) => {
    if (!request.url().startsWith(`${origin}/`)) problems.push(`asked for ${request.url()}`);
  });
  context.on("weberror", (error) => problems.push(`script: ${error.error().message}`));
  context.on("console", (message) => {
    // Requests that go unanswered while a server is killed are not the page's fault.
    if (message.type() === "error" && !/net::ERR_|Failed to load resource/.test(message.text()))
      problems.push(`console: ${message.text()}`);
  });
  context.on("dialog", (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return {
    context,
    problems,
    async open(path) {
      const page = await context.newPage();
      await page.goto(origin + path);
      return page;
    },
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
