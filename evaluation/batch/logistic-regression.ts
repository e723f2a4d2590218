/** Examples to learn from: features row after row, and for each row 1 (fraud) or 0. */
export interface Examples {
  readonly columns: number;
  readonly values: Float64Array;
  readonly labels: Uint8Array;
}

/** A trained regression. */
export interface LogisticRegression {
  readonly intercept: number;
  /** Of the features as they are, not as they were standardised. */
  readonly weights: readonly number[];
}

const MOST_STEPS = 100;
/** Of the gradient's largest part for each example: far below what shows in a score. */
const TOLERANCE = 1e-12;
/** So large a share of a number may be rounding: the deviation of a column that never changes, a better loss. */
const ROUNDING = 1e-12;

/**
 * Logistic regression on standardised features with a penalty of half the weights' squared length, the intercept not
 * penalised: what scikit-learn's `StandardScaler` and `LogisticRegression()` have by default (C = 1). The optimum is
 * unique; it is found by Newton's method, to the last digits.
 */
export function trainLogisticRegression(examples: Examples): LogisticRegression {
  const { labels, columns } = examples;
  const { means, deviations, values } = standardised(examples);
  const size = columns + 1;
  // The intercept is the last one.
  let parameters = new Float64Array(size);
  let loss = lossOf(parameters, values, labels);
  for (let step = 0; step < MOST_STEPS; step++) {
    const { gradient, hessian } = derivatives(parameters, values, labels);
    if (gradient.every((one) => Math.abs(one) <= TOLERANCE * labels.length)) break;
    const direction = solve(hessian, gradient);
    // Half as far, as long as that is better: far from the optimum a whole step may go too far.
    let next = parameters;
    let nextLoss = Infinity;
    // Near it the loss differs by rounding only.
    const bound = loss * (1 + ROUNDING);
    for (let share = 1; !(nextLoss <= bound) && share > 1e-9; share /= 2) {
      next = parameters.map((one, n) => one - share * direction[n]!);
      nextLoss = lossOf(next, values, labels);
    }
    if (!(nextLoss <= bound)) break;
    [parameters, loss] = [next, nextLoss];
  }
  const weights = Array.from({ length: columns }, (_, n) => parameters[n]! / deviations[n]!);
  return { intercept: weights.reduce((sum, weight, n) => sum - weight * means[n]!, parameters[columns]!), weights };
}

/** The probability of fraud. @param row - the features, in the order of training */
export function probability({ intercept, weights }: LogisticRegression, row: Float64Array): number {
  return logistic(weights.reduce((sum, weight, n) => sum + weight * row[n]!, intercept));
}

const logistic = (margin: number): number => 1 / (1 + Math.exp(-margin));

/** Each column with mean 0 and deviation 1; one that never changes stays 0. */
function standardised({ columns, values, labels }: Examples): {
  readonly means: Float64Array;
  readonly deviations: Float64Array;
  readonly values: Float64Array;
} {
  const rows = labels.length;
  const means = new Float64Array(columns);
  const deviations = new Float64Array(columns);
  for (const [at, value] of values.entries()) means[at % columns]! += value;
  for (const [n, sum] of means.entries()) means[n] = sum / rows;
  for (const [at, value] of values.entries()) deviations[at % columns]! += (value - means[at % columns]!) ** 2;
  for (const [n, squares] of deviations.entries()) {
    const deviation = Math.sqrt(squares / rows);
    // What is left by rounding is no deviation.
    deviations[n] = deviation <= ROUNDING * Math.abs(means[n]!) ? 1 : deviation;
  }
  return {
    means,
    deviations,
    values: values.map((value, at) => (value - means[at % columns]!) / deviations[at % columns]!),
  };
}

function margin(parameters: Float64Array, values: Float64Array, row: number): number {
  const columns = parameters.length - 1;
  let sum = parameters[columns]!;
  for (let n = 0; n < columns; n++) sum += parameters[n]! * values[row * columns + n]!;
  return sum;
}

function lossOf(parameters: Float64Array, values: Float64Array, labels: Uint8Array): number {
  let loss = 0;
  for (let n = 0; n < parameters.length - 1; n++) loss += parameters[n]! ** 2 / 2;
  for (let row = 0; row < labels.length; row++) {
    const signed = labels[row] === 1 ? -margin(parameters, values, row) : margin(parameters, values, row);
    // log(1 + exp(signed)), which does not overflow.
    loss += Math.max(0, signed) + Math.log1p(Math.exp(-Math.abs(signed)));
  }
  return loss;
}

function derivatives(
  parameters: Float64Array,
  values: Float64Array,
  labels: Uint8Array,
): { readonly gradient: Float64Array; readonly hessian: readonly Float64Array[] } {
  const size = parameters.length;
  const columns = size - 1;
  const gradient = parameters.slice();
  gradient[columns] = 0;
  const hessian = Array.from({ length: size }, (_, n) => {
    const line = new Float64Array(size);
    if (n < columns) line[n] = 1;
    return line;
  });
  const row = new Float64Array(size).fill(1);
  for (let at = 0; at < labels.length; at++) {
    row.set(values.subarray(at * columns, (at + 1) * columns));
    const chance = logistic(margin(parameters, values, at));
    const error = chance - labels[at]!;
    const curvature = chance * (1 - chance);
    for (let n = 0; n < size; n++) {
      gradient[n]! += error * row[n]!;
      const line = hessian[n]!;
      const scaled = curvature * row[n]!;
      // It is symmetric: the lower half is enough.
      for (let m = 0; m <= n; m++) line[m]! += scaled * row[m]!;
    }
  }
  return { gradient, hessian };
}

/** Solves `matrix · x = right` by Cholesky's method. @param matrix - symmetric, positive definite; the lower half */
function solve(matrix: readonly Float64Array[], right: Float64Array): Float64Array {
  const size = right.length;
  const lower = matrix.map((line) => line.slice());
  for (let n = 0; n < size; n++) {
    for (let m = 0; m <= n; m++) {
      let sum = lower[n]![m]!;
      for (let k = 0; k < m; k++) sum -= lower[n]![k]! * lower[m]![k]!;
      lower[n]![m] = n === m ? Math.sqrt(sum) : sum / lower[m]![m]!;
    }
  }
  const x = right.slice();
  for (let n = 0; n < size; n++) {
    for (let k = 0; k < n; k++) x[n]! -= lower[n]![k]! * x[k]!;
    x[n]! /= lower[n]![n]!;
  }
  for (let n = size - 1; n >= 0; n--) {
    for (let k = n + 1; k < size; k++) x[n]! -= lower[k]![n]! * x[k]!;
    x[n]! /= lower[n]![n]!;
  }
  return x;
}
