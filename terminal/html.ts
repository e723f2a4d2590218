import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

import { REPOSITORY_ROOT } from "../process/repository-root.js";

/** Text of a page in which everything that came from elsewhere is escaped. Only {@link html} makes it. */
export class Html {
  constructor(readonly text: string) {}
}

type Value = Html | string | number | readonly Html[];

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A template of a page: every value that is not {@link Html} itself is escaped. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  const shown = (value: Value): string => {
    if (value instanceof Html) return value.text;
    if (typeof value === "object") return value.map(({ text }) => text).join("");
    return String(value).replace(/[&<>"']/g, (character) => ESCAPES[character]!);
  };
  return new Html(parts.reduce((whole, part, n) => whole + part + (n < values.length ? shown(values[n]!) : ""), ""));
}

/** Of every page: a server that shows one names its hash in the content-security policy. */
export const PAGE_STYLE = `:root{color-scheme:light dark;--ink:#1b1f24;--dim:#667;--line:#ccd;--good:#12733a;--bad:#b3261e;--mark:#b3261e;--series:#2459a8}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--dim:#9aa3b2;--line:#3a4150;--good:#5fd08d;--bad:#ff8a80;--mark:#ff8a80;--series:#7fb0ff}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);max-width:70rem;margin:2rem auto;padding:0 1rem}h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
.verdict{font-size:1.2rem;font-weight:600}.good{color:var(--good)}.bad{color:var(--bad)}.dim{color:var(--dim)}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}td.n,td code{white-space:nowrap}
code{font-size:.85em;overflow-wrap:anywhere}svg{width:100%;height:auto}`;

/** A page that needs nothing from elsewhere. */
export const pageText = (title: string, body: Html): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${html`${title}`.text}</title><style>${PAGE_STYLE}</style><body>${body.text}</body></html>\n`;

/** Writes such a page. @param file - within the repository */
export function writePage(file: string, title: string, body: Html): void {
  const path = resolve(REPOSITORY_ROOT, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, pageText(title, body));
}

/** A result in one line. */
export const resultLine = (good: boolean, text: string): Html =>
  html`<p class="verdict ${good ? "good" : "bad"}">${good ? "✔" : "✘"} ${text}</p>`;

/** A table; columns of numbers are told by their head's `#` in front. */
export function table(heads: readonly string[], rows: readonly (readonly (string | number | Html)[])[]): Html {
  const kind = (n: number): string => (heads[n]!.startsWith("#") ? "n" : "");
  return html`<table><thead><tr>${heads.map((head, n) => html`<th class="${kind(n)}">${head.replace("#", "")}</th>`)}</tr></thead><tbody>${rows.map((row) => html`<tr>${row.map((cell, n) => html`<td class="${kind(n)}">${cell}</td>`)}</tr>`)}</tbody></table>`;
}
