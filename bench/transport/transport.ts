import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { parseAllDocuments } from "yaml";

import { JAVA_17_OPTIONS } from "../../cluster/parts/flink.js";
import { QUICK_START } from "../../cluster/parts/part-program.js";
import { TRANSPORTS } from "../../cluster/transports.js";
import { type JavaDialogue, startJavaDialogue } from "../../java/java-dialogue.js";
import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { startModule } from "../../process/run-command.js";
import { Any } from "../../protos/gen/google/protobuf/any.js";
import { typeUrlOf } from "../../statefun/index.js";
import { html, table, writePage } from "../../terminal/html.js";
import { type Machine, thisMachine, writeJsonReport } from "../../terminal/json-report.js";
import { stepView } from "../../terminal/step-view.js";
import { UserError } from "../../terminal/user-error.js";
import { classpath, ensureTools, transportJar } from "../../tools/index.js";
import { cpuSeconds } from "../process-cpu.js";
import { type Spread, spreadOf, spreadText } from "../spread.js";

/** As the TaskManager has them. */
const TASKMANAGER_OPTIONS = [QUICK_START, ...JAVA_17_OPTIONS];
const ENDPOINT = "io.statefun.endpoints.v2/http";
const STATE_BYTES = 200;
/** With the state 244 bytes a call, besides names and addresses. */
const MESSAGE_BYTES = 44;
const HEAP_MB = 512;
const REPORT = "reports/bench-transport";

/** What is compared: by which class it makes its clients, and how it is set. */
const FACTORIES = {
  batching: { factory: "statefun.batching.BatchingClientFactory", settings: () => settingsOf(moduleTransport()) },
  async: {
    factory: "org.apache.flink.statefun.flink.core.nettyclient.NettyRequestReplyClientFactory",
    settings: () => settingsOf(TRANSPORTS.async.module[ENDPOINT].transport),
  },
} as const;
type Name = keyof typeof FACTORIES;
const NAMES = Object.keys(FACTORIES) as Name[];

/**
 * `closed`: so many calls in flight, the next as soon as one is answered. `open`: so many a second, whether or not any
 * is answered.
 */
interface Load {
  readonly kind: "closed" | "open";
  readonly much: number;
}
const LOADS: readonly Load[] = [
  { kind: "closed", much: 8 },
  { kind: "closed", much: 64 },
  { kind: "closed", much: 512 },
  { kind: "open", much: 3_000 },
];

/** What the Java program answers. */
interface Answer {
  /** All that were made; of a closed load as many as there was time for. */
  readonly calls: number;
  /** Answered while calls were made. */
  readonly perSecond: number;
  /** Of the Java process, in all. */
  readonly cpuMicros: number;
  /** In ms, from when a call was made; in an open load, from when it was due. */
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  readonly failed: number;
  readonly unanswered: number;
  /** Answers that were another call's. */
  readonly wrong: number;
  readonly failedAttempts: number;
  readonly callBytes: number;
  readonly problem: string | null;
}

/** One transport under one load, once. */
export interface TransportFigures extends Omit<Answer, "cpuMicros" | "callBytes"> {
  readonly transport: Name;
  readonly load: Load["kind"];
  /** Calls in flight, or calls a second. */
  readonly much: number;
  readonly round: number;
  /** Microseconds of processor time a call, of the process that calls and of the one that answers. */
  readonly clientMicros: number;
  readonly serverMicros: number;
}

const MEASURES = [
  "perSecond",
  "clientMicros",
  "serverMicros",
  "bothMicros",
  "meanMs",
  "p50Ms",
  "p99Ms",
  "longestMs",
] as const;
type Measure = (typeof MEASURES)[number];
type Summary = Readonly<Record<Measure, Spread>>;

/** `reports/bench-transport.json`. Field names are stable. */
export interface TransportReport {
  readonly machine: Machine;
  readonly rounds: number;
  readonly callBytes: number;
  readonly stateBytes: number;
  readonly figures: readonly TransportFigures[];
  readonly summary: readonly (Summary & {
    readonly transport: Name;
    readonly load: Load["kind"];
    readonly much: number;
  })[];
  /** The medians of the async transport by those of the batching one. */
  readonly asyncByBatching: readonly ({ readonly load: Load["kind"]; readonly much: number } & Readonly<
    Record<Measure, number>
  >)[];
}

export interface TransportOptions {
  readonly rounds: number;
  /** How long each load lasts, in seconds. */
  readonly seconds: number;
  readonly transports: readonly Name[];
}

/** The transports that there are. */
export const TRANSPORT_CHOICES = NAMES;

/**
 * What a call costs by transport, without a cluster: a Java process that calls as a Flink task does, and a function
 * server, each in turns. Writes `reports/bench-transport.json` and `.html`.
 *
 * @throws {UserError} when an answer was another call's, or a call was not answered
 */
export async function benchTransport(
  { rounds, seconds, transports }: TransportOptions,
  signal: AbortSignal,
): Promise<void> {
  const step = stepView();
  await step("tools", (onProgress) => ensureTools({ onProgress }));
  const sides: Side[] = [];
  const figures: TransportFigures[] = [];
  let callBytes = 0;
  const stop = (): void => void Promise.allSettled(sides.map((side) => side.stop(true)));
  signal.addEventListener("abort", stop, { once: true });
  try {
    for (const name of transports) sides.push(await startSide(name));
    for (const side of sides) await step(`warming up ${side.name}`, () => warmUp(side, seconds, signal));
    for (let round = 1; round <= rounds; round++) {
      for (const load of LOADS) {
        // The order turns, so that neither always has the machine when it is fresh.
        for (const side of round % 2 === 1 ? sides : sides.toReversed()) {
          const { figures: measured, bytes } = await step(`${side.name}, ${loadText(load)}, round ${round}`, () =>
            measure(side, load, round, seconds, signal),
          );
          figures.push(measured);
          callBytes = bytes;
          process.stdout.write(`${line(measured)}\n`);
        }
      }
    }
  } finally {
    signal.removeEventListener("abort", stop);
    await Promise.allSettled(sides.map((side) => side.stop(signal.aborted)));
  }
  const report = reportOf(figures, rounds, callBytes);
  writeJsonReport(`${REPORT}.json`, report);
  writePage(`${REPORT}.html`, "Transports", pageOf(report));
  for (const text of comparison(report)) process.stdout.write(`${text}\n`);
  const bad = figures.filter(({ wrong, failed, unanswered }) => wrong + failed + unanswered > 0);
  if (bad.length > 0)
    throw new UserError(
      `calls were not answered as they should be: ${bad.map((one) => `${line(one)} ${one.problem ?? ""}`).join("; ")}`,
    );
}

/** A transport's two processes. */
interface Side {
  readonly name: Name;
  readonly java: JavaDialogue;
  readonly serverPid: number;
  stop(atOnce: boolean): Promise<void>;
}

async function startSide(name: Name): Promise<Side> {
  const { factory, settings } = FACTORIES[name];
  const server = startModule("bench/transport/server.ts", {});
  const ended = once(server, "close");
  try {
    const port = String(((await once(server.stdout, "data")) as [Buffer])[0]).trim();
    const args = [
      factory,
      `http://127.0.0.1:${port}/statefun`,
      JSON.stringify(settings()),
      typeUrlOf(Any),
      String(STATE_BYTES),
      String(MESSAGE_BYTES),
    ];
    const java = await startJavaDialogue({
      sources: join(REPOSITORY_ROOT, "bench/transport"),
      program: "TransportBench",
      classpath: [classpath("flink"), transportJar()],
      heapMb: HEAP_MB,
      options: TASKMANAGER_OPTIONS,
      args,
    });
    return {
      name,
      java,
      serverPid: server.pid,
      async stop(atOnce) {
        await java.end(atOnce);
        server.kill("SIGTERM");
        await ended;
      },
    };
  } catch (error) {
    server.kill("SIGTERM");
    throw error;
  }
}

/** Java and Node run faster once they have compiled what is used much. */
async function warmUp({ java }: Side, seconds: number, signal: AbortSignal): Promise<void> {
  for (const inFlight of [1, 64, 64, 512]) {
    signal.throwIfAborted();
    await java.ask(`closed ${inFlight} ${seconds * 500}`);
  }
}

async function measure(
  { name, java, serverPid }: Side,
  { kind, much }: Load,
  round: number,
  seconds: number,
  signal: AbortSignal,
): Promise<{ figures: TransportFigures; bytes: number }> {
  signal.throwIfAborted();
  const before = cpuSeconds(serverPid);
  const {
    cpuMicros,
    callBytes: bytes,
    ...answer
  } = JSON.parse(await java.ask(`${kind} ${much} ${seconds * 1000}`)) as Answer;
  const server = (cpuSeconds(serverPid) - before) * 1e6;
  const each = (micros: number): number => Math.round((micros / Math.max(1, answer.calls)) * 10) / 10;
  return {
    figures: {
      transport: name,
      load: kind,
      much,
      round,
      ...answer,
      clientMicros: each(cpuMicros),
      serverMicros: each(server),
    },
    bytes,
  };
}

function reportOf(figures: readonly TransportFigures[], rounds: number, callBytes: number): TransportReport {
  const transports = NAMES.filter((name) => figures.some(({ transport }) => transport === name));
  const summary = LOADS.flatMap(({ kind: load, much }) =>
    transports.map((transport) => ({
      transport,
      load,
      much,
      ...summaryOf(figures.filter((one) => one.transport === transport && one.load === load && one.much === much)),
    })),
  );
  const asyncByBatching = LOADS.flatMap(({ kind: load, much }) => {
    const [batching, async] = (["batching", "async"] as const).map((name) =>
      summary.find((one) => one.transport === name && one.load === load && one.much === much),
    );
    if (batching === undefined || async === undefined) return [];
    const ratio = (measure: Measure): number =>
      Math.round((async[measure].median / batching[measure].median) * 100) / 100;
    return [
      {
        load,
        much,
        ...(Object.fromEntries(MEASURES.map((measure) => [measure, ratio(measure)])) as Record<Measure, number>),
      },
    ];
  });
  return { machine: thisMachine(), rounds, callBytes, stateBytes: STATE_BYTES, figures, summary, asyncByBatching };
}

function summaryOf(rounds: readonly TransportFigures[]): Summary {
  const valueOf = (one: TransportFigures, measure: Measure): number =>
    measure === "bothMicros" ? Math.round((one.clientMicros + one.serverMicros) * 10) / 10 : one[measure];
  return Object.fromEntries(
    MEASURES.map((measure) => [measure, spreadOf(rounds.map((one) => valueOf(one, measure)))]),
  ) as Record<Measure, Spread>;
}

const loadText = ({ kind, much }: Load): string =>
  kind === "closed" ? `${much} in flight` : `${much.toLocaleString("en")} a second offered`;

const line = ({
  transport,
  load,
  much,
  round,
  perSecond,
  clientMicros,
  serverMicros,
  meanMs,
  p50Ms,
  p99Ms,
  longestMs,
  failed,
  unanswered,
  wrong,
}: TransportFigures): string =>
  `${transport.padEnd(8)} ${loadText({ kind: load, much })}, round ${round}: ${Math.round(perSecond).toLocaleString("en")} calls/s, client ${clientMicros} + server ${serverMicros} µs a call, mean ${meanMs} p50 ${p50Ms} p99 ${p99Ms} longest ${longestMs} ms${failed + unanswered + wrong > 0 ? `, ${failed} failed, ${unanswered} unanswered, ${wrong} wrong` : ""}`;

function comparison({ asyncByBatching, summary }: TransportReport): string[] {
  return asyncByBatching.map(({ load, much, perSecond, bothMicros }) => {
    const longest = summary.find(
      (one) => one.transport === "batching" && one.load === load && one.much === much,
    )!.longestMs;
    return `${loadText({ kind: load, much })}: async needs ${bothMicros} times the processor time a call and does ${perSecond} times as many; batching's longest call ${spreadText(longest, 1)} ms`;
  });
}

function pageOf({ machine, rounds, callBytes, stateBytes, summary, asyncByBatching }: TransportReport) {
  const cells = (one: Summary) => [
    spreadText(one.perSecond),
    spreadText(one.clientMicros, 1),
    spreadText(one.serverMicros, 1),
    spreadText(one.bothMicros, 1),
    spreadText(one.meanMs, 1),
    spreadText(one.p50Ms, 1),
    spreadText(one.p99Ms, 1),
    spreadText(one.longestMs, 1),
  ];
  return html`<h1>Transports, client and server alone</h1>
<p>Calls of ${callBytes} bytes, ${stateBytes} of them state. Medians of ${rounds} rounds, with minimum and maximum; in an open load, times run from when a call was due. ${machine.cores} cores (${machine.cpu}), Node ${machine.node}.</p>
${table(
  [
    "Load",
    "Transport",
    "#calls/s",
    "#client, µs a call",
    "#server, µs a call",
    "#together",
    "#mean, ms",
    "#p50, ms",
    "#p99, ms",
    "#longest, ms",
  ],
  summary.map(({ transport, load, much, ...one }) => [loadText({ kind: load, much }), transport, ...cells(one)]),
)}
<h2>Async by batching (medians)</h2>${table(
    ["Load", "#calls/s", "#processor time a call", "#mean", "#p99", "#longest"],
    asyncByBatching.map((one) => [
      loadText({ kind: one.load, much: one.much }),
      one.perSecond,
      one.bothMicros,
      one.meanMs,
      one.p99Ms,
      one.longestMs,
    ]),
  )}`;
}

/** How `module.yaml` has the transport set. */
function moduleTransport(): Readonly<Record<string, unknown>> {
  for (const document of parseAllDocuments(readFileSync(join(REPOSITORY_ROOT, "module.yaml"), "utf8"))) {
    const { kind, spec } = document.toJS() as { kind: string; spec: { transport?: Record<string, unknown> } };
    if (kind === ENDPOINT && spec.transport !== undefined) return spec.transport;
  }
  throw new UserError("module.yaml names no transport. Restore it from the repository.");
}

/** A factory gets everything but the type, by which it was found. */
const settingsOf = ({ type: _type, ...settings }: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  settings;
