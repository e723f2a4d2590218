/** What the process that sends transactions is told. */
export type LoadCommand =
  /**
   * From now on this many per second, whatever becomes of them; 0: none. All that were due before are sent first. Sent
   * together is what is due in `tickMs`. They go past the intake, or through its Kafka door.
   */
  | { readonly kind: "rate"; readonly perSecond: number; readonly tickMs: number; readonly throughIntake: boolean }
  /** Encodes so many ahead; from then on accounts are drawn. */
  | { readonly kind: "stock"; readonly count: number }
  /** So many as fast as they go, then none. */
  | { readonly kind: "burst"; readonly count: number }
  | { readonly kind: "stop" };

/** What it says. */
export type LoadNews =
  | { readonly kind: "ready" }
  /** Transactions from this number on are due from then on, this many per second; `null`: all at once. */
  | { readonly kind: "segment"; readonly from: number; readonly beganMs: number; readonly perSecond: number | null }
  /** How many Kafka has in total. */
  | { readonly kind: "sent"; readonly total: number }
  /** All that it was told is done: nothing is under way. */
  | { readonly kind: "idle"; readonly total: number };
