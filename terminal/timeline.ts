import { html, type Html } from "./html.js";

const WIDTH = 1000;
const HEIGHT = 150;
const LEFT = 56;

/** A moment or a stretch to mark in every chart, in seconds. */
export interface Mark {
  readonly at: number;
  readonly until: number;
  readonly label: string;
}

/** One value for each second; `undefined` where there is none. */
export interface Series {
  readonly title: string;
  readonly unit: string;
  readonly values: readonly (number | undefined)[];
}

/** Charts of values over the seconds of a run, one above the other, with marks through all of them. */
export function timeline(series: readonly Series[], marks: readonly Mark[]): Html {
  const seconds = Math.max(1, ...series.map(({ values }) => values.length));
  const x = (second: number): string => (LEFT + (second / seconds) * (WIDTH - LEFT)).toFixed(1);
  return html`${series.map(({ title, unit, values }, at) => {
    const highest = Math.max(1, ...values.map((value) => value ?? 0));
    const y = (value: number): string => (HEIGHT - 22 - (value / highest) * (HEIGHT - 42)).toFixed(1);
    const line = values.flatMap((value, second) => (value === undefined ? [] : [`${x(second)},${y(value)}`])).join(" ");
    return html`<figure style="margin:0 0 .5rem"><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">
<text x="${LEFT}" y="12" font-size="12" fill="var(--ink)">${title}</text>
<text x="${LEFT - 6}" y="24" font-size="11" text-anchor="end" fill="var(--dim)">${highest.toLocaleString("en", { maximumFractionDigits: 0 })} ${unit}</text>
<text x="${LEFT - 6}" y="${HEIGHT - 22}" font-size="11" text-anchor="end" fill="var(--dim)">0</text>
<line x1="${LEFT}" y1="${HEIGHT - 22}" x2="${WIDTH}" y2="${HEIGHT - 22}" stroke="var(--line)"/>
${marks.map(({ at: from, until, label }, n) => html`<g><title>${label}, at ${from.toFixed(0)} s</title><rect x="${x(from)}" y="16" width="${Math.max(1.5, ((until - from) / seconds) * (WIDTH - LEFT)).toFixed(1)}" height="${HEIGHT - 38}" fill="var(--mark)" opacity=".25"/>${at === 0 ? html`<text x="${x(from)}" y="${HEIGHT - 8}" font-size="10" fill="var(--mark)">${n + 1}</text>` : html``}</g>`)}
<polyline points="${line}" fill="none" stroke="var(--series)" stroke-width="1.3"/></svg></figure>`;
  })}`;
}
