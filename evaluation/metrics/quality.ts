import type { Quality, Scored } from "./scored.js";

const CARDS_A_DAY = 100;
const ALERT_SHARE = 0.005;

/** How often each customer counts; of a bootstrap's draw any number of times. */
export type Weights = (customer: number) => number;

const ONCE: Weights = () => 1;

/** The quality of the scores, by any weights of the customers: what is the same for all weights is done once. */
export function qualityOf(scored: Scored): (weights?: Weights) => Quality {
  const order = Uint32Array.from(scored.scores, (_, at) => at).sort((a, b) => scored.scores[b]! - scored.scores[a]!);
  const days = cardsOfDays(scored);
  return (weights = ONCE) => ({ ...ranking(scored, order, weights), cardPrecision100: cardPrecision(days, weights) });
}

/** From the most suspicious on; transactions of one score together, for there is no order among them. */
function ranking(
  { customers, amountsMinor, frauds, scores }: Scored,
  order: Uint32Array,
  weights: Weights,
): Omit<Quality, "cardPrecision100"> {
  let all = 0;
  let allFrauds = 0;
  let allValue = 0;
  for (const at of order) {
    const weight = weights(customers[at]!);
    all += weight;
    allFrauds += weight * frauds[at]!;
    allValue += weight * frauds[at]! * amountsMinor[at]!;
  }
  const alerts = Math.floor(ALERT_SHARE * all);
  let seen = 0;
  let found = 0;
  let pairs = 0;
  let precision = 0;
  let recallAt05 = 0;
  let valueAt05 = 0;
  for (let from = 0; from < order.length;) {
    let to = from;
    let some = 0;
    let someFrauds = 0;
    let someValue = 0;
    for (; to < order.length && scores[order[to]!] === scores[order[from]!]; to++) {
      const at = order[to]!;
      const weight = weights(customers[at]!);
      some += weight;
      someFrauds += weight * frauds[at]!;
      someValue += weight * frauds[at]! * amountsMinor[at]!;
    }
    // Of the same score it is the fraud's half of the time, and an alert's as far as alerts go.
    pairs += (some - someFrauds) * (found + someFrauds / 2);
    const share = some === 0 ? 0 : Math.min(1, Math.max(0, (alerts - seen) / some));
    recallAt05 += share * someFrauds;
    valueAt05 += share * someValue;
    seen += some;
    found += someFrauds;
    if (seen > 0) precision += (someFrauds * found) / seen;
    from = to;
  }
  return {
    auc: pairs / (allFrauds * (all - allFrauds)),
    averagePrecision: precision / allFrauds,
    recallAt05: recallAt05 / allFrauds,
    valueAt05: valueAt05 / allValue,
  };
}

/** A customer's card on one day. */
interface CardOfDay {
  readonly customer: number;
  readonly score: number;
  readonly fraud: boolean;
}

/** Each day's cards, the most suspicious first, each with its highest score; of equal ones the lower number first. */
function cardsOfDays({ days, customers, frauds, scores }: Scored): readonly (readonly CardOfDay[])[] {
  const byDay = new Map<number, Map<number, CardOfDay>>();
  for (const [at, score] of scores.entries()) {
    const cards = byDay.get(days[at]!) ?? new Map<number, CardOfDay>();
    byDay.set(days[at]!, cards);
    const customer = customers[at]!;
    const card = cards.get(customer);
    cards.set(customer, {
      customer,
      score: Math.max(score, card?.score ?? -Infinity),
      fraud: frauds[at] === 1 || card?.fraud === true,
    });
  }
  return [...byDay]
    .sort(([a], [b]) => a - b)
    .map(([, cards]) => [...cards.values()].sort((a, b) => b.score - a.score || a.customer - b.customer));
}

/** Whose fraud is found on one day is not looked at again. The mean over the days. */
function cardPrecision(days: readonly (readonly CardOfDay[])[], weights: Weights): number {
  const detected = new Set<number>();
  let precision = 0;
  for (const cards of days) {
    let left = CARDS_A_DAY;
    const today: number[] = [];
    for (const { customer, fraud } of cards) {
      if (left === 0) break;
      if (detected.has(customer)) continue;
      const places = Math.min(left, weights(customer));
      left -= places;
      if (!fraud || places === 0) continue;
      precision += places / CARDS_A_DAY;
      today.push(customer);
    }
    for (const customer of today) detected.add(customer);
  }
  return precision / days.length;
}
