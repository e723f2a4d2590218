import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type Examples, probability, trainLogisticRegression } from "./logistic-regression.js";

function examples(rows: readonly (readonly number[])[], labels: readonly number[]): Examples {
  return { columns: rows[0]!.length, values: Float64Array.from(rows.flat()), labels: Uint8Array.from(labels) };
}

describe("logistic regression", () => {
  it("finds the optimum that scikit-learn 1.9.1 finds, of two columns and one that never changes", () => {
    const rows = Array.from({ length: 200 }, (_, n) => [(n * 37) % 101, ((n * n) % 17) / 4, 3]);
    const labels = rows.map(([first], n) => (((n * 53) % 97) + first! / 2 > 90 ? 1 : 0));
    const { intercept, weights } = trainLogisticRegression(examples(rows, labels));
    // StandardScaler and LogisticRegression(tol=1e-14, max_iter=100000), its weights without the scaling.
    expect(weights[0]).toBeCloseTo(0.02675060790633437, 9);
    expect(weights[1]).toBeCloseTo(0.05861391058030433, 9);
    expect(weights[2]).toBe(0);
    expect(intercept).toBeCloseTo(-2.3448699606856795, 8);
  });

  it("ends where the gradient is nothing, whatever it learns from", () => {
    const example = fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 0, max: 3 }), fc.nat(1));
    fc.assert(
      fc.property(fc.array(example, { minLength: 2, maxLength: 60 }), (all) => {
        const rows = all.map(([a, b]) => [a, b]);
        const labels = all.map(([, , label]) => label);
        fc.pre(new Set(labels).size === 2);
        const trained = trainLogisticRegression(examples(rows, labels));
        const errors = rows.map((row, n) => probability(trained, Float64Array.from(row)) - labels[n]!);
        // Without a penalty on it, the intercept makes the mean probability the share of frauds.
        expect(errors.reduce((sum, error) => sum + error, 0)).toBeCloseTo(0, 8);
        for (const column of [0, 1]) {
          const values = rows.map((row) => row[column]!);
          const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
          const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
          if (deviation === 0) continue;
          const slope = errors.reduce((sum, error, n) => sum + (error * (values[n]! - mean)) / deviation, 0);
          expect(slope + trained.weights[column]! * deviation).toBeCloseTo(0, 8);
        }
      }),
    );
  });
});
