import pc from "picocolors";

import {
  againText,
  amountOf,
  challengerText,
  duration,
  HOP_TEXT,
  isBad,
  sectionFields,
  SECTIONS,
  repeatNote,
  scoreText,
  time,
} from "./words.js";
import type { Hop, SectionResult, Trace } from "./types.js";

const BAR = 24;
const INDENT = "  ";
/** Columns before where a hop was. */
const FIXED = 68;

/** A trace for a terminal of `width` columns. */
export function traceLines(trace: Trace, width: number): string[] {
  const { transactionId, accountId, merchantId, transaction, decision, hops, entered, evidence, rederivation, commit } =
    trace;
  const lines = [
    pc.bold(`${transactionId}  account ${accountId}${merchantId === undefined ? "" : `  merchant ${merchantId}`}`),
  ];
  if (transaction !== undefined) {
    const place = (transaction["location"] as { readonly name?: string } | null | undefined)?.name;
    lines.push(
      `${amountOf(transaction)}, used ${time(Number(transaction["event_time_ms"]))} UTC${place ? ` in ${place}` : ""}`,
    );
  }
  lines.push(stateLine(trace));
  const challenger = challengerText(trace);
  if (challenger !== "") lines.push(pc.dim(`challenger: ${challenger}`));
  lines.push("");

  if (hops.length > 0) {
    lines.push(pc.bold("Way"), ...waterfall(hops, width));
    if (entered.again.length > 0)
      lines.push(pc.dim(`${INDENT}again in ${entered.again.join(", ")}: ${againText(trace)}`));
    const note = repeatNote(trace);
    if (note !== "") lines.push(pc.yellow(`${INDENT}${note}`));
    if (commit !== undefined && commit.how !== "commit")
      lines.push(pc.yellow(`${INDENT}commit not known: ${commit.source}`));
    lines.push("");
  }
  if (evidence !== undefined && decision !== undefined) {
    lines.push(pc.bold("Evidence"));
    for (const name of SECTIONS)
      lines.push(
        ...wrapped(
          name.padEnd(10),
          sectionFields(evidence[name] as Parameters<typeof sectionFields>[0]),
          width,
          mark(rederivation?.parts[name]),
        ),
      );
    lines.push("");
  }
  lines.push(
    ...section(
      "Alerts of its episode",
      trace.alerts.map(
        ({ kind, cause, alertId, place, raisedAtMs, byThis }) =>
          `${byThis ? "▸" : " "} ${kind.padEnd(10)} ${cause.padEnd(8)} ${alertId}  ${time(raisedAtMs)}  ${pc.dim(place)}`,
      ),
    ),
  );
  lines.push(
    ...section(
      "Labels",
      trace.labels.map(
        ({ labelId, revision, verdict, place }) =>
          `${verdict.padEnd(10)} ${labelId} revision ${revision}  ${pc.dim(place)}`,
      ),
    ),
  );
  lines.push(
    ...section(
      "Changes of state",
      trace.stateEvents.map(
        ({ address, eventSeq, kind, source, fraudDelta, place }) =>
          `${kind.padEnd(8)} ${address} event_seq ${eventSeq}  ${source}, fraud ${fraudDelta > 0 ? "+" : ""}${fraudDelta}  ${pc.dim(place)}`,
      ),
    ),
  );
  lines.push(
    ...section(
      "Refused",
      trace.refused.map(
        ({ by, reason, message, place, atMs }) =>
          `${pc.yellow(reason)} by ${by}: ${message}  ${time(atMs)}  ${pc.dim(place)}`,
      ),
    ),
  );
  if (rederivation !== undefined) {
    lines.push(`${mark(rederivation)} ${pc.bold("Derived again from the topics:")} ${rederivation.summary}`);
    for (const section of Object.values(rederivation.parts))
      for (const { field, found, expected } of section.differences)
        lines.push(
          pc.red(`${INDENT}${field}: the evidence has ${found ?? "nothing"}, a replay gives ${expected ?? "nothing"}`),
        );
  }
  return lines;
}

function stateLine({ state, decision, refused }: Trace): string {
  if (decision !== undefined) {
    const { outcome, reasons, modelId, error } = decision;
    const colour = outcome === "APPROVE" ? pc.green : outcome === "REVIEW" ? pc.yellow : pc.red;
    return `${colour(pc.bold(outcome))}  ${scoreText(decision)}  ${reasons.map(({ code, points }) => `${code} ${points}`).join(", ") || (error === "" ? "no rule fired" : error)}  ${pc.dim(modelId)}`;
  }
  if (state === "refused") return pc.yellow(`refused: ${refused.at(-1)?.reason ?? ""}`);
  return pc.yellow("accepted; no committed decision on it is there yet, or no more");
}

/** One line a hop: when, how long since the one before, and where on the whole way that was. */
function waterfall(hops: readonly Hop[], width: number): string[] {
  const first = hops[0]!.atMs;
  const span = Math.max(1, ...hops.map(({ atMs }) => atMs - first));
  const column = (ms: number): number => Math.max(0, Math.min(BAR, Math.round(((ms - first) / span) * BAR)));
  const widest = Math.max(...hops.map(({ where }) => where.length));
  // What it was spent on only where there is room.
  const roomy = FIXED + widest + Math.max(...hops.map(({ name }) => HOP_TEXT[name].length)) <= width;
  return hops.map(({ name, atMs, tookMs, where }) => {
    const end = column(atMs);
    const begin = Math.min(end, column(atMs - Math.max(0, tookMs ?? 0)));
    const bar = `${" ".repeat(begin)}${"█".repeat(Math.max(end - begin, 0)) || "▏"}`.padEnd(BAR + 1);
    const shown = roomy ? `${where.padEnd(widest)}  ${pc.dim(HOP_TEXT[name])}` : where;
    return `${INDENT}${name.padEnd(10)}${time(atMs).slice(11)}  ${(tookMs === undefined ? "" : duration(tookMs)).padStart(11)}  ${pc.cyan(bar)}  ${shown}`;
  });
}

function mark(section: Pick<SectionResult, "verdict"> | undefined): string {
  if (section === undefined) return " ";
  return section.verdict === "identical" ? pc.green("✔") : isBad(section) ? pc.red("✘") : pc.yellow("–");
}

/** Fields beside each other, as many as fit on a line. */
function wrapped(title: string, fields: readonly string[], width: number, sign: string): string[] {
  const room = Math.max(40, width - title.length - 6);
  const rows: string[] = [];
  for (const field of fields) {
    const last = rows.at(-1);
    if (last !== undefined && last.length + field.length + 2 <= room) rows[rows.length - 1] = `${last}  ${field}`;
    else rows.push(field);
  }
  return (rows.length === 0 ? ["nothing"] : rows).map(
    (row, n) => `${n === 0 ? `${sign} ${title}` : " ".repeat(title.length + 2)}${row}`,
  );
}

const section = (title: string, rows: readonly string[]): string[] =>
  rows.length === 0 ? [] : [pc.bold(title), ...rows.map((row) => `${INDENT}${row}`), ""];
