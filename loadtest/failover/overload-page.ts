import { html, type Html, table } from "../../terminal/html.js";
import { timeline } from "../../terminal/timeline.js";
import type { OverloadRecord } from "./overload.js";
import type { Sample } from "./sampler.js";

const MB = 1024 * 1024;
const seconds = (ms: number): string => (ms < 0 ? "not in time" : `${(ms / 1000).toFixed(0)} s`);
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** For each overload: its bounds, its figures, and their course over time. */
export const overloadSections = (overloads: readonly OverloadRecord[]): Html[] =>
  overloads.map((overload, n) => section(overload, n + 1));

function section(overload: OverloadRecord, n: number): Html {
  const {
    kind,
    sent,
    offeredPerSecond,
    sustainedPerSecond,
    busyShare,
    decidedPerSecond,
    slowestShare,
    jobRestarts,
    checkpoints,
    memory,
    connections,
    cpuMicrosPerDecision,
    drainedMs,
    calmMs,
    limits,
    samples,
    loaded,
    watched,
  } = overload;
  const from = samples[0]?.atMs ?? 0;
  const at = (ms: number): number => (ms - from) / 1000;
  return html`<h2>Overload ${n}: <code>${kind}</code></h2>
${table(
  ["", "Bound", "Measured"],
  limits.map(({ name, what, held }) => [held ? "✔" : "✘", html`<code>${name}</code>`, what]),
)}
${table(
  ["Figure", "#"],
  [
    ["Sent through Kafka's door", sent.toLocaleString("en")],
    ["Of those per second", offeredPerSecond.toLocaleString("en")],
    [
      "What the cluster holds, per second",
      sustainedPerSecond === 0 ? "not asked" : sustainedPerSecond.toLocaleString("en"),
    ],
    [
      "Decided per second, in windows of 10 s: least, median, most",
      `${decidedPerSecond.min}, ${decidedPerSecond.median}, ${decidedPerSecond.max}`,
    ],
    ["Slowest 30 s, of the fastest", percent(slowestShare)],
    ["Processors that other programs had", percent(busyShare)],
    ["Restarts of the job", jobRestarts],
    [
      "Checkpoints completed, failed",
      `${checkpoints.completed}, ${checkpoints.failed} (${percent(checkpoints.failedShare)})`,
    ],
    ["Checkpoint p50, p99", `${checkpoints.p50Ms} ms, ${checkpoints.p99Ms} ms`],
    ["Last checkpoint", `${(checkpoints.lastBytes / MB).toFixed(1)} MiB`],
    ["Connections to the function server, most", connections],
    ["Drained, calm", `${seconds(drainedMs)}, ${seconds(calmMs)}`],
  ],
)}
${table(
  ["Memory, MiB", "#Second third, mean", "#most", "#Last third, mean", "#most", "#Ratio", "#CPU, µs per decision"],
  Object.entries(memory).map(([part, { second, last, ratio }]) => [
    part,
    ...[second.mean, second.max, last.mean, last.max].map((bytes) => (bytes / MB).toFixed(0)),
    ratio.toFixed(3),
    Object.entries(cpuMicrosPerDecision).find(([name]) => name === part)?.[1] ?? "",
  ]),
)}
${timeline(seriesOf(samples), [
  { at: at(loaded.fromMs), until: at(loaded.untilMs), label: "the load" },
  { at: at(watched.untilMs), until: at(watched.untilMs), label: "calm" },
])}`;
}

/** In whole seconds; a second without a sample has no value. */
function seriesOf(samples: readonly Sample[]) {
  const from = samples[0]?.atMs ?? 0;
  const length = Math.ceil(((samples.at(-1)?.atMs ?? 0) - from) / 1000) + 1;
  const values = (
    figure: (sample: Sample, before: Sample | undefined) => number | undefined,
  ): (number | undefined)[] => {
    const result = new Array<number | undefined>(length).fill(undefined);
    for (const [n, sample] of samples.entries())
      result[Math.floor((sample.atMs - from) / 1000)] = figure(sample, samples[n - 5]);
    return result;
  };
  return [
    {
      title: "Decided per second, over 5 s",
      unit: "",
      values: values((sample, before) =>
        sample.decided === undefined || before?.decided === undefined
          ? undefined
          : ((sample.decided - before.decided) / (sample.atMs - before.atMs)) * 1000,
      ),
    },
    {
      title: "Waiting in Kafka",
      unit: "",
      values: values(({ beforeDoor, beforeJob }) =>
        beforeDoor === undefined || beforeJob === undefined ? undefined : beforeDoor + beforeJob,
      ),
    },
    {
      title: "Last checkpoint",
      unit: "s",
      values: values(({ checkpoints }) => checkpoints?.lastMs && checkpoints.lastMs / 1000),
    },
    { title: "Checkpoints failed", unit: "", values: values(({ checkpoints }) => checkpoints?.failed) },
    { title: "Restarts of the job", unit: "", values: values(({ restarts }) => restarts) },
    {
      title: "Memory of the TaskManager",
      unit: "MiB",
      values: values(({ memoryBytes }) => memoryBytes.taskmanager && memoryBytes.taskmanager / MB),
    },
    {
      title: "Memory of the functions",
      unit: "MiB",
      values: values(({ memoryBytes }) => memoryBytes.functions && memoryBytes.functions / MB),
    },
    { title: "Connections to the function server", unit: "", values: values(({ connections }) => connections) },
  ];
}
