/** What the process that sends transactions is told. */
export type LoadCommand =
  /** From now on so many a second, whatever becomes of them; 0: none. Every one that was due before is sent first. */
  | { readonly kind: "rate"; readonly perSecond: number }
  /** So many as fast as they go, then none. */
  | { readonly kind: "burst"; readonly count: number }
  | { readonly kind: "stop" };

/** What it says. */
export type LoadNews =
  | { readonly kind: "ready" }
  /** Transactions from this number on are due from then on, so many a second; `null`: all at once. */
  | { readonly kind: "segment"; readonly from: number; readonly beganMs: number; readonly perSecond: number | null }
  /** Kafka has so many in all. */
  | { readonly kind: "sent"; readonly total: number }
  /** All that it was told is done: nothing is under way. */
  | { readonly kind: "idle"; readonly total: number };
