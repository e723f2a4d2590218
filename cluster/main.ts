import { existsSync } from "node:fs";

import { Argument, Command, InvalidArgumentError } from "commander";
import pc from "picocolors";

import { MAX_PORT_OFFSET } from "../contract/ports.js";
import { STATE_BACKENDS, type StateBackend } from "../flink/flink.js";
import { openTransactions } from "../kafka/transactions.js";
import { surviveFullDisk } from "../process/full-disk.js";
import { INTERRUPTED, interrupted } from "../terminal/interrupted.js";
import { wholeNumber } from "../terminal/option-values.js";
import { stepView } from "../terminal/step-view.js";
import { UserError } from "../terminal/user-error.js";
import { visible } from "../terminal/visible.js";
import { ensureTools } from "../tools/index.js";
import { endpoints } from "./endpoints.js";
import { type Cluster, killPart } from "./cluster.js";
import { clusterStatus, type DiskStatus, type StateStatus, stopCluster } from "./control.js";
import { eventText } from "./event-text.js";
import { type FailureHelper, startFailureHelper } from "./failure-helper.js";
import { compilerOption, MAX_PARALLELISM, parallelismOption, stateBackendOption } from "./job-options.js";
import { detach, tell } from "./processes/detach.js";
import { followLog } from "./processes/follow-log.js";
import { lastLines, logFile } from "./processes/managed-process.js";
import { startPrometheus, writePrometheusFiles } from "./prometheus/prometheus.js";
import {
  type ClusterOptions,
  clusterSettings,
  type ClusterSettings,
  type Compiler,
  FRAUD_DETECTION,
  type Part,
  PARTS,
  withDashboard,
} from "./settings.js";
import { startCluster } from "./start-cluster.js";
import { convertState, type KeptByFlink, keptText } from "./state/convert.js";
import { megabytes, sizeAdvice } from "./state/state-size.js";

const NOT_RUNNING = 3;

interface Named {
  readonly name: string;
  readonly portOffset: number;
}

interface Parallel {
  readonly parallelism?: number;
}

/** `npm run cluster`: the real parts as processes of this machine, all on loopback. @returns the exit code */
export async function main(argv: string[]): Promise<number> {
  let exitCode = 0;
  const program = new Command("npm run cluster --")
    .description(
      "Runs ZooKeeper, Kafka, MinIO, Flink with StateFun and the function server on this machine, all on loopback.",
    )
    .exitOverride();
  const named = (command: Command) =>
    command
      .option("--name <name>", "which cluster: the data folder below .cluster/", clusterName, "demo")
      .option("--port-offset <n>", "added to every port", wholeNumber(0, MAX_PORT_OFFSET), 0)
      .exitOverride();

  named(program.command("up"))
    .description(
      "starts everything and watches over it until Ctrl-C: a part that dies or hangs is reported and started again",
    )
    .option("--detach", "go on in the background once everything runs", false)
    .option("--fresh", "start over: forget all topics and state", false)
    .option(
      "--from-latest",
      "go on from the newest complete checkpoint or savepoint in the object store, after the job has ended or ZooKeeper has lost where it was",
      false,
    )
    .addOption(parallelismOption())
    .addOption(stateBackendOption())
    .addOption(compilerOption("optimising"))
    .option("--no-dashboard", "without the live web app")
    .option("--failures", "the web app gets a menu that kills parts on demand", false)
    .action(
      async (
        options: Named & {
          detach: boolean;
          fresh: boolean;
          fromLatest: boolean;
          parallelism?: number;
          stateBackend?: StateBackend;
          compiler: Compiler;
          dashboard: boolean;
          failures: boolean;
        },
      ) => {
        exitCode = options.detach ? await detach(clusterSettings(options), argv) : await up(options);
      },
    );
  named(program.command("status"))
    .description(`shows each part and the job; exit code ${NOT_RUNNING} unless all of it runs`)
    .option("--json", "as JSON", false)
    .action(async (options: Named & { json: boolean }) => {
      const status = await clusterStatus(clusterSettings({ ...options, application: withDashboard() }));
      if (options.json) console.log(JSON.stringify(status, undefined, 2));
      else {
        for (const { part, pid, healthy, cause, replaced } of status.parts) {
          const how =
            pid === undefined ? "stopped" : healthy ? "healthy" : cause === undefined ? "no answer" : "failing";
          console.log(
            `${part.padEnd(12)} ${how.padEnd(10)} ${pid === undefined ? "" : `process ${pid}`}${cause === undefined ? "" : `: ${cause}`}`,
          );
          if (replaced !== undefined)
            console.log(
              `${"".padEnd(12)} hung and was replaced ${replaced.count === 1 ? "once" : `${replaced.count} times`}, last at ${new Date(replaced.lastAtMs).toISOString()}: ${replaced.why}`,
            );
        }
        console.log(`${"Flink job".padEnd(12)} ${status.job}`);
        if (status.state !== undefined) for (const line of stateLines(status.state, options.name)) console.log(line);
        if (status.disk !== undefined) console.log(diskLine(status.disk));
        if (status.parts.some(({ part, healthy }) => part === "kafka" && healthy))
          for (const line of await hangingLines(endpoints(clusterSettings(options)).kafka)) console.log(line);
        if (status.supervisorPid === undefined && status.parts.some(({ pid }) => pid !== undefined))
          console.log("Nothing watches over these processes. Stop them with: npm run cluster -- down");
      }
      exitCode = status.running ? 0 : NOT_RUNNING;
    });
  named(program.command("logs"))
    .description("prints the end of a part's log")
    .argument("<part>", partNames(), partName)
    .option("-n, --lines <n>", "how many lines", wholeNumber(1, 1_000_000), 100)
    .option("-f, --follow", "show what is written from now on, until Ctrl-C", false)
    .action(async (part: Part, options: Named & { lines: number; follow: boolean }) => {
      const settings = clusterSettings(options);
      const file = logFile(settings, part);
      if (!existsSync(file))
        throw new UserError(`${part} of the cluster "${settings.name}" has no log: it was not started yet.`);
      if (options.follow) await followLog(file, options.lines, interrupted().signal, (line) => console.log(line));
      else for (const line of lastLines(settings, part, options.lines)) console.log(visible(line));
    });
  named(program.command("kill"))
    .description("kills a part's process at once (SIGKILL), to see what happens")
    .argument("<part>", partNames(), partName)
    .option("--signal <name>", "another signal, such as SIGTERM, SIGSTOP or SIGCONT", signalName, "SIGKILL")
    .action((part: Part, options: Named & { signal: NodeJS.Signals }) => {
      killPart(clusterSettings(options), part, options.signal);
      console.log(`${options.signal} sent to ${part}`);
    });
  named(program.command("convert"))
    .description(
      "moves a stopped cluster's state to another backend or parallelism, by a canonical savepoint; docs/operations.md says when",
    )
    .addArgument(new Argument("[backend]", "where to move the state").choices(STATE_BACKENDS))
    .option("--parallelism <n>", "of the Flink job from now on", wholeNumber(1, MAX_PARALLELISM))
    .action(async (stateBackend: StateBackend | undefined, { parallelism, ...options }: Named & Parallel) => {
      if (stateBackend === undefined && parallelism === undefined)
        throw new UserError("name what to change: rocksdb or hashmap, or --parallelism <n>, or both.");
      exitCode = await convert(clusterSettings(options), {
        ...(stateBackend !== undefined && { stateBackend }),
        ...(parallelism !== undefined && { parallelism }),
      });
    });
  named(program.command("metrics"))
    .description(
      "runs Prometheus (which must be installed) on the cluster until Ctrl-C, with the rules of dashboards/prometheus",
    )
    .option("--render", "only write its configuration, and print where", false)
    .action(async (options: Named & { render: boolean }) => {
      exitCode = await metrics(clusterSettings(options), options.render);
    });
  named(program.command("down"))
    .description("stops everything")
    .option("--wipe", "and deletes all topics, state and logs", false)
    .action(async (options: Named & { wipe: boolean }) => {
      const { supervisor, parts } = await stopCluster(clusterSettings(options), options);
      console.log(
        parts.length > 0 || supervisor ? `stopped: ${parts.join(", ") || "the supervisor"}` : "nothing was running",
      );
      if (options.wipe) console.log("data deleted");
    });

  await program.parseAsync(argv, { from: "user" });
  return exitCode;
}

async function up({
  fresh,
  fromLatest,
  dashboard,
  failures,
  ...options
}: ClusterOptions & { fresh: boolean; fromLatest: boolean; dashboard: boolean; failures: boolean }): Promise<number> {
  // In the background its output is a file on the disk that its parts fill.
  surviveFullDisk();
  const step = stepView();
  const { signal, wait } = interrupted();
  let cluster: Cluster | undefined;
  let helper: FailureHelper | undefined;
  let gaveUp = false;
  try {
    if (dashboard && failures) {
      helper = await startFailureHelper({
        kill: (part) => {
          if (cluster === undefined) throw new UserError("the cluster is still being started");
          cluster.kill(part);
        },
      });
    }
    const settings: ClusterSettings = clusterSettings({
      ...options,
      application: dashboard ? withDashboard(helper?.env) : FRAUD_DETECTION,
    });
    await step("tools: Java, jars, MinIO", (onProgress) => ensureTools({ onProgress }));
    cluster = await startCluster(settings, {
      step,
      restart: true,
      fresh,
      fromLatest,
      signal,
      onEvent: (event) => {
        console.log(eventText(event, 15));
        gaveUp ||= event.kind === "gave-up";
      },
    });
    console.log(
      `${pc.green("ready")}  Kafka 127.0.0.1:${settings.ports.kafka}  Flink http://127.0.0.1:${settings.ports.flinkRest}${dashboard ? `  live alerts ${pc.bold(endpoints(settings).dashboard)}` : ""}  data ${settings.dataDir}`,
    );
    await tell({ ready: true });
    await wait;
  } catch (error) {
    if (!signal.aborted) {
      await tell({ refused: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  } finally {
    await helper?.close();
    if (cluster !== undefined) await step("stopping", () => cluster!.stop());
  }
  return gaveUp ? 1 : 0;
}

async function convert(settings: ClusterSettings, to: Partial<KeptByFlink>): Promise<number> {
  const step = stepView();
  const { signal } = interrupted();
  try {
    await step("tools: Java, jars, MinIO", (onProgress) => ensureTools({ onProgress }));
    const done = await convertState(settings, to, { step, signal });
    console.log(
      done === undefined
        ? "the state is like that already"
        : `${pc.green("✔")} the state is on ${keptText(done.to)} now, not on ${keptText(done.from)}: a checkpoint has ${megabytes(done.checkpointBytes)}. Nothing is lost; go on with: npm run cluster -- up --name ${settings.name}`,
    );
    return 0;
  } catch (error) {
    if (signal.aborted) return INTERRUPTED;
    throw error;
  }
}

function stateLines({ backend, checkpointBytes }: StateStatus, name: string): string[] {
  if (checkpointBytes === undefined) return [`${"state".padEnd(12)} ${backend}`];
  const advice = sizeAdvice(backend, checkpointBytes, name);
  return [
    `${"state".padEnd(12)} ${backend}, last checkpoint ${megabytes(checkpointBytes)}`,
    ...(advice === undefined ? [] : [advice]),
  ];
}

/** A job whose checkpoints complete has none open for so long. */
const HANGING_MS = 10 * 60_000;

/** The transactions at which committed readers wait. */
async function hangingLines(brokers: string): Promise<string[]> {
  const open = await openTransactions(brokers).catch(() => []);
  return open
    .filter(({ startedAtMs }) => startedAtMs < Date.now() - HANGING_MS)
    .map(({ transactionalId, startedAtMs, timeoutMs, topics }) =>
      pc.red(
        `${"transaction".padEnd(12)} ${visible(transactionalId)} is open since ${new Date(startedAtMs).toISOString()}: committed readers of ${topics.map(visible).join(", ")} wait at it, until ${new Date(startedAtMs + timeoutMs).toISOString()} at most`,
      ),
    );
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
/** Below this share there is a warning, as of the alert `DiskNearlyFull`. */
const LITTLE_FREE = 0.1;

function diskLine({ totalBytes, freeBytes }: DiskStatus): string {
  const line = `${"disk".padEnd(12)} ${gigabytes(freeBytes)} of ${gigabytes(totalBytes)} free`;
  return freeBytes < LITTLE_FREE * totalBytes ? pc.red(`${line}: nearly full`) : line;
}

async function metrics(settings: ClusterSettings, render: boolean): Promise<number> {
  const file = writePrometheusFiles(settings);
  if (render) {
    console.log(file);
    return 0;
  }
  const { wait } = interrupted();
  const prometheus = await startPrometheus(settings, file);
  console.log(
    `${pc.green("ready")}  Prometheus ${prometheus.url}  alerts ${prometheus.url}/alerts  user ${prometheus.login.user}  password ${prometheus.login.password}  configuration ${file}`,
  );
  const over = await Promise.race([wait, prometheus.ended]);
  if (over !== undefined) throw new UserError(`Prometheus ended: ${over}`);
  await prometheus.stop();
  return 0;
}

const partNames = (): string => PARTS.join(", ");

function partName(text: string): Part {
  const part = PARTS.find((name) => name === text);
  if (part === undefined) throw new InvalidArgumentError(`It must be one of ${partNames()}.`);
  return part;
}

function clusterName(text: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,30}$/.test(text))
    throw new InvalidArgumentError("It must be up to 31 lower-case letters, digits and dashes.");
  return text;
}

function signalName(text: string): NodeJS.Signals {
  const signal = (["SIGKILL", "SIGTERM", "SIGINT", "SIGSTOP", "SIGCONT"] as const).find((name) => name === text);
  if (signal === undefined) throw new InvalidArgumentError("It must be SIGKILL, SIGTERM, SIGINT, SIGSTOP or SIGCONT.");
  return signal;
}
