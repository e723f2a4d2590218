import type { Evidence, MerchantEvidence, MerchantFeatures } from "../../protos/gen/fraud/v1/decision.js";
import type { StateEvent } from "../../protos/gen/fraud/v1/evidence.js";
import { LearnedMerchantReference } from "./learned-merchant.js";
import type { LogicSettings } from "./settings.js";
import { BucketWindow } from "./window.js";

/** What the evidence of a transaction says besides its features. */
export type MerchantMarks = Pick<MerchantEvidence, "learnedIncomplete">;

/**
 * What the merchant model must hold for one merchant after its inputs so far: written from `docs/features.md` alone.
 */
export class MerchantReference {
  #latest = 0n;
  readonly #recent = new BucketWindow();
  readonly #history = new BucketWindow();
  readonly #frauds = new BucketWindow();
  readonly #learned = new LearnedMerchantReference();
  #marks: MerchantMarks = { learnedIncomplete: false };

  get latestEventTimeMs(): bigint {
    return this.#latest;
  }

  /** What the evidence of the last transaction must say besides features. */
  get marks(): MerchantMarks {
    return this.#marks;
  }

  /** @param evidence - the transaction, and what the account counter said of it */
  transaction(evidence: Evidence, settings: LogicSettings): MerchantFeatures {
    const { amountMinor: amount, eventTimeMs: time } = evidence.transaction!;
    const { merchant } = settings;
    const { features, ...marks } = this.#learned.transaction(evidence, settings);
    this.#marks = marks;
    const asOf = (this.#latest = time > this.#latest ? time : this.#latest);
    for (const [window, shape] of [
      [this.#recent, merchant.recent],
      [this.#history, merchant.history],
      [this.#frauds, merchant.history],
    ] as const)
      window.moveTo(asOf, shape);
    const before = this.#history.total(asOf, merchant.history);
    this.#history.add(time, asOf, merchant.history, 1, amount);
    this.#recent.add(time, asOf, merchant.recent, 1, amount);
    const recent = this.#recent.total(asOf, merchant.recent);
    const frauds = this.#frauds.total(asOf, merchant.history).count;
    return {
      recentCount: recent.count,
      recentAmountMinor: recent.amountMinor,
      historyCount: before.count,
      historyAmountMinor: before.amountMinor,
      confirmedFraudCount: frauds,
      fraudRatePermille: Math.min(1000, Math.floor((1000 * frauds + 100) / (before.count + 100))),
      ...features,
    };
  }

  verdict(event: StateEvent, settings: LogicSettings): void {
    this.#learned.verdict(event, settings);
    this.#frauds.add(event.effectiveAtMs, this.#latest, settings.merchant.history, event.fraudDelta, 0n);
  }
}
