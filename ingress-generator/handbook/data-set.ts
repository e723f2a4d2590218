import { numpyArgsort } from "./numpy-argsort.js";
import { NumpyRandom } from "./numpy-random.js";
import { PythonRandom } from "./python-random.js";

/*
 * The simulated data set of "Reproducible Machine Learning for Credit Card Fraud Detection: Practical Handbook" (Le
 * Borgne, Siblini, Lebichot, Bontempi, 2022), made from its published definition.
 */

export const HANDBOOK_CUSTOMERS = 5_000;
export const HANDBOOK_TERMINALS = 10_000;
export const HANDBOOK_DAYS = 183;
/** The first second, in ms since 1970. */
export const HANDBOOK_START_MS = Date.UTC(2018, 3, 1);
export const DAY_SECONDS = 86_400;

/** Customers use terminals that are nearer than this, on a map of 100 × 100. */
export const RADIUS = 5;
/** Amounts above it are fraud: scenario 1. */
export const AMOUNT_LIMIT_MINOR = 22_000;
export const COMPROMISED_TERMINALS_A_DAY = 2;
export const TERMINAL_DAYS = 28;
export const COMPROMISED_CUSTOMERS_A_DAY = 3;
export const CUSTOMER_DAYS = 14;
/** Of a compromised customer's transactions one in so many is fraud. */
export const CUSTOMER_SHARE = 3;
export const CUSTOMER_FACTOR = 5;

/**
 * 0: genuine; 1: a large amount; 2: a compromised terminal; 3: a compromised customer, amount times 5. 4, which the
 * Handbook has not: a stolen card, far away.
 */
export type HandbookScenario = 0 | 1 | 2 | 3 | 4;

/** One transaction in each place, in the order of time; its place is the transaction's number in the Handbook. */
export interface HandbookDataSet {
  /** Since {@link HANDBOOK_START_MS}. */
  readonly seconds: Uint32Array;
  readonly customers: Uint16Array;
  readonly terminals: Uint16Array;
  /** In cents. */
  readonly amountsMinor: Uint32Array;
  /** Of several scenarios the last; values of {@link HandbookScenario}. */
  readonly scenarios: Uint8Array;
  /** How many became fraud by each scenario that were none by an earlier one. */
  readonly newFrauds: readonly number[];
  /**
   * From which second on it is known that a transaction is fraud; {@link NEVER_LABELLED} where it never is, or is none.
   * Absent: each fraud's label comes {@link HANDBOOK_LABEL_DELAY_SECONDS} later.
   */
  readonly labelledAt?: Uint32Array;
  /** Where each terminal stands; `undefined`: a web shop. Absent: nobody knows. */
  readonly places?: readonly (Place | undefined)[];
}

/** In millionths of a degree, north and east positive. */
export interface Place {
  readonly latitudeE6: number;
  readonly longitudeE6: number;
}

/** The Handbook's: a fraud is known after a week. */
export const HANDBOOK_LABEL_DELAY_SECONDS = 7 * DAY_SECONDS;
/** Later than any time. */
export const NEVER_LABELLED = 2 ** 32 - 1;

/**
 * From which second on a transaction is known to be fraud; {@link NEVER_LABELLED}: never.
 *
 * @param delaySeconds - where the data set does not say
 */
export function labelTime(
  { seconds, scenarios, labelledAt }: Pick<HandbookDataSet, "seconds" | "scenarios" | "labelledAt">,
  at: number,
  delaySeconds = HANDBOOK_LABEL_DELAY_SECONDS,
): number {
  if (labelledAt !== undefined) return labelledAt[at]!;
  return scenarios[at] === 0 ? NEVER_LABELLED : seconds[at]! + delaySeconds;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Makes the whole of it, 1,754,155 transactions: in seconds, and at most 400 MB of which 23 stay. */
export function handbookDataSet(): HandbookDataSet {
  const genuine = genuineTransactions();
  const order = numpyArgsort(genuine.seconds);
  const { length } = order;
  const data = {
    seconds: Uint32Array.from(order, (at) => genuine.seconds[at]!),
    customers: Uint16Array.from(order, (at) => genuine.customers[at]!),
    terminals: Uint16Array.from(order, (at) => genuine.terminals[at]!),
    amountsMinor: Uint32Array.from(order, (at) => genuine.amountsMinor[at]!),
    scenarios: new Uint8Array(length),
  };
  return { ...data, newFrauds: addFrauds(data) };
}

/** Where each day begins among the transactions, and after the last one their number. */
export function dayOffsets({ seconds }: Pick<HandbookDataSet, "seconds">): Uint32Array {
  const offsets = new Uint32Array(HANDBOOK_DAYS + 1).fill(seconds.length);
  for (let at = seconds.length - 1; at >= 0; at--) offsets[Math.floor(seconds[at]! / DAY_SECONDS)] = at;
  // A day without any begins where the next one does.
  for (let day = HANDBOOK_DAYS - 1; day >= 0; day--) offsets[day] = Math.min(offsets[day]!, offsets[day + 1]!);
  return offsets;
}

/** Finds the transactions of the days from `day` on that are wanted. */
export function withinDays(
  data: Pick<HandbookDataSet, "seconds">,
): (day: number, days: number, wanted: (at: number) => boolean) => number[] {
  const offsets = dayOffsets(data);
  return (day, days, wanted) => {
    const found: number[] = [];
    const end = offsets[Math.min(day + days, HANDBOOK_DAYS)]!;
    for (let at = offsets[day]!; at < end; at++) if (wanted(at)) found.push(at);
    return found;
  };
}

/** What customers do by themselves: one customer after the other. */
function genuineTransactions(): Pick<HandbookDataSet, "seconds" | "customers" | "terminals" | "amountsMinor"> {
  const seconds: number[] = [];
  const customers: number[] = [];
  const terminals: number[] = [];
  const amountsMinor: number[] = [];
  const ofTerminals = new NumpyRandom(1);
  const places = Array.from({ length: HANDBOOK_TERMINALS }, () => point(ofTerminals));
  const ofCustomers = new NumpyRandom(0);
  for (let customer = 0; customer < HANDBOOK_CUSTOMERS; customer++) {
    const home = point(ofCustomers);
    const meanAmount = ofCustomers.uniform(5, 100);
    const dailyRate = ofCustomers.uniform(0, 4);
    const usable: number[] = [];
    for (const [terminal, place] of places.entries()) if (distance(home, place) < RADIUS) usable.push(terminal);
    const numpy = new NumpyRandom(customer);
    const python = new PythonRandom(customer);
    for (let day = 0; day < HANDBOOK_DAYS; day++) {
      for (let left = numpy.poisson(dailyRate); left > 0; left--) {
        const second = Math.trunc(numpy.normal(DAY_SECONDS / 2, 20_000));
        if (second <= 0 || second >= DAY_SECONDS) continue;
        let amount = numpy.normal(meanAmount, meanAmount / 2);
        if (amount < 0) amount = numpy.uniform(0, 2 * meanAmount);
        if (usable.length === 0) continue;
        seconds.push(day * DAY_SECONDS + second);
        customers.push(customer);
        terminals.push(python.choice(usable));
        amountsMinor.push(Math.round(amount * 100));
      }
    }
  }
  return {
    seconds: Uint32Array.from(seconds),
    customers: Uint16Array.from(customers),
    terminals: Uint16Array.from(terminals),
    amountsMinor: Uint32Array.from(amountsMinor),
  };
}

function point(random: NumpyRandom): Point {
  const x = random.uniform(0, 100);
  return { x, y: random.uniform(0, 100) };
}

const distance = (a: Point, b: Point): number => Math.sqrt((a.x - b.x) ** 2 + (a.y - b.y) ** 2);

/** Marks the frauds of the three scenarios, one after the other. @returns how many each added */
function addFrauds(data: Omit<HandbookDataSet, "newFrauds">): [number, number, number] {
  const { customers, terminals, amountsMinor, scenarios } = data;
  const added: [number, number, number] = [0, 0, 0];
  const mark = (at: number, scenario: 1 | 2 | 3): void => {
    if (scenarios[at] === 0) added[scenario - 1]!++;
    scenarios[at] = scenario;
  };
  const within = withinDays(data);

  for (const [at, amount] of amountsMinor.entries()) if (amount > AMOUNT_LIMIT_MINOR) mark(at, 1);
  // On the last day nobody is compromised.
  for (let day = 0; day < HANDBOOK_DAYS - 1; day++) {
    const chosen = new Set(new NumpyRandom(day).choice(HANDBOOK_TERMINALS, COMPROMISED_TERMINALS_A_DAY));
    for (const at of within(day, TERMINAL_DAYS, (one) => chosen.has(terminals[one]!))) mark(at, 2);
  }
  for (let day = 0; day < HANDBOOK_DAYS - 1; day++) {
    const chosen = new Set(new NumpyRandom(day).choice(HANDBOOK_CUSTOMERS, COMPROMISED_CUSTOMERS_A_DAY));
    const theirs = within(day, CUSTOMER_DAYS, (one) => chosen.has(customers[one]!));
    for (const at of new PythonRandom(day).sample(theirs, Math.floor(theirs.length / CUSTOMER_SHARE))) {
      amountsMinor[at]! *= CUSTOMER_FACTOR;
      mark(at, 3);
    }
  }
  return added;
}
