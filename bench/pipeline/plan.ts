/** How long everything lasts, in ms, and how much of it there is. */
export interface Plan {
  readonly warmUpMs: number;
  readonly rampStepMs: number;
  readonly rampFactor: number;
  readonly settleMs: number;
  /** How long a rate must be held. */
  readonly confirmMs: number;
  /**
   * Which share of what is offered a rate may seem to leave over: decisions come by the checkpoint, and the shorter one
   * looks, the more these jumps matter.
   */
  readonly leftOver: { readonly ramp: number; readonly confirm: number };
  /** Rates that are confirmed at most: of a peer in its first round, of ours alone, of a peer in later rounds. */
  readonly attempts: { readonly first: number; readonly alone: number; readonly later: number };
  readonly calmLimitMs: number;
  readonly latencySettleMs: number;
  readonly latencyMs: number;
  readonly recoveryLimitMs: number;
  /** How long accounts are given their first transaction, at most. */
  readonly fillLimitMs: number;
  readonly drainLimitMs: number;
  /** Transactions that are encoded before they are needed, at most, besides the backlog. */
  readonly stock: number;
  /** For one cell at most; and a cell is not begun with less than `cellLeastMs` left of the whole. */
  readonly cellLimitMs: number;
  readonly cellLeastMs: number;
  /** For everything. What does not fit is left out, and the report says so. */
  readonly limitMs: number;
}

export const FULL: Plan = {
  warmUpMs: 60_000,
  rampStepMs: 12_000,
  rampFactor: 1.4,
  settleMs: 8_000,
  confirmMs: 60_000,
  leftOver: { ramp: 0.1, confirm: 0.01 },
  attempts: { first: 3, alone: 2, later: 2 },
  calmLimitMs: 90_000,
  latencySettleMs: 5_000,
  latencyMs: 30_000,
  recoveryLimitMs: 120_000,
  fillLimitMs: 420_000,
  drainLimitMs: 120_000,
  stock: 300_000,
  cellLimitMs: 1_200_000,
  cellLeastMs: 240_000,
  limitMs: 148 * 60_000,
};

export const QUICK: Plan = {
  warmUpMs: 8_000,
  rampStepMs: 6_000,
  rampFactor: 1.5,
  settleMs: 3_000,
  confirmMs: 12_000,
  leftOver: { ramp: 0.25, confirm: 0.04 },
  attempts: { first: 3, alone: 2, later: 2 },
  calmLimitMs: 45_000,
  latencySettleMs: 3_000,
  latencyMs: 8_000,
  recoveryLimitMs: 60_000,
  fillLimitMs: 40_000,
  drainLimitMs: 60_000,
  stock: 60_000,
  cellLimitMs: 240_000,
  cellLeastMs: 75_000,
  limitMs: 24 * 60_000,
};
