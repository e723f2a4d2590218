import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

import { Outcome } from "../protos/gen/fraud/v1/decision.js";
import { Alert_Kind } from "../protos/gen/fraud/v1/evidence.js";
import type { CounterName, Metrics } from "./dependencies.js";
import { SCORE_BANDS, scoreBand } from "./score-bands.js";
import { featureValue } from "./transaction-scorer/feature-vector.js";
import { type Model, valueFor } from "./transaction-scorer/model.js";
import { bandOf, MAX_PPM, type TreesModel } from "./transaction-scorer/trees.js";

const COUNTERS: Record<CounterName, string> = {
  transactions: "Transactions numbered by the account counter",
  repeats: "Repeated transactions dropped",
  possible_repeats: "Transactions decided that are as old as forgotten ones: some may have been decided before",
  stale_labels: "Labels dropped: repeated, or of a revision that no longer matters",
  rejected: "Records refused by the account counter",
  overtook: "Scoring requests that came before their turn",
  parked: "Scoring requests that went to the waiting room because the scorer's list was full",
  stale_scoring_requests: "Scoring requests for a number that was decided; exactly-once messaging rules them out",
  unknown_models: "Times that a transaction named a model, as champion or challenger, that this server does not have",
  function_errors: "Errors that ended in a decision with the outcome ERROR",
};

/**
 * Prometheus metrics of the function server. They count attempts: a call that StateFun repeats counts again.
 *
 * @param models - those that it has
 */
export function serverMetrics(models: readonly Model[] = []): { metrics: Metrics; registry: Registry } {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counters = Object.fromEntries(
    Object.entries(COUNTERS).map(([name, help]) => [
      name,
      new Counter({ name: `fraud_${name}_total`, help, registers: [registry] }),
    ]),
  ) as Record<CounterName, Counter>;
  const waiting = new Histogram({
    name: "fraud_scorer_waiting_length",
    help: "Length of an account's waiting list when a transaction joins it",
    buckets: [1, 2, 5, 10, 20, 50, 100, 200],
    registers: [registry],
  });
  const decisions = new Counter({
    name: "fraud_decisions_total",
    help: "Transactions decided",
    labelNames: ["outcome"] as const,
    registers: [registry],
  });
  const reasons = new Counter({
    name: "fraud_reasons_total",
    help: "Rules of the model that fired, and features that moved it most",
    labelNames: ["code"] as const,
    registers: [registry],
  });
  const scores = new Histogram({
    name: "fraud_score",
    help: "Scores that decided",
    labelNames: ["model"] as const,
    buckets: Array.from({ length: 21 }, (_, n) => n * 50),
    registers: [registry],
  });
  const bands = new Counter({
    name: "fraud_score_band_total",
    help: "Scores that decided, of models of trees, by band: the least score of it",
    labelNames: ["model", "band"] as const,
    registers: [registry],
  });
  const reference = new Gauge({
    name: "fraud_score_band_reference",
    help: "The share of the model's reference that is in the band",
    labelNames: ["model", "band"] as const,
    registers: [registry],
  });
  const featureBands = new Counter({
    name: "fraud_feature_band_total",
    help: "Values of a model's main features, by band: the least value of it",
    labelNames: ["model", "feature", "band"] as const,
    registers: [registry],
  });
  const featureReference = new Gauge({
    name: "fraud_feature_band_reference",
    help: "The share of the model's reference that is in the feature's band",
    labelNames: ["model", "feature", "band"] as const,
    registers: [registry],
  });
  const withReference = new Map<string, TreesModel>(
    models.flatMap(({ id, definition }) => (definition.kind === "trees" ? [[id, definition]] : [])),
  );
  const challengers = new Counter({
    name: "fraud_challenger_outcomes_total",
    help: "What challengers would have decided, beside what was decided",
    labelNames: ["challenger", "champion_outcome", "challenger_outcome"] as const,
    registers: [registry],
  });
  const alerts = new Counter({
    name: "fraud_alerts_total",
    help: "Alerts raised",
    labelNames: ["kind"] as const,
    registers: [registry],
  });
  const took = new Histogram({
    name: "fraud_decision_seconds",
    help: "From the account counter to the decision, by the wall clock",
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [registry],
  });
  // From the start, so that the first of a kind is a rise and not a new series.
  for (const outcome of names(Outcome)) decisions.inc({ outcome }, 0);
  for (const kind of names(Alert_Kind)) alerts.inc({ kind }, 0);
  for (const [model, { reference: features = [] }] of withReference) {
    for (const { from, reference: share } of SCORE_BANDS) {
      bands.inc({ model, band: from }, 0);
      reference.set({ model, band: from }, share);
    }
    for (const { feature, bounds, ppm } of features)
      for (const [n, share] of ppm.entries()) {
        featureBands.inc({ model, feature, band: leastOf(bounds, n) }, 0);
        featureReference.set({ model, feature, band: leastOf(bounds, n) }, share / MAX_PPM);
      }
  }
  return {
    registry,
    metrics: {
      count: (name) => counters[name].inc(),
      waiting: (length) => waiting.observe(length),
      decided: (evidence, tookMs) => {
        const { outcome, reasons: given, score, modelId, challenger } = evidence.scoring!;
        decisions.inc({ outcome: Outcome[outcome] });
        for (const { code } of given) reasons.inc({ code });
        if (outcome !== Outcome.ERROR) {
          scores.observe({ model: modelId }, score);
          const trees = withReference.get(modelId);
          if (trees !== undefined) bands.inc({ model: modelId, band: SCORE_BANDS[scoreBand(score)]!.from });
          for (const known of trees?.reference ?? []) {
            const value = valueFor(trees!, known.feature, (name) => featureValue(evidence, name));
            if (value === undefined) continue;
            const band = leastOf(known.bounds, bandOf(known, Number(value)));
            featureBands.inc({ model: modelId, feature: known.feature, band });
          }
        }
        if (challenger !== undefined)
          challengers.inc({
            challenger: challenger.modelId,
            champion_outcome: Outcome[outcome],
            challenger_outcome: Outcome[challenger.outcome],
          });
        if (tookMs !== undefined) took.observe(Number(tookMs) / 1000);
      },
      alerted: (kind) => alerts.inc({ kind: Alert_Kind[kind] }),
    },
  };
}

/** How a band is called: by its least value. */
const leastOf = (bounds: readonly number[], band: number): string => (band === 0 ? "-Inf" : String(bounds[band - 1]));

/** The values of a protobuf enum by name, without the unspecified one. */
const names = (type: Readonly<Record<string | number, string | number>>): string[] =>
  Object.keys(type).filter((name) => Number.isNaN(Number(name)) && name !== "UNSPECIFIED");
