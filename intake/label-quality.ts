import { transactionKey } from "../contract/transaction-key.js";
import { keepNewest } from "../process/keep-newest.js";
import { Outcome } from "../protos/gen/fraud/v1/decision.js";
import type { LabelOutcome } from "./label-index.js";

/** What is known to be true of a transaction. */
export type LabelledAs = "FRAUD" | "LEGITIMATE";

/** How many transactions have this verdict and this outcome. */
export interface LabelledCount {
  readonly verdict: LabelledAs;
  /** `UNKNOWN`: its decision is not among the newest. */
  readonly outcome: LabelledOutcome;
  readonly count: number;
}

const VERDICTS = ["FRAUD", "LEGITIMATE"] as const;
const OUTCOMES = ["APPROVE", "REVIEW", "DECLINE", "ERROR", "UNKNOWN"] as const;
/** They are counted at each scrape. */
const MAX_LABELLED = 50_000;
type LabelledOutcome = (typeof OUTCOMES)[number];

/**
 * Brings verdicts together with what had been decided, by transaction, in whatever order the two come. It knows the
 * newest decisions and the newest labelled transactions; of a transaction the last verdict and the last decision hold.
 */
export class LabelQuality {
  readonly #limit: number;
  readonly #outcomes = new Map<string, Outcome>();
  readonly #verdicts = new Map<string, { readonly verdict: LabelledAs; outcome: Outcome | undefined }>();
  /** Suspicious transactions without a verdict. */
  readonly #queue = new Map<string, true>();

  /** @param limit - how many of each to keep */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many suspicious transactions have no verdict, among the newest. */
  get unlabelledSuspicious(): number {
    return this.#queue.size;
  }

  /** Every verdict with every outcome. */
  get counts(): LabelledCount[] {
    const counts = new Map(VERDICTS.map((verdict) => [verdict, new Map(OUTCOMES.map((outcome) => [outcome, 0]))]));
    for (const { verdict, outcome } of this.#verdicts.values()) {
      const row = counts.get(verdict)!;
      const name = nameOf(outcome);
      row.set(name, row.get(name)! + 1);
    }
    return [...counts].flatMap(([verdict, row]) => [...row].map(([outcome, count]) => ({ verdict, outcome, count })));
  }

  /** Takes a committed decision. @param identity - the transaction's key */
  onDecided(identity: string, outcome: Outcome): void {
    this.#outcomes.delete(identity);
    this.#outcomes.set(identity, outcome);
    keepNewest(this.#outcomes, this.#limit);
    const labelled = this.#verdicts.get(identity);
    if (labelled !== undefined) labelled.outcome = outcome;
    this.#queue.delete(identity);
    if (labelled !== undefined || !isSuspicious(outcome)) return;
    this.#queue.set(identity, true);
    keepNewest(this.#queue, this.#limit);
  }

  /** Takes what became of a label. */
  onLabel(label: LabelOutcome): void {
    if (label.status !== "recorded") return;
    const identity = transactionKey(label.accountId, label.transactionId);
    const known = this.#verdicts.get(identity);
    const verdict = verdictOf(label, known?.verdict);
    if (verdict === undefined) return;
    this.#queue.delete(identity);
    this.#verdicts.delete(identity);
    this.#verdicts.set(identity, { verdict, outcome: this.#outcomes.get(identity) ?? known?.outcome });
    keepNewest(this.#verdicts, Math.min(this.#limit, MAX_LABELLED));
  }
}

/**
 * The account counter tells what a label changed, not what it says: a first one that changes no count is "legitimate",
 * a later one repeats the verdict that held.
 *
 * @returns `undefined` when the verdict that held is not known
 */
function verdictOf(
  { fraudDelta, revision }: LabelOutcome & { readonly status: "recorded" },
  held: LabelledAs | undefined,
): LabelledAs | undefined {
  if (fraudDelta !== 0) return fraudDelta > 0 ? "FRAUD" : "LEGITIMATE";
  return revision === 1 ? "LEGITIMATE" : held;
}

const isSuspicious = (outcome: Outcome): boolean => outcome === Outcome.REVIEW || outcome === Outcome.DECLINE;

const nameOf = (outcome: Outcome | undefined): LabelledOutcome =>
  OUTCOMES.find((name) => outcome !== undefined && name === Outcome[outcome]) ?? "UNKNOWN";
