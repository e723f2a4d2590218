import {
  AMOUNT_LIMIT_MINOR,
  COMPROMISED_CUSTOMERS_A_DAY,
  COMPROMISED_TERMINALS_A_DAY,
  CUSTOMER_DAYS,
  CUSTOMER_FACTOR,
  CUSTOMER_SHARE,
  DAY_SECONDS,
  HANDBOOK_CUSTOMERS,
  HANDBOOK_DAYS,
  HANDBOOK_TERMINALS,
  type HandbookDataSet,
  NEVER_LABELLED,
  type Place,
  RADIUS,
  TERMINAL_DAYS,
  withinDays,
} from "../handbook/data-set.js";
import { Draws } from "./draws.js";

/*
 * A second yardstick: the Handbook's simulation with places, web shops, journeys, stolen cards and labels that come
 * sooner, later or never. docs/detection.md defines it.
 */

/** Of all its random numbers; what they are for is added to it, so that no two purposes share any. */
const PLACES_SEED = 20_261_127;

/** The map has so many steps from west to east and from south to north: a thousandth of the Handbook's unit each. */
const MAP_STEPS = 100_000;
const STEPS_PER_UNIT = 1_000;
const RADIUS_STEPS = RADIUS * STEPS_PER_UNIT;
/** The map's south-western corner, 45° N 5° E, and its steps: from there 5° northwards and 7.5° eastwards. */
const [SOUTH_E6, NORTHWARDS_E6] = [45_000_000, 50];
const [WEST_E6, EASTWARDS_E6] = [5_000_000, 75];

/** Terminals from this number on are web shops. */
export const FIRST_WEB_SHOP = 9_000;
/** How many web shops a customer knows. */
export const KNOWN_WEB_SHOPS = 20;
/** Of a customer's purchases at most such a share is on the web. */
const MOST_ON_WEB = 0.4;
/** On one day in so many a customer who is at home leaves on a journey. */
const JOURNEY_EVERY_DAYS = 90;
const MOST_JOURNEY_DAYS = 7;

const STOLEN_CARDS_A_DAY = 3;
const MOST_STOLEN_DAYS = 4;
/** A thief is at least so far from the customer's home. */
const THIEF_STEPS = 30 * STEPS_PER_UNIT;
export const THIEF_PURCHASES_A_DAY = 2;
export const THIEF_WEB_SHARE = 0.5;
const THIEF_MEAN_MINOR = [2_000, 12_000] as const;
const CUSTOMER_MEAN_MINOR = [500, 10_000] as const;
const MOST_PURCHASES_A_DAY = 4;

/** Of 20 frauds an analyst finds 3 on the same day, 15 are complained about after days, and 2 never. */
const [LABELS_OF, SAME_DAY, NEVER] = [20, 3, 2];
/** Of a complaint, twice as many days as a die with so many sides says. */
const DIE = 6;

/** On the map, in its steps. */
export interface MapPoint {
  readonly x: number;
  readonly y: number;
}

/** Somebody who buys: a customer, or a thief. */
interface Buyer {
  /** In cents; the deviation is half of it. */
  readonly meanMinor: number;
}

/** What the simulator knows of a customer. */
export interface PlacesCustomer extends Buyer {
  readonly home: MapPoint;
  /** How many purchases a day on average. */
  readonly rate: number;
  /** The share of them that is on the web. */
  readonly webShare: number;
  readonly webShops: readonly number[];
  readonly journeys: readonly Stay[];
}

/** Somewhere for some days. */
export interface Stay {
  readonly day: number;
  readonly days: number;
  readonly at: MapPoint;
}

/** A card that somebody else uses. */
export interface StolenCard extends Stay, Buyer {
  readonly customer: number;
}

/** What happened from a day on, as far as nobody can see it. */
interface Compromised {
  readonly id: number;
  readonly day: number;
}

/** What nobody can see who is not the simulator. */
export interface HiddenState {
  readonly customers: readonly PlacesCustomer[];
  /** By terminal; of web shops nowhere. */
  readonly terminals: readonly (MapPoint | undefined)[];
  readonly compromisedTerminals: readonly Compromised[];
  readonly compromisedCustomers: readonly Compromised[];
  readonly stolenCards: readonly StolenCard[];
}

/** The second yardstick, and what was behind it. */
export interface PlacesDataSet extends HandbookDataSet {
  readonly labelledAt: Uint32Array;
  readonly places: readonly (Place | undefined)[];
  readonly hidden: HiddenState;
}

const draws = (purpose: string): Draws => new Draws(PLACES_SEED, purpose);
const pointBy = (random: Draws): MapPoint => ({ x: random.int(0, MAP_STEPS - 1), y: random.int(0, MAP_STEPS - 1) });
/** In steps, squared: whole numbers. */
const squaredSteps = (a: MapPoint, b: MapPoint): number => (a.x - b.x) ** 2 + (a.y - b.y) ** 2;

/** Where on the Earth a point of the map is. */
export const placeOf = ({ x, y }: MapPoint): Place => ({
  latitudeE6: SOUTH_E6 + NORTHWARDS_E6 * y,
  longitudeE6: WEST_E6 + EASTWARDS_E6 * x,
});

/** The terminals that somebody at this point uses. */
export function terminalsNear(terminals: HiddenState["terminals"], point: MapPoint): number[] {
  const near: number[] = [];
  for (const [terminal, at] of terminals.entries())
    if (at !== undefined && squaredSteps(at, point) < RADIUS_STEPS ** 2) near.push(terminal);
  return near;
}

/** Makes the whole of it, in seconds: the same on every machine. */
export function placesDataSet(): PlacesDataSet {
  const ofTerminals = draws("terminals");
  const terminals = Array.from({ length: HANDBOOK_TERMINALS }, (_, n) =>
    n < FIRST_WEB_SHOP ? pointBy(ofTerminals) : undefined,
  );
  const ofCustomers = draws("customers");
  const ofJourneys = draws("journeys");
  const customers = Array.from({ length: HANDBOOK_CUSTOMERS }, () => ({
    home: pointBy(ofCustomers),
    meanMinor: ofCustomers.between(...CUSTOMER_MEAN_MINOR),
    rate: ofCustomers.between(0, MOST_PURCHASES_A_DAY),
    webShare: ofCustomers.between(0, MOST_ON_WEB),
    webShops: ofCustomers.some(HANDBOOK_TERMINALS - FIRST_WEB_SHOP, KNOWN_WEB_SHOPS).map((n) => FIRST_WEB_SHOP + n),
    journeys: journeysBy(ofJourneys),
  }));
  const stolenCards = stolenCardsOf(customers);
  const purchases = new Purchases();
  buyByCustomers(purchases, customers, terminals);
  buyByThieves(purchases, stolenCards, terminals);
  const { exactMinor, ...data } = purchases.inOrder();
  const hidden = {
    customers,
    terminals,
    compromisedTerminals: compromisedBy("compromised terminals", HANDBOOK_TERMINALS, COMPROMISED_TERMINALS_A_DAY),
    compromisedCustomers: compromisedBy("compromised customers", HANDBOOK_CUSTOMERS, COMPROMISED_CUSTOMERS_A_DAY),
    stolenCards,
  };
  const newFrauds = addFrauds(data, exactMinor, hidden);
  return {
    ...data,
    newFrauds,
    labelledAt: labelTimes(data),
    places: terminals.map((point) => point && placeOf(point)),
    hidden,
  };
}

function journeysBy(random: Draws): Stay[] {
  const journeys: Stay[] = [];
  for (let day = 0; day < HANDBOOK_DAYS; day++) {
    if (random.int(1, JOURNEY_EVERY_DAYS) > 1) continue;
    const days = random.int(1, MOST_JOURNEY_DAYS);
    journeys.push({ day, days, at: pointBy(random) });
    day += days - 1;
  }
  return journeys;
}

/** On the last day nothing is compromised and no card stolen. */
function compromisedBy(purpose: string, below: number, aDay: number): Compromised[] {
  const random = draws(purpose);
  return Array.from({ length: HANDBOOK_DAYS - 1 }, (_, day) =>
    random.some(below, aDay).map((id) => ({ id, day })),
  ).flat();
}

function stolenCardsOf(customers: readonly PlacesCustomer[]): StolenCard[] {
  const random = draws("stolen cards");
  return Array.from({ length: HANDBOOK_DAYS - 1 }, (_, day) =>
    random.some(customers.length, STOLEN_CARDS_A_DAY).map((customer) => {
      let at = pointBy(random);
      while (squaredSteps(at, customers[customer]!.home) < THIEF_STEPS ** 2) at = pointBy(random);
      const days = random.int(1, MOST_STOLEN_DAYS);
      return { customer, day, days, at, meanMinor: random.between(...THIEF_MEAN_MINOR) };
    }),
  ).flat();
}

/** Whether a stay, or what lasts so many days, covers a day. */
export const covers = ({ day, days }: Pick<Stay, "day" | "days">, on: number): boolean => day <= on && on < day + days;

function buyByCustomers(
  purchases: Purchases,
  customers: readonly PlacesCustomer[],
  terminals: HiddenState["terminals"],
): void {
  const times = draws("times");
  const amounts = draws("amounts");
  const choices = draws("choices");
  for (const [customer, buyer] of customers.entries()) {
    const atHome = terminalsNear(terminals, buyer.home);
    const away = buyer.journeys.map(({ at }) => terminalsNear(terminals, at));
    for (let day = 0; day < HANDBOOK_DAYS; day++) {
      const journey = buyer.journeys.findIndex((one) => covers(one, day));
      const near = journey < 0 ? atHome : away[journey]!;
      for (let left = times.poisson(buyer.rate); left > 0; left--) {
        const second = secondBy(times);
        const minor = amountBy(amounts, buyer);
        const usable = choices.chance(buyer.webShare) ? buyer.webShops : near;
        if (second === undefined || usable.length === 0) continue;
        purchases.add({ second: day * DAY_SECONDS + second, customer, terminal: choices.pick(usable), minor });
      }
    }
  }
}

function buyByThieves(
  purchases: Purchases,
  stolenCards: readonly StolenCard[],
  terminals: HiddenState["terminals"],
): void {
  const random = draws("thieves");
  for (const card of stolenCards) {
    const near = terminalsNear(terminals, card.at);
    for (let day = card.day; day < Math.min(HANDBOOK_DAYS, card.day + card.days); day++) {
      for (let left = random.poisson(THIEF_PURCHASES_A_DAY); left > 0; left--) {
        const second = secondBy(random);
        const minor = amountBy(random, card);
        const onWeb = random.chance(THIEF_WEB_SHARE);
        if (second === undefined || (!onWeb && near.length === 0)) continue;
        const terminal = onWeb ? random.int(FIRST_WEB_SHOP, HANDBOOK_TERMINALS - 1) : random.pick(near);
        purchases.add({
          second: day * DAY_SECONDS + second,
          customer: card.customer,
          terminal,
          minor,
          byThief: true,
        });
      }
    }
  }
}

/** Of the day, as the Handbook has it; `undefined`: the purchase is left out. */
function secondBy(random: Draws): number | undefined {
  const second = Math.trunc(random.normal(DAY_SECONDS / 2, 20_000));
  return second > 0 && second < DAY_SECONDS ? second : undefined;
}

/** In cents, not rounded. */
function amountBy(random: Draws, { meanMinor }: Buyer): number {
  const minor = random.normal(meanMinor, meanMinor / 2);
  return minor < 0 ? random.between(0, 2 * meanMinor) : minor;
}

interface Purchase {
  readonly second: number;
  readonly customer: number;
  readonly terminal: number;
  /** In cents, not rounded. */
  readonly minor: number;
  readonly byThief?: true;
}

type Rows = Pick<HandbookDataSet, "seconds" | "customers" | "terminals" | "amountsMinor" | "scenarios"> & {
  /** In cents, not rounded. */
  readonly exactMinor: Float64Array;
};

/** More than there are purchases. */
const PLACES_OF_ORDER = 2 ** 22;

/** Purchases in whatever order. */
class Purchases {
  readonly #all: Purchase[] = [];

  add(purchase: Purchase): void {
    this.#all.push(purchase);
  }

  /** By time; of one second in the order in which they were added. */
  inOrder(): Rows {
    const order = Float64Array.from(this.#all, ({ second }, n) => second * PLACES_OF_ORDER + n).sort();
    const rows = Array.from(order, (key) => this.#all[key % PLACES_OF_ORDER]!);
    return {
      seconds: Uint32Array.from(rows, ({ second }) => second),
      customers: Uint16Array.from(rows, ({ customer }) => customer),
      terminals: Uint16Array.from(rows, ({ terminal }) => terminal),
      amountsMinor: Uint32Array.from(rows, ({ minor }) => Math.round(minor)),
      exactMinor: Float64Array.from(rows, ({ minor }) => minor),
      scenarios: Uint8Array.from(rows, ({ byThief }) => (byThief ? 4 : 0)),
    };
  }
}

/**
 * Marks the frauds, one scenario after the other. Thieves' are there already; they stay what they are, whatever else
 * befalls them, and count as those of the last scenario. @returns how many each added
 */
function addFrauds(
  data: Omit<Rows, "exactMinor">,
  exactMinor: Float64Array,
  { compromisedTerminals, compromisedCustomers }: HiddenState,
): number[] {
  const { customers, terminals, amountsMinor, scenarios } = data;
  const added = [0, 0, 0, scenarios.reduce((sum, one) => sum + (one === 4 ? 1 : 0), 0)];
  const mark = (at: number, scenario: 1 | 2 | 3): void => {
    if (scenarios[at] === 4) return;
    if (scenarios[at] === 0) added[scenario - 1]!++;
    scenarios[at] = scenario;
  };
  const within = withinDays(data);

  for (const [at, amount] of amountsMinor.entries()) if (amount > AMOUNT_LIMIT_MINOR) mark(at, 1);
  for (const { id, day } of compromisedTerminals)
    for (const at of within(day, TERMINAL_DAYS, (one) => terminals[one] === id)) mark(at, 2);
  const random = draws("a third");
  for (const { id, day } of compromisedCustomers) {
    const theirs = within(day, CUSTOMER_DAYS, (one) => customers[one] === id && scenarios[one] !== 4);
    for (const n of random.some(theirs.length, Math.floor(theirs.length / CUSTOMER_SHARE))) {
      const at = theirs[n]!;
      // What is multiplied has not been rounded: so nothing is to be seen in the cents.
      exactMinor[at]! *= CUSTOMER_FACTOR;
      amountsMinor[at] = Math.round(exactMinor[at]!);
      mark(at, 3);
    }
  }
  return added;
}

/** From when on each fraud is known: always from a midnight on. */
function labelTimes({ seconds, scenarios }: Pick<HandbookDataSet, "seconds" | "scenarios">): Uint32Array {
  const random = draws("labels");
  return Uint32Array.from(seconds, (second, at) => {
    if (scenarios[at] === 0) return NEVER_LABELLED;
    const which = random.int(1, LABELS_OF);
    if (which <= NEVER) return NEVER_LABELLED;
    const days = which <= NEVER + SAME_DAY ? 0 : random.int(1, DIE) + random.int(1, DIE);
    return (Math.floor(second / DAY_SECONDS) + 1 + days) * DAY_SECONDS;
  });
}
