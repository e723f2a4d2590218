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

/** How serious a score is: colours follow it, and so do words. */
export function severity(
  score: number,
  { reviewAt, declineAt }: { reviewAt: number; declineAt: number },
): "low" | "review" | "decline" {
  return score >= declineAt ? "decline" : score >= reviewAt ? "review" : "low";
}

/** Words for a reason code; a code that no model here knows is shown as it is. */
export const reasonWords = (code: string, reasons: Readonly<Record<string, string>>): string => reasons[code] ?? code;
