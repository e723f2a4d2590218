import {
  covers,
  FIRST_WEB_SHOP,
  KNOWN_WEB_SHOPS,
  type PlacesDataSet,
  type StolenCard,
  terminalsNear,
  THIEF_PURCHASES_A_DAY,
  THIEF_WEB_SHARE,
} from "../../ingress-generator/handbook-places/data-set.js";
import {
  AMOUNT_LIMIT_MINOR,
  CUSTOMER_DAYS,
  CUSTOMER_FACTOR,
  CUSTOMER_SHARE,
  DAY_SECONDS,
  HANDBOOK_TERMINALS,
  TERMINAL_DAYS,
} from "../../ingress-generator/handbook/data-set.js";
import type { BatchDetector } from "./score-week.js";

/** Of a normal distribution that lies more than two deviations below its mean. */
const BELOW_ZERO = 0.022750131948179;

/** Knows what nobody can. Its one feature is a transaction's number. */
export const placesReference = (data: PlacesDataSet): BatchDetector => {
  const scores = hiddenStateScores(data);
  return {
    name: "reference: hidden state, every label at once",
    features: (_, { from, to }) => ({
      columns: 1,
      first: from,
      values: Float64Array.from({ length: to - from }, (_one, n) => from + n),
    }),
    learned: () => (row) => scores(row[0]!),
  };
};

/**
 * The probability that a transaction is fraud for somebody who sees what the simulator hides: which terminals and
 * customers are compromised, which cards are stolen, since when, for how long, and where thieves and customers are; how
 * much and where each of them spends. What is left to chance is which third of a compromised customer's transactions is
 * fraud, and who of customer and thief it was where both might have been: Bayes' rule says, from the amount and the
 * terminal. Of the labels nothing is needed then.
 */
function hiddenStateScores(data: PlacesDataSet): (at: number) => number {
  const { seconds, customers, terminals, amountsMinor, hidden } = data;
  const compromisedTerminals = daysById(hidden.compromisedTerminals);
  const compromisedCustomers = daysById(hidden.compromisedCustomers);
  const stolenCards = new Map<number, StolenCard[]>();
  for (const card of hidden.stolenCards)
    stolenCards.set(card.customer, [...(stolenCards.get(card.customer) ?? []), card]);
  const near = new Map<object, Set<number>>();
  /** The terminals around a point, which is looked up by itself. */
  const around = (point: { readonly x: number; readonly y: number }): Set<number> => {
    const known = near.get(point) ?? new Set(terminalsNear(hidden.terminals, point));
    near.set(point, known);
    return known;
  };
  const chanceIn = (usable: Set<number>, terminal: number): number => (usable.has(terminal) ? 1 / usable.size : 0);

  return (at) => {
    const day = Math.floor(seconds[at]! / DAY_SECONDS);
    const amount = amountsMinor[at]!;
    const terminal = terminals[at]!;
    const lasts = (days: number) => (from: number) => covers({ day: from, days }, day);
    if (amount > AMOUNT_LIMIT_MINOR) return 1;
    if (compromisedTerminals.get(terminal)?.some(lasts(TERMINAL_DAYS))) return 1;

    const customer = hidden.customers[customers[at]!]!;
    const onWeb = terminal >= FIRST_WEB_SHOP;
    const where = customer.journeys.find((stay) => covers(stay, day))?.at ?? customer.home;
    const ownPlace = onWeb
      ? (customer.webShare * Number(customer.webShops.includes(terminal))) / KNOWN_WEB_SHOPS
      : (1 - customer.webShare) * chanceIn(around(where), terminal);
    const times = (compromisedCustomers.get(customers[at]!) ?? []).filter(lasts(CUSTOMER_DAYS)).length;
    const spared = (1 - 1 / CUSTOMER_SHARE) ** times;
    const own = customer.rate * ownPlace;
    const genuine = own * spared * density(amount, customer.meanMinor);
    const multiplied = own * (1 - spared) * density(amount, customer.meanMinor * CUSTOMER_FACTOR);
    const stolen = (stolenCards.get(customers[at]!) ?? [])
      .filter((card) => covers(card, day))
      .map((card) => {
        const place = onWeb
          ? THIEF_WEB_SHARE / (HANDBOOK_TERMINALS - FIRST_WEB_SHOP)
          : (1 - THIEF_WEB_SHARE) * chanceIn(around(card.at), terminal);
        return THIEF_PURCHASES_A_DAY * place * density(amount, card.meanMinor);
      })
      .reduce((sum, one) => sum + one, 0);
    const fraud = multiplied + stolen;
    return fraud === 0 ? 0 : fraud / (fraud + genuine);
  };
}

function daysById(all: readonly { readonly id: number; readonly day: number }[]): Map<number, number[]> {
  const days = new Map<number, number[]>();
  for (const { id, day } of all) days.set(id, [...(days.get(id) ?? []), day]);
  return days;
}

/** Of an amount that is normal with half the mean as deviation, and anything up to twice the mean if below 0. */
function density(amount: number, mean: number): number {
  const deviation = mean / 2;
  const z = (amount - mean) / deviation;
  const normal = Math.exp((-z * z) / 2) / (deviation * Math.sqrt(2 * Math.PI));
  return normal + (amount <= 2 * mean ? BELOW_ZERO / (2 * mean) : 0);
}
