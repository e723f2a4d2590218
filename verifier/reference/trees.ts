/** What `models/README.md` describes as `kind: "trees"`. */
export interface TreesFile {
  readonly kind: "trees";
  readonly id: string;
  readonly reviewAt: number;
  readonly declineAt: number;
  readonly features: readonly string[];
  /** What stands for a feature that is not known. */
  readonly unknown?: number | undefined;
  readonly ordinary: readonly number[];
  readonly probability: Knots;
  readonly score: Knots;
  readonly trees: readonly TreeArrays[];
}

interface Knots {
  readonly margins: readonly number[];
  readonly values: readonly number[];
}

interface TreeArrays {
  readonly feature: readonly number[];
  readonly threshold: readonly number[];
  readonly left: readonly number[];
  readonly right: readonly number[];
  readonly leaf: readonly number[];
}

/** Of a feature's values those that are above the one bound and not above the other. */
interface Between {
  above: bigint | undefined;
  upTo: bigint | undefined;
}

/** A leaf, and what leads to it: for each feature that is asked for on the way, the values that do. */
interface Leaf {
  readonly value: bigint;
  readonly way: ReadonlyMap<number, Readonly<Between>>;
}

/** Made once for each model. */
const leavesOf = new WeakMap<TreesFile, Leaf[][]>();

function leaves(model: TreesFile): Leaf[][] {
  let found = leavesOf.get(model);
  if (found === undefined) leavesOf.set(model, (found = model.trees.map(leavesOfTree)));
  return found;
}

function leavesOfTree({ feature, threshold, left, right, leaf }: TreeArrays): Leaf[] {
  const all: Leaf[] = [];
  const go = (to: number, way: ReadonlyMap<number, Readonly<Between>>): void => {
    if (to < 0) {
      all.push({ value: BigInt(leaf[-1 - to]!), way });
      return;
    }
    const bound = BigInt(threshold[to]!);
    const so = way.get(feature[to]!) ?? { above: undefined, upTo: undefined };
    if (so.upTo === undefined || bound < so.upTo) go(left[to]!, new Map(way).set(feature[to]!, { ...so, upTo: bound }));
    else go(left[to]!, way);
    if (so.above === undefined || bound > so.above)
      go(right[to]!, new Map(way).set(feature[to]!, { ...so, above: bound }));
    else go(right[to]!, way);
  };
  go(feature.length === 0 ? -1 : 0, new Map());
  return all;
}

const isBetween = (value: bigint, { above, upTo }: Between): boolean =>
  (above === undefined || value > above) && (upTo === undefined || value <= upTo);

/** What the trees say together, in millionths of the logarithm of the odds. @param values - of the model's features */
export function marginOf({ trees }: TreesFile, values: readonly bigint[]): bigint {
  // The thresholds are exact as numbers; a value that is not is far beyond them, on the same side.
  const numbers = values.map(Number);
  let sum = 0;
  for (const tree of trees) {
    let at = tree.feature.length > 0 ? 0 : -1;
    while (at >= 0) at = (numbers[tree.feature[at]!]! > tree.threshold[at]! ? tree.right : tree.left)[at]!;
    sum += tree.leaf[-at - 1]!;
  }
  return BigInt(sum);
}

/** On the straight lines between knots, rounded down; level outside. */
export function onLines({ margins, values }: Knots, margin: bigint): number {
  const next = margins.findIndex((knot) => BigInt(knot) > margin);
  if (next === 0) return values[0]!;
  if (next === -1) return values.at(-1)!;
  const [x0, x1, y0, y1] = [margins[next - 1]!, margins[next]!, values[next - 1]!, values[next]!].map(BigInt) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  return Number(y0 + ((y1 - y0) * (margin - x0)) / (x1 - x0));
}

const factorials = Array.from({ length: 21 }, (_, n) => n).reduce<bigint[]>(
  (all, n) => [...all, n === 0 ? 1n : all[n - 1]! * BigInt(n)],
  [],
);
const WHOLE = factorials.at(-1)!;

/**
 * Shapley's values, leaf by leaf: with the features `own` that must have their own value and `usual` that must have the
 * ordinary one, the leaf belongs to whichever feature comes last or first among them, in its share of all orders.
 */
export function contributionsOf(model: TreesFile, values: readonly bigint[]): bigint[] {
  const ordinary = model.ordinary.map(BigInt);
  const sums = model.features.map(() => 0n);
  for (const tree of leaves(model))
    for (const { value, way } of tree) {
      const own: number[] = [];
      const usual: number[] = [];
      let reached = true;
      for (const [feature, between] of way) {
        const byOwn = isBetween(values[feature]!, between);
        const byUsual = isBetween(ordinary[feature]!, between);
        if (!byOwn && !byUsual) {
          reached = false;
          break;
        }
        if (byOwn && !byUsual) own.push(feature);
        if (byUsual && !byOwn) usual.push(feature);
      }
      if (!reached) continue;
      const orders = factorials[own.length + usual.length]!;
      for (const feature of own)
        sums[feature]! += (value * WHOLE * factorials[own.length - 1]! * factorials[usual.length]!) / orders;
      for (const feature of usual)
        sums[feature]! -= (value * WHOLE * factorials[own.length]! * factorials[usual.length - 1]!) / orders;
    }
  return rounded(sums);
}

/** Down to whole ones; then one more for as many of the largest fractions as the whole sum lacks. */
function rounded(sums: readonly bigint[]): bigint[] {
  const parts = sums.map((sum, n) => {
    const down = sum >= 0n ? sum / WHOLE : -((-sum + WHOLE - 1n) / WHOLE);
    return { n, down, fraction: sum - down * WHOLE };
  });
  const total = sums.reduce((all, sum) => all + sum, 0n) / WHOLE;
  let lacks = total - parts.reduce((all, { down }) => all + down, 0n);
  for (const part of parts.toSorted((a, b) => Number(b.fraction - a.fraction) || a.n - b.n)) {
    if (lacks === 0n) break;
    part.down += 1n;
    lacks -= 1n;
  }
  return parts.map(({ down }) => down);
}
