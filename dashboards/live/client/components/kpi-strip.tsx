import type { Pulse } from "../../wire.js";
import { latency, whole } from "../format.js";
import { useStore } from "../store.js";
import { Sparkline } from "./sparkline.js";

/** Seconds behind a figure that would flicker otherwise: decisions are committed once a second, in bursts. */
const SMOOTH = 5;
const SPARK_SECONDS = 90;

export const average = (pulses: readonly Pulse[], of: (pulse: Pulse) => number, seconds = SMOOTH): number => {
  const last = pulses.slice(-seconds);
  return last.length === 0 ? 0 : last.reduce((sum, pulse) => sum + of(pulse), 0) / last.length;
};

/** The figures that one wants to see from across the room. */
export function KpiStrip() {
  const { pulses } = useStore();
  const now = pulses.at(-1);
  const spark = (of: (pulse: Pulse) => number): number[] => {
    const from = Math.max(0, pulses.length - SPARK_SECONDS);
    return pulses
      .slice(from)
      .map((_, at) => average(pulses.slice(Math.max(0, from + at - SMOOTH + 1), from + at + 1), of));
  };
  const last = <T,>(of: (pulse: Pulse) => T | null): T | undefined => {
    for (let at = pulses.length - 1; at >= Math.max(0, pulses.length - 30); at--) {
      const value = of(pulses[at]!);
      if (value !== null) return value;
    }
    return undefined;
  };
  const visible = last(({ visible: one }) => one);
  const committed = last(({ committed: one }) => one);
  const counts = now?.counts;
  return (
    <section class="kpis" aria-label="Key figures">
      <Kpi
        name="Alerts / min"
        value={whole(average(pulses, ({ alerts }) => alerts, 60) * 60)}
        values={spark(({ alerts }) => alerts)}
        tone="accent"
      />
      <Kpi
        name="Incoming"
        value={whole(average(pulses, (pulse) => pulse.in))}
        unit="/s"
        values={spark((pulse) => pulse.in)}
      />
      <Kpi name="Decided" value={whole(average(pulses, ({ out }) => out))} unit="/s" values={spark(({ out }) => out)} />
      <Kpi name="Visible p50" value={latency(visible?.p50)} values={spark((pulse) => pulse.visible?.p50 ?? 0)} />
      <Kpi
        name="Commit p50"
        value={latency(committed?.p50)}
        hint={committed && `p99 ${latency(committed.p99)}`}
        values={spark((pulse) => pulse.committed?.p50 ?? 0)}
      />
      <Kpi name="In flight" value={whole(counts?.waiting ?? 0)} values={spark((pulse) => pulse.counts.waiting)} />
      <Zero name="Missing" value={counts?.missing} id="missing" />
      <Zero name="Duplicates" value={counts?.duplicates} id="duplicates" />
    </section>
  );
}

function Kpi({
  name,
  value,
  unit,
  hint,
  values,
  tone,
}: {
  name: string;
  value: string;
  unit?: string;
  hint?: string | undefined;
  values: readonly number[];
  tone?: "accent";
}) {
  return (
    <div class={`kpi ${tone ?? ""}`}>
      <div class="kpi-name">{name}</div>
      <div class="kpi-value">
        {value}
        {unit && <small>{unit}</small>}
        {hint && <small class="hint">{hint}</small>}
      </div>
      <Sparkline values={values} />
    </div>
  );
}

/** A figure that has to stay at 0. */
function Zero({ name, value, id }: { name: string; value: number | undefined; id: string }) {
  const good = value === 0;
  return (
    <div class={`kpi zero ${value === undefined ? "" : good ? "good" : "bad"}`}>
      <div class="kpi-name">{name}</div>
      <div class="kpi-value" data-figure={id}>
        {value === undefined ? "–" : whole(value)}
        {value !== undefined && <small class="hint">{good ? "exactly once" : "look into this"}</small>}
      </div>
    </div>
  );
}
