import type { OutcomeName } from "../wire.js";

/** A wall-clock time of today, or with its date. */
export function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

export function dateTime(ms: number): string {
  return new Date(ms).toLocaleString("en-GB", {
    day: "2-digit",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}

/** A date and time without its year and seconds, for narrow columns. */
export function shortTime(ms: number): string {
  return new Date(ms).toLocaleString("en-GB", { day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit" });
}

/** How long ago, in its largest unit. */
export function ago(ms: number, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - ms) / 1000));
  if (seconds < 5) return "now";
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

export function latency(ms: number | undefined | null): string {
  if (ms === undefined || ms === null) return "–";
  return ms < 10_000 ? `${Math.round(ms).toLocaleString("en-GB")} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export const whole = (value: number): string => Math.round(value).toLocaleString("en-GB");

export function bytes(value: number): string {
  if (value < 1024) return `${value} B`;
  if (value < 1024 * 1024) return `${(value / 1024).toFixed(1)} KB`;
  return `${(value / 1024 / 1024).toFixed(1)} MB`;
}

/** How serious an alert is: colours follow it, and so do words. What is not known yet counts as the lesser. */
export const severity = (outcome: OutcomeName | null): "review" | "decline" =>
  outcome === "DECLINE" ? "decline" : "review";

/** What became of a transaction. */
export const OUTCOME_WORDS: Readonly<Record<OutcomeName, string>> = {
  APPROVE: "approved",
  REVIEW: "to review",
  DECLINE: "declined",
  ERROR: "not scored",
};

/** Of an alert, which only a suspicious transaction raises. */
export const alertWords = (outcome: OutcomeName | null): string =>
  outcome === null ? "suspicious" : OUTCOME_WORDS[outcome];

/** Words for a reason code; a code that no model here knows is shown as it is. */
export const reasonWords = (code: string, reasons: Readonly<Record<string, string>>): string => reasons[code] ?? code;
