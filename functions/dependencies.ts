import type { Evidence } from "../protos/gen/fraud/v1/decision.js";
import type { Alert_Kind } from "../protos/gen/fraud/v1/evidence.js";
import type { Model } from "./transaction-scorer/model.js";
import type { FunctionSettings } from "./settings.js";

/** Counts for people who watch. Implemented by the server; never read by the logic. */
export interface Metrics {
  /** Adds one to a counter. */
  count(name: CounterName): void;
  /** A transaction must wait; `length` wait now. */
  waiting(length: number): void;
  /**
   * A transaction was decided.
   *
   * @param evidence - with its scoring
   * @param tookMs - since the account counter had it; `undefined`: not known
   */
  decided(evidence: Evidence, tookMs: bigint | undefined): void;
  alerted(kind: Alert_Kind): void;
}

export type CounterName =
  | "transactions"
  | "repeats"
  | "possible_repeats"
  | "stale_labels"
  | "rejected"
  | "overtook"
  | "parked"
  | "stale_scoring_requests"
  | "function_errors"
  | "unknown_models";

/** What the functions are given from outside; everything that they compute depends on it, the message and the state. */
export interface Dependencies {
  readonly settings: FunctionSettings;
  /** Scores transactions that name no model. */
  readonly model: Model;
  /** Further ones that transactions may name. */
  readonly otherModels?: readonly Model[];
  readonly logicVersion: string;
  readonly metrics: Metrics;
  /** Milliseconds since 1970, for the `timing` part of messages only. */
  readonly now: () => bigint;
}
