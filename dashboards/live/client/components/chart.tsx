import { useEffect, useRef, useState } from "preact/hooks";
import UPlot from "uplot";

import type { FailureMark, Pulse } from "../../wire.js";
import { cssColour, onThemeChange } from "../theme.js";

/** A line of a chart. */
export interface Line {
  readonly label: string;
  /** A variable of the style sheet. */
  readonly colour: string;
  readonly of: (pulse: Pulse, at: number, pulses: readonly Pulse[]) => number | null;
  readonly fill?: boolean;
  readonly dash?: boolean;
}

const HEIGHT = 190;

/** Lines over the last minutes. Where the job did not run, the ground is red; kills are marked. */
export function Chart({
  title,
  lines,
  pulses,
  failures,
  format,
  note,
}: {
  title: string;
  lines: readonly Line[];
  pulses: readonly Pulse[];
  failures: readonly FailureMark[];
  format: (value: number) => string;
  note?: string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot>();
  const marks = useRef({ pulses, failures });
  marks.current = { pulses, failures };
  const [colours, setColours] = useState(0);
  useEffect(() => onThemeChange(() => setColours((n) => n + 1)), []);

  useEffect(() => {
    const element = box.current!;
    const axis = {
      stroke: cssColour("var(--muted)"),
      grid: { stroke: cssColour("var(--grid)"), width: 1 },
      ticks: { show: false },
      font: "11px system-ui, sans-serif",
    };
    const made = new UPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        padding: [8, 8, 0, 0],
        cursor: { y: false, points: { size: 6 }, sync: { key: "pipeline" } },
        legend: { show: false },
        scales: { x: { time: true }, y: { range: (_, __, max) => [0, Math.max(max * 1.15, 1)] } },
        axes: [
          { ...axis, size: 26, values: "{HH}:{mm}:{ss}", space: 90 },
          { ...axis, size: 58, values: (_, values) => values.map(format), space: 34 },
        ],
        series: [
          {},
          ...lines.map(({ label, colour, fill = false, dash = false }) => ({
            label,
            stroke: cssColour(`var(${colour})`),
            width: 2,
            points: { show: false },
            spanGaps: true,
            ...(fill && { fill: cssColour(`color-mix(in srgb, var(${colour}) 13.3%, transparent)`) }),
            ...(dash && { dash: [5, 4], width: 1.5 }),
          })),
        ],
        hooks: { drawClear: [(chart) => drawMarks(chart, marks.current)] },
      },
      dataOf(lines, pulses),
      element,
    );
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
    };
  }, [colours]);

  useEffect(() => plot.current?.setData(dataOf(lines, pulses)), [pulses.at(-1)?.t, pulses.length, failures.length]);

  const now = pulses.length - 1;
  return (
    <figure class="chart card">
      <figcaption>
        <h2>{title}</h2>
        <ul>
          {lines.map(({ label, colour, of, dash }) => {
            const value = now < 0 ? null : of(pulses[now]!, now, pulses);
            return (
              <li key={label}>
                <svg viewBox="0 0 16 4" aria-hidden="true">
                  <line
                    x1="0"
                    y1="2"
                    x2="16"
                    y2="2"
                    stroke={`var(${colour})`}
                    stroke-width="3"
                    stroke-dasharray={dash === true ? "4 3" : undefined}
                  />
                </svg>
                {label} <b>{value === null ? "–" : format(value)}</b>
              </li>
            );
          })}
        </ul>
      </figcaption>
      <div ref={box} class="plot" />
      {note !== undefined && <p class="muted">{note}</p>}
    </figure>
  );
}

function dataOf(lines: readonly Line[], pulses: readonly Pulse[]): UPlot.AlignedData {
  return [
    pulses.map(({ t }) => t / 1000),
    ...lines.map(({ of }) => pulses.map((pulse, at) => of(pulse, at, pulses))),
  ] as UPlot.AlignedData;
}

function drawMarks(
  chart: UPlot,
  { pulses, failures }: { readonly pulses: readonly Pulse[]; readonly failures: readonly FailureMark[] },
): void {
  const { ctx, bbox } = chart;
  const x = (ms: number): number => chart.valToPos(ms / 1000, "x", true);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = cssColour("var(--down-band)");
  for (const { t, pipeline } of pulses)
    if (pipeline.job !== "RUNNING" || pipeline.kafka === "away")
      ctx.fillRect(x(t - 1_000), bbox.top, x(t) - x(t - 1_000) + 1, bbox.height);
  ctx.strokeStyle = cssColour("var(--decline)");
  ctx.fillStyle = cssColour("var(--decline)");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([]);
  ctx.textAlign = "left";
  ctx.textBaseline = "alphabetic";
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  for (const { part, atMs } of failures) {
    ctx.beginPath();
    ctx.moveTo(x(atMs), bbox.top);
    ctx.lineTo(x(atMs), bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText(`✕ ${part}`, x(atMs) + 4 * devicePixelRatio, bbox.top + 12 * devicePixelRatio);
  }
  ctx.restore();
}
