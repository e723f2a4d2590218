import { randomBytes } from "node:crypto";

import pc from "picocolors";

import { chooseWay, startEither, wayText } from "../cluster/availability.js";
import { eventText } from "../cluster/event-text.js";
import { type FailureHelper, startFailureHelper } from "../cluster/failure-helper.js";
import { clusterSettings, endpoints, type RunningCluster } from "../cluster/index.js";
import { FRAUD_DETECTION, withDashboard } from "../cluster/settings.js";
import { newRunId } from "../ingress-generator/producer.js";
import { warmUp } from "../ingress-generator/warm-up.js";
import { INTERRUPTED, interrupted } from "../terminal/interrupted.js";
import { writeJsonReport } from "../terminal/json-report.js";
import { openPage } from "../terminal/open-page.js";
import { stepView } from "../terminal/step-view.js";
import { UserError } from "../terminal/user-error.js";
import { demoCommand, type DemoOptions } from "./options.js";
import { isGood, summary } from "./report.js";
import { DemoRun } from "./run.js";
import { openScreen } from "./screen.js";

/**
 * `npm run demo`: starts everything, sends transactions, shows what comes out, and stops everything.
 *
 * @returns 0; 1 when the check of a bounded run fails; 130 when a bounded run is cut short
 */
export async function main(argv: string[]): Promise<number> {
  const command = demoCommand().exitOverride();
  command.parse(argv, { from: "user" });
  const options = command.opts<DemoOptions>();
  if (options.exit && options.transactions === undefined)
    command.error("error: --exit needs --transactions: without a number the demo goes on until Ctrl-C.");

  const step = stepView();
  const { signal, wait } = interrupted();
  let cluster: RunningCluster | undefined;
  let helper: FailureHelper | undefined;
  try {
    const { way, why } = await chooseWay(options);
    process.stderr.write(`${wayText(way, why)}\n`);
    const menu = options.dashboard && options.failures;
    let menuEnv: Readonly<Record<string, string>> = {};
    // In containers a service of docker-compose.yml does it: what it gets is a token, and the engine's socket.
    if (menu && way === "docker") menuEnv = { DASHBOARD_FAILURES_TOKEN: randomBytes(24).toString("base64url") };
    else if (menu) {
      helper = await startFailureHelper({
        kill: (part) => {
          if (cluster === undefined) throw new UserError("the cluster is still being started");
          cluster.kill(part);
        },
      });
      menuEnv = helper.env;
    }
    const settings = clusterSettings({
      ...options,
      application: options.dashboard ? withDashboard(menuEnv) : FRAUD_DETECTION,
    });
    signal.throwIfAborted();
    let say = (text: string): void => void process.stderr.write(`${text}\n`);
    cluster = await startEither(way, settings, {
      step,
      restart: true,
      fresh: options.fresh,
      signal,
      onEvent: (event) => say(eventText(event, 5)),
    });

    if (options.dashboard) {
      const page = endpoints(settings).dashboard;
      console.log(
        `\n${pc.green("➜")} ${pc.bold("live alerts")}  ${pc.bold(pc.cyan(page))}${!menu ? "" : `\n  its failure menu is on: whoever opens the page can kill parts of this cluster (--no-failures turns it off)`}\n`,
      );
      if (options.open) await openPage(page);
    }
    const runId = options.runId ?? newRunId();
    if (options.warmUp > 0) {
      await step(`warming up with ${options.warmUp} transactions`, (onProgress) =>
        warmUp({
          brokers: endpoints(settings).kafka,
          runId: `${runId}.warm`,
          seed: options.seed,
          transactions: options.warmUp,
          onProgress,
          signal,
        }),
      );
    }
    console.log(
      `\nrun ${pc.bold(runId)}: ${options.transactions ?? "endless"} transactions at ${options.rate}/s, seed ${options.seed}, ${options.accounts} accounts`,
    );
    const run = new DemoRun(cluster, options, runId);
    const screen = openScreen(run.stats, () => run.glance);
    say = (text) => screen.say(text);
    try {
      const report = await run.run(screen, signal);
      if (report === undefined) return options.transactions === undefined ? 0 : INTERRUPTED;
      writeJsonReport(options.report, report);
      screen.close();
      console.log(`\n${summary(report, options.report)}`);
      if (!options.exit) {
        console.log("\nThe cluster goes on; Ctrl-C stops it.");
        await wait;
      }
      return isGood(report) ? 0 : 1;
    } finally {
      screen.close();
    }
  } catch (error) {
    if (signal.aborted) return INTERRUPTED;
    throw error;
  } finally {
    await helper?.close();
    if (cluster !== undefined) await step("stopping", () => cluster!.stop());
  }
}
