import type { Pulse } from "../../wire.js";
import { bytes, latency, whole } from "../format.js";
import { Chart, type Line } from "../components/chart.js";
import { FailureMenu } from "../components/failure-menu.js";
import { average } from "../components/kpi-strip.js";
import { useStore } from "../store.js";

/** Committed decisions come in bursts, one a checkpoint: an average over some seconds shows how many there are. */
const SMOOTH = 5;
const smooth =
  (of: (pulse: Pulse) => number): Line["of"] =>
  (_, at, pulses) =>
    average(pulses.slice(Math.max(0, at - SMOOTH + 1), at + 1), of, SMOOTH);
const SHOWN_SECONDS = 300;

const perSecond = (value: number): string => `${whole(value)}/s`;

/** How the pipeline is, and what happens to it when a part dies. */
export function PipelineView() {
  const { pulses: all, failures, meta } = useStore();
  const pulses = all.slice(-SHOWN_SECONDS);
  const shared = { pulses, failures };
  const now = pulses.at(-1);
  return (
    <section class="page pipeline">
      <div class="pipeline-top">
        <Job now={now} />
        <Counters now={now} since={meta!.since} />
        <FailureMenu />
      </div>
      <div class="charts">
        <Chart
          {...shared}
          title="Throughput"
          format={perSecond}
          lines={[
            { label: "transactions in", colour: "--series-1", of: smooth((pulse) => pulse.in) },
            { label: "decided", colour: "--series-2", of: smooth(({ out }) => out), fill: true },
          ]}
          note={`Averages over ${SMOOTH} s: decisions are committed in bursts.`}
        />
        <Chart
          {...shared}
          title="Latency"
          format={(value) => latency(value)}
          lines={[
            { label: "first visible p50", colour: "--series-1", of: ({ visible }) => visible?.p50 ?? null },
            { label: "p99", colour: "--series-1", of: ({ visible }) => visible?.p99 ?? null, dash: true },
            { label: "committed p50", colour: "--series-2", of: ({ committed }) => committed?.p50 ?? null },
            { label: "p99", colour: "--series-2", of: ({ committed }) => committed?.p99 ?? null, dash: true },
          ]}
          note="From when the broker or the HTTP door took the transaction."
        />
        <Chart
          {...shared}
          title="In flight"
          format={whole}
          lines={[
            {
              label: "waiting for their decision",
              colour: "--series-1",
              of: ({ counts }) => counts.waiting,
              fill: true,
            },
            { label: "missing", colour: "--decline", of: ({ counts }) => counts.missing },
            { label: "duplicates", colour: "--review", of: ({ counts }) => counts.duplicates, dash: true },
          ]}
        />
        <Chart
          {...shared}
          title="Suspicious decisions"
          format={(value) => `${value < 10 ? value.toFixed(1) : whole(value)}/s`}
          lines={[
            { label: "review", colour: "--review", of: smooth(({ review }) => review) },
            { label: "decline", colour: "--decline", of: smooth(({ decline }) => decline) },
            { label: "error", colour: "--series-3", of: smooth(({ error }) => error) },
          ]}
          note={`Approved: ${perSecond(average(pulses, ({ approve }) => approve))}.`}
        />
        <Chart
          {...shared}
          title="Checkpoints"
          format={(value) => latency(value)}
          lines={[
            {
              label: "duration",
              colour: "--series-1",
              of: ({ pipeline }) => pipeline.checkpoints?.durationMs ?? null,
              fill: true,
            },
          ]}
        />
        <Chart
          {...shared}
          title="State in a checkpoint"
          format={(value) => bytes(value)}
          lines={[
            {
              label: "size",
              colour: "--series-2",
              of: ({ pipeline }) => pipeline.checkpoints?.bytes ?? null,
              fill: true,
            },
          ]}
        />
      </div>
    </section>
  );
}

function Job({ now }: { now: Pulse | undefined }) {
  const pipeline = now?.pipeline;
  const running = pipeline?.job === "RUNNING";
  return (
    <section class={`card job ${running ? "up" : "down"}`} aria-label="Flink job">
      <h2>Flink job</h2>
      <p class="job-state" data-figure="job">
        <i aria-hidden="true" />
        {pipeline?.job.toLowerCase() ?? "…"}
      </p>
      <dl class="figures">
        <Figure name="Restarts" value={pipeline && whole(pipeline.restarts)} id="restarts" />
        <Figure name="Interruptions seen" value={pipeline && whole(pipeline.interruptions)} id="interruptions" />
        <Figure name="The last one took" value={latency(pipeline?.lastOutageMs)} id="outage" />
        <Figure
          name="Checkpoints"
          value={
            pipeline?.checkpoints
              ? `${whole(pipeline.checkpoints.completed)} done, ${whole(pipeline.checkpoints.failed)} failed`
              : "–"
          }
          id="checkpoints"
        />
        <Figure name="Kafka" value={pipeline?.kafka ?? "…"} id="kafka" />
      </dl>
    </section>
  );
}

function Counters({ now, since }: { now: Pulse | undefined; since: number }) {
  const counts = now?.counts;
  const zero = (value: number | undefined): string => (value === undefined ? "" : value === 0 ? "good" : "bad");
  return (
    <section class="card counters" aria-label="Exactly once">
      <h2>Exactly once</h2>
      <div class="tiles">
        <Tile name="sent" value={counts?.sent} id="sent" />
        <Tile name="decided" value={counts?.decided} id="decided" />
        <Tile name="missing" value={counts?.missing} id="missing-tile" tone={zero(counts?.missing)} />
        <Tile name="duplicates" value={counts?.duplicates} id="duplicates-tile" tone={zero(counts?.duplicates)} />
      </div>
      <p class="muted">
        Of what came since {new Date(since).toLocaleTimeString("en-GB")}; {whole(counts?.waiting ?? 0)} are in flight
        {(counts?.rejected ?? 0) > 0 && `, ${whole(counts!.rejected)} were refused`}
        {(counts?.forgotten ?? 0) > 0 && `, ${whole(counts!.forgotten)} are beyond what is remembered`}. Read from
        Kafka, committed only.
      </p>
    </section>
  );
}

function Tile({ name, value, id, tone = "" }: { name: string; value: number | undefined; id: string; tone?: string }) {
  return (
    <div class={`tile ${tone}`}>
      <b data-figure={id}>{value === undefined ? "–" : whole(value)}</b>
      <span>{name}</span>
    </div>
  );
}

function Figure({ name, value, id }: { name: string; value: string | undefined; id: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd data-figure={id}>{value ?? "…"}</dd>
    </div>
  );
}
