import type { AlertRow } from "./wire.js";

/** Which alerts to show. The server and the browser filter by the same rules. */
export interface AlertFilter {
  /** Words that must all occur, whatever their case, in account, merchant, place, transaction or reasons. */
  readonly text: string;
  readonly minScore: number;
  /** A reason code; empty: any. */
  readonly reason: string;
  readonly status: "all" | "untriaged" | "fraud" | "legitimate" | "open";
  readonly kind: "all" | "opened" | "escalated";
}

export const NO_FILTER: AlertFilter = { text: "", minScore: 0, reason: "", status: "all", kind: "all" };

/** A test of one alert. Made once for a filter: it is asked of thousands. */
export function matcher({ text, minScore, reason, status, kind }: AlertFilter): (row: AlertRow) => boolean {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  return (row) => {
    if (row.score < minScore) return false;
    if (kind !== "all" && row.kind !== kind) return false;
    if (reason !== "" && !row.reasons.some(({ code }) => code === reason)) return false;
    switch (status) {
      case "all":
        break;
      case "untriaged":
        if (row.verdict !== null) return false;
        break;
      case "open":
        if (!row.open) return false;
        break;
      case "fraud":
      case "legitimate":
        if (row.verdict !== status.toUpperCase()) return false;
        break;
    }
    if (words.length === 0) return true;
    const haystack =
      `${row.account} ${row.merchantName} ${row.merchantId} ${row.place} ${row.transactionId} ${row.reasons.map(({ code }) => code).join(" ")}`.toLowerCase();
    return words.every((word) => haystack.includes(word));
  };
}

/** Whether it shows everything. */
export const isEmpty = ({ text, minScore, reason, status, kind }: AlertFilter): boolean =>
  text.trim() === "" && minScore === 0 && reason === "" && status === "all" && kind === "all";
