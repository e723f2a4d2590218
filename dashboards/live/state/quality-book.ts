import { outcomeName } from "../../../contract/decision-summary.js";
import { transactionKey } from "../../../contract/transaction-key.js";
import { SCORE_BANDS, scoreBand } from "../../../functions/score-bands.js";
import { featureValue } from "../../../functions/transaction-scorer/feature-vector.js";
import { valueFor } from "../../../functions/transaction-scorer/model.js";
import { bandOf, type FeatureBands, MAX_PPM, type TreesModel } from "../../../functions/transaction-scorer/trees.js";
import { keepNewest } from "../../../process/keep-newest.js";
import { Decision } from "../../../protos/gen/fraud/v1/decision.js";
import type { Models } from "../models.js";
import { MAX_SCORE, stabilityIndex } from "../quality.js";
import type { SkimmedDecision } from "../skim.js";
import { featureLabel } from "../words.js";
import type { Drift, FeatureDrift, LabelCounts, ModelQuality, VerdictName } from "../wire.js";

/** Models that are told apart; of more, those that decided longest ago are forgotten. */
const MAX_MODELS = 8;
/** More than there are in use. */
const MAX_CURRENCIES = 200;
/** As the recording rules for Prometheus have it. */
const DRIFT_MINUTES = 15;
const LEAST_DRIFT_DECISIONS = 1_000;
const MINUTE_MS = 60_000;
/** Decisions of a model whose features are looked at. */
const SAMPLED_A_SECOND = 20;

/** What a count of a decision needs; `transactionId` and `accountId` find it again when its verdict comes. */
export type CountedDecision = Pick<
  SkimmedDecision,
  "accountId" | "transactionId" | "amountMinor" | "currency" | "outcome" | "score" | "modelId" | "modelHash" | "payload"
>;

interface Known {
  readonly counts: ModelCounts;
  readonly score: number;
  readonly suspicious: boolean;
  readonly amountMinor: number;
  readonly currency: string;
  verdict: VerdictName | null;
}

/**
 * What the verdicts say of the newest decisions. Of each decision it keeps a few numbers, so that a verdict that comes,
 * or changes, moves exactly one count, and one that is repeated moves none; all else are counts by score. A decision
 * that is not among the newest any more takes its counts with it.
 */
export class QualityBook {
  readonly #limit: number;
  readonly #models: Models;
  /** In the order in which they were read. */
  readonly #known = new Map<string, Known>();
  /** By hash; the one that decided last is the last. */
  readonly #counts = new Map<string, ModelCounts>();
  #labelled = 0;

  /** @param limit - how many decisions to know */
  constructor(limit: number, models: Models) {
    this.#limit = limit;
    this.#models = models;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Decisions with a verdict. */
  get labelled(): number {
    return this.#labelled;
  }

  /**
   * Takes a committed decision. One on the same transaction takes the place of the one before; one that could not be
   * scored is no model's doing.
   *
   * @param verdict - the one that holds, if it came before the decision
   * @param atMs - when it was decided, about
   */
  onDecided(decision: CountedDecision, verdict: VerdictName | null, atMs: number): void {
    const key = transactionKey(decision.accountId, decision.transactionId);
    this.#forget(key);
    const outcome = outcomeName(decision.outcome);
    if (outcome === "ERROR") return;
    const known: Known = {
      counts: this.#countsOf(decision),
      score: Math.min(decision.score, MAX_SCORE),
      suspicious: outcome !== "APPROVE",
      amountMinor: decision.amountMinor,
      currency: decision.currency,
      verdict,
    };
    this.#known.set(key, known);
    this.#count(known, 1);
    known.counts.spread.add(scoreBand(known.score), atMs);
    known.counts.features.add(decision.payload, atMs);
    const oldest = keepNewest(this.#known, this.#limit);
    if (oldest !== undefined) this.#count(oldest, -1);
  }

  /** Takes the verdict that holds for a transaction now; says nothing of one whose decision is not known. */
  onVerdict(accountId: string, transactionId: string, verdict: VerdictName | null): void {
    const known = this.#known.get(transactionKey(accountId, transactionId));
    if (known === undefined || known.verdict === verdict) return;
    this.#count(known, -1);
    known.verdict = verdict;
    this.#count(known, 1);
  }

  /** What is known of each model, that which decided last first. */
  models(nowMs: number): ModelQuality[] {
    return [...this.#counts]
      .map(([modelHash, counts]): ModelQuality => {
        const definition = this.#models.find(modelHash)?.definition;
        return {
          modelId: counts.modelId,
          modelHash,
          thresholds:
            definition === undefined ? null : { reviewAt: definition.reviewAt, declineAt: definition.declineAt },
          suspicious: { ...counts.suspicious },
          approved: { ...counts.approved },
          value: [...counts.value].map(([currency, { detectedMinor, missedMinor }]) => ({
            currency,
            detectedMinor,
            missedMinor,
          })),
          scores: counts.scores,
          drift: definition?.kind === "trees" ? scoreDrift(counts.spread, nowMs) : null,
          featureDrift: counts.features.drift(nowMs),
        };
      })
      .filter(({ suspicious, approved }) => suspicious.decided + approved.decided > 0)
      .reverse();
  }

  #countsOf({ modelHash, modelId }: CountedDecision): ModelCounts {
    const counts = this.#counts.get(modelHash) ?? new ModelCounts(modelId, this.#treesOf(modelHash));
    this.#counts.delete(modelHash);
    this.#counts.set(modelHash, counts);
    keepNewest(this.#counts, MAX_MODELS);
    return counts;
  }

  #treesOf(modelHash: string): TreesModel | undefined {
    const definition = this.#models.find(modelHash)?.definition;
    return definition?.kind === "trees" ? definition : undefined;
  }

  #forget(key: string): void {
    const known = this.#known.get(key);
    if (known === undefined) return;
    this.#known.delete(key);
    this.#count(known, -1);
  }

  #count(known: Known, by: 1 | -1): void {
    if (known.verdict !== null) this.#labelled += by;
    known.counts.count(known, by);
  }
}

/** Lowest scores first. */
function scoreDrift(spread: Spread, nowMs: number): Drift {
  const drift = spread.drift(
    SCORE_BANDS.map(({ from, reference }) => ({ from: String(from), reference })),
    nowMs,
  );
  return { ...drift, bands: drift.bands.toReversed() };
}

type Writable<T> = { -readonly [Field in keyof T]: T[Field] };

const noCounts = (): Writable<LabelCounts> => ({ decided: 0, frauds: 0, genuine: 0 });
const byScore = (): Uint32Array => new Uint32Array(MAX_SCORE + 1);

/** Counts of one model's decisions. */
class ModelCounts {
  readonly modelId: string;
  readonly suspicious = noCounts();
  readonly approved = noCounts();
  readonly value = new Map<string, { detectedMinor: number; missedMinor: number }>();
  /** Over the bands of scores. */
  readonly spread = new Spread(SCORE_BANDS.length);
  readonly features: FeatureSpreads;
  readonly #decided = byScore();
  readonly #frauds = byScore();
  readonly #genuine = byScore();

  /** @param trees - `undefined`: it has none, or is not known */
  constructor(modelId: string, trees: TreesModel | undefined) {
    this.modelId = modelId;
    this.features = new FeatureSpreads(trees);
  }

  get scores(): ModelQuality["scores"] {
    return [...this.#decided.entries()]
      .filter(([, decided]) => decided > 0)
      .map(([score, decided]) => ({ score, decided, frauds: this.#frauds[score]!, genuine: this.#genuine[score]! }));
  }

  count({ score, suspicious, verdict, amountMinor, currency }: Known, by: 1 | -1): void {
    const all = suspicious ? this.suspicious : this.approved;
    all.decided += by;
    this.#decided[score]! += by;
    if (verdict === "LEGITIMATE") {
      all.genuine += by;
      this.#genuine[score]! += by;
    } else if (verdict === "FRAUD") {
      all.frauds += by;
      this.#frauds[score]! += by;
      const value = this.value.get(currency) ?? { detectedMinor: 0, missedMinor: 0 };
      if (suspicious) value.detectedMinor += by * amountMinor;
      else value.missedMinor += by * amountMinor;
      if (value.detectedMinor + value.missedMinor === 0) this.value.delete(currency);
      else if (this.value.has(currency) || this.value.size < MAX_CURRENCIES) this.value.set(currency, value);
    }
  }
}

/** How what came in the last minutes is spread over some bands. */
class Spread {
  readonly #minutes: readonly { minute: number; readonly counts: number[] }[];

  constructor(bands: number) {
    this.#minutes = Array.from({ length: DRIFT_MINUTES }, () => ({
      minute: -1,
      counts: Array.from({ length: bands }, () => 0),
    }));
  }

  add(band: number, atMs: number): void {
    const minute = Math.floor(atMs / MINUTE_MS);
    const slot = this.#minutes[minute % DRIFT_MINUTES]!;
    if (minute < slot.minute) return;
    if (minute > slot.minute) {
      slot.minute = minute;
      slot.counts.fill(0);
    }
    slot.counts[band]!++;
  }

  /** @param reference - the share of each band, in the order of the bands, and its least value */
  drift(reference: readonly { readonly from: string; readonly reference: number }[], nowMs: number): Drift {
    const now = Math.floor(nowMs / MINUTE_MS);
    const recent = this.#minutes.filter(({ minute }) => minute > now - DRIFT_MINUTES);
    const counts = reference.map((_, band) => recent.reduce((sum, { counts: own }) => sum + own[band]!, 0));
    const decisions = counts.reduce((sum, count) => sum + count, 0);
    const bands = reference.map((band, n) => ({ ...band, share: decisions === 0 ? 0 : counts[n]! / decisions }));
    return {
      minutes: DRIFT_MINUTES,
      decisions,
      least: LEAST_DRIFT_DECISIONS,
      index: decisions < LEAST_DRIFT_DECISIONS ? null : stabilityIndex(bands),
      bands,
    };
  }
}

/** How the main features of a model are spread, in a sample: to decode every decision would take too long. */
class FeatureSpreads {
  readonly #features: readonly { readonly bands: FeatureBands; readonly spread: Spread }[];
  readonly #trees: TreesModel | undefined;
  #second = -1;
  #taken = 0;

  constructor(trees: TreesModel | undefined) {
    this.#trees = trees;
    this.#features = (trees?.reference ?? []).map((bands) => ({ bands, spread: new Spread(bands.ppm.length) }));
  }

  add(payload: Uint8Array, atMs: number): void {
    const second = Math.floor(atMs / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#taken = 0;
    }
    const trees = this.#trees;
    if (trees === undefined || this.#features.length === 0 || ++this.#taken > SAMPLED_A_SECOND) return;
    const { evidence } = Decision.decode(payload);
    if (evidence === undefined) return;
    for (const { bands, spread } of this.#features) {
      const value = valueFor(trees, bands.feature, (name) => featureValue(evidence, name));
      if (value !== undefined) spread.add(bandOf(bands, Number(value)), atMs);
    }
  }

  drift(nowMs: number): FeatureDrift[] {
    return this.#features.map(({ bands: { feature, bounds, ppm }, spread }) => ({
      feature,
      label: featureLabel(feature),
      ...spread.drift(
        ppm.map((share, n) => ({ from: n === 0 ? "" : String(bounds[n - 1]), reference: share / MAX_PPM })),
        nowMs,
      ),
    }));
  }
}
