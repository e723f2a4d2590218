import { contentHash } from "../contract/content-hash.js";
import { type FraudLabel, type Transaction, Verdict } from "../protos/gen/fraud/v1/transaction.js";
import { EventQueue } from "./event-queue.js";
import { CITIES, type City, distanceKm, HOME_CITIES } from "./places.js";
import { Random, Zipf } from "./random.js";

/** The fraud patterns that are simulated: those of {@link simulate}, and the Handbook's three scenarios. */
export type FraudPattern =
  | "velocity-burst"
  | "stolen-card"
  | "compromised-merchant"
  | "large-amount"
  | "compromised-terminal"
  | "compromised-customer";

/** What the simulator makes: a transaction, with the truth about it, or a label. */
export type SimulatedItem =
  | { readonly kind: "transaction"; readonly message: Transaction; readonly fraud: FraudPattern | undefined }
  | { readonly kind: "label"; readonly message: FraudLabel };

export interface SimulationOptions {
  readonly seed: number;
  /** Begins every account's, merchant's, transaction's and label's id: runs never share state. */
  readonly runId: string;
  /** Event time of the beginning, in ms since 1970. */
  readonly startMs: number;
  readonly accounts: number;
  /** Default 200. */
  readonly merchants?: number;
  /** How long after a fraud its label comes, in event time: half to one and a half of this. Default 6 hours. */
  readonly labelDelayMs?: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MERCHANTS = 200;
const LABEL_DELAY_MS = 6 * HOUR_MS;

// The population. Shares are of ordinary transactions unless said otherwise.
const TRANSACTIONS_PER_ACCOUNT_DAY = 5;
const ONLINE_MERCHANT_SHARE = 0.3;
const JOURNEY_SHARE = 0.003;
/** No ordinary journey is faster. */
const JOURNEY_KMH = 600;
/** Clocks of terminals: event times lie up to this before the moment at which a transaction is sent. */
const JITTER_MS = 5_000;

const BURST_SHARE = 0.000_6;
const STOLEN_SHARE = 0.002;
const STOLEN_MIN_KM = 1_500;
const COMPROMISE_EVERY_MS = 4 * DAY_MS;
const COMPROMISE_LASTS_MS = 3 * DAY_MS;
const COMPROMISED_FRAUD_SHARE = 0.3;
/** Popular enough that the fraud matters, not so popular that it is everywhere. */
const COMPROMISED_RANKS = [5, 24] as const;

/** Frauds that are never found out. */
const UNLABELLED_SHARE = 0.1;
/** Ordinary transactions that are first taken for fraud, and cleared by a second label. */
const FALSE_ALARM_SHARE = 0.000_5;

interface Account {
  readonly id: string;
  readonly meanAmountMinor: number;
  city: City;
  lastLocatedMs: number;
}

interface Merchant {
  readonly id: string;
  readonly name: string;
  readonly online: boolean;
  readonly amountFactor: number;
}

/** What is yet to come: a fraud that was planned, a label that is due, a merchant's fall. */
type Planned =
  | {
      readonly kind: "fraud";
      readonly account: Account;
      readonly merchant: Merchant;
      readonly amountMinor: number;
      readonly city: City | undefined;
      readonly pattern: FraudPattern;
    }
  | {
      readonly kind: "label";
      readonly transaction: Transaction;
      readonly verdict: Verdict;
      readonly revision: number;
      readonly falseAlarm: boolean;
    }
  | { readonly kind: "compromise" };

/** Event time from one ordinary transaction to the next, in ms: each account makes about 5 a day. */
export const stepMs = (accounts: number): number => DAY_MS / (accounts * TRANSACTIONS_PER_ACCOUNT_DAY);

/**
 * An endless stream of card transactions and the labels on them, in the order in which they are to be sent. It depends
 * on the options alone: the same ones give the same bytes.
 *
 * Ordinary transactions come at even intervals of event time, each of a random account at a merchant by Zipf's law.
 * About one transaction in seventy is a fraud of one of three patterns:
 *
 * - `velocity-burst`: 6 to 10 small online purchases of one account within minutes
 * - `stolen-card`: 2 to 4 large purchases, more than 1,500 km from where the card was used shortly before
 * - `compromised-merchant`: for 3 days, 30% of the transactions at one merchant
 */
export function* simulate({
  seed,
  runId,
  startMs,
  accounts,
  merchants = MERCHANTS,
  labelDelayMs = LABEL_DELAY_MS,
}: SimulationOptions): Generator<SimulatedItem, never, void> {
  const random = new Random(seed);
  const population = new Population(random, runId, accounts, merchants);
  const planned = new EventQueue<Planned>();
  const step = stepMs(accounts);
  let transactions = 0;
  let labels = 0;
  let compromised: { merchant: Merchant; untilMs: number } | undefined;

  function transaction(
    account: Account,
    merchant: Merchant,
    amountMinor: number,
    city: City | undefined,
    nowMs: number,
  ): Transaction {
    const message: Transaction = {
      transactionId: `${runId}-${++transactions}`,
      accountId: account.id,
      merchantId: merchant.id,
      amountMinor: BigInt(Math.max(1, Math.round(amountMinor))),
      currency: "EUR",
      eventTimeMs: BigInt(Math.floor(nowMs - random.between(0, JITTER_MS))),
      location: city && {
        latitudeE6: degreesE6(city.latitude, random),
        longitudeE6: degreesE6(city.longitude, random),
        name: city.name,
      },
      merchantName: merchant.name,
      origin: undefined,
      contentHash: Buffer.alloc(0),
      modelHash: Buffer.alloc(0),
      challengerHash: Buffer.alloc(0),
    };
    message.contentHash = contentHash(message);
    return message;
  }

  function planLabel(
    nowMs: number,
    of: Transaction,
    verdict: Verdict,
    { revision = 1, falseAlarm = false } = {},
  ): void {
    planned.push(nowMs + labelDelayMs * random.between(0.5, 1.5), {
      kind: "label",
      transaction: of,
      verdict,
      revision,
      falseAlarm,
    });
  }

  function fraudulent(message: Transaction, fraud: FraudPattern, nowMs: number): SimulatedItem {
    if (!random.chance(UNLABELLED_SHARE)) planLabel(nowMs, message, Verdict.FRAUD);
    return { kind: "transaction", message, fraud };
  }

  function planBurst(account: Account, nowMs: number): void {
    let at = nowMs;
    for (let left = random.int(6, 10); left > 0; left--) {
      at += random.between(10_000, 50_000);
      planned.push(at, {
        kind: "fraud",
        account,
        merchant: population.onlineMerchant(),
        amountMinor: account.meanAmountMinor * random.between(0.1, 0.6),
        city: undefined,
        pattern: "velocity-burst",
      });
    }
  }

  function planStolenCard(account: Account, nowMs: number): void {
    const far = population.cityFarFrom(account.city);
    let at = nowMs + random.between(5, 25) * 60_000;
    for (let left = random.int(2, 4); left > 0; left--) {
      planned.push(at, {
        kind: "fraud",
        account,
        merchant: population.shop(),
        amountMinor: account.meanAmountMinor * random.between(4, 10),
        city: far,
        pattern: "stolen-card",
      });
      at += random.between(2, 15) * 60_000;
    }
  }

  function happen(event: Planned, nowMs: number): SimulatedItem | undefined {
    switch (event.kind) {
      case "fraud":
        return fraudulent(
          transaction(event.account, event.merchant, event.amountMinor, event.city, nowMs),
          event.pattern,
          nowMs,
        );
      case "label": {
        const { transaction: of, verdict, revision } = event;
        if (event.falseAlarm) planLabel(nowMs, of, Verdict.LEGITIMATE, { revision: revision + 1 });
        const { accountId, transactionId, merchantId, eventTimeMs } = of;
        return {
          kind: "label",
          message: {
            labelId: `${runId}-l${++labels}`,
            accountId,
            transactionId,
            merchantId,
            eventTimeMs,
            effectiveAtMs: BigInt(Math.floor(nowMs)),
            revision,
            verdict,
            origin: undefined,
          },
        };
      }
      case "compromise":
        compromised = {
          merchant: population.merchants[Math.min(random.int(...COMPROMISED_RANKS), population.merchants.length - 1)]!,
          untilMs: nowMs + COMPROMISE_LASTS_MS,
        };
        planned.push(nowMs + COMPROMISE_EVERY_MS, { kind: "compromise" });
        return undefined;
    }
  }

  function ordinary(nowMs: number): SimulatedItem {
    const account = population.account();
    const merchant = population.merchant();
    const amountMinor = account.meanAmountMinor * merchant.amountFactor * random.between(0.3, 1.7);
    if (!merchant.online) {
      population.travel(account, nowMs);
      account.lastLocatedMs = nowMs;
    }
    const message = transaction(account, merchant, amountMinor, merchant.online ? undefined : account.city, nowMs);
    if (compromised?.merchant === merchant && nowMs < compromised.untilMs && random.chance(COMPROMISED_FRAUD_SHARE))
      return fraudulent(message, "compromised-merchant", nowMs);
    if (random.chance(BURST_SHARE)) planBurst(account, nowMs);
    else if (!merchant.online && random.chance(STOLEN_SHARE)) planStolenCard(account, nowMs);
    else if (random.chance(FALSE_ALARM_SHARE)) planLabel(nowMs, message, Verdict.FRAUD, { falseAlarm: true });
    return { kind: "transaction", message, fraud: undefined };
  }

  planned.push(startMs + HOUR_MS, { kind: "compromise" });
  for (let slot = 0; ;) {
    const slotMs = startMs + slot * step;
    const at = planned.nextAt;
    let item: SimulatedItem | undefined;
    if (at <= slotMs) item = happen(planned.pop()!, at);
    else {
      item = ordinary(slotMs);
      slot++;
    }
    if (item !== undefined) yield item;
  }
}

/** Within about 10 km of the place, in millionths of a degree. */
function degreesE6(degrees: number, random: Random): number {
  return Math.round((degrees + random.between(-0.08, 0.08)) * 1e6);
}

/** Who spends where. */
class Population {
  readonly merchants: readonly Merchant[];
  readonly #accounts: readonly Account[];
  readonly #online: readonly Merchant[];
  readonly #shops: readonly Merchant[];
  readonly #popularity: Zipf;
  readonly #random: Random;

  constructor(random: Random, runId: string, accounts: number, merchants: number) {
    this.#random = random;
    const digits = String(accounts).length;
    this.#accounts = Array.from({ length: accounts }, (_, n) => ({
      id: `${runId}-a${String(n + 1).padStart(digits, "0")}`,
      // From 8 to 120 of the currency, most of them small.
      meanAmountMinor: 800 + 11_200 * random.fraction() * random.fraction(),
      city: CITIES[random.int(0, HOME_CITIES - 1)]!,
      lastLocatedMs: -Infinity,
    }));
    this.merchants = Array.from({ length: merchants }, (_, n) => {
      // Of any handful there are some of both kinds.
      const online = n < 4 ? n % 2 === 1 : random.chance(ONLINE_MERCHANT_SHARE);
      return {
        id: `${runId}-m${n + 1}`,
        name: `${online ? "Web shop" : "Shop"} ${n + 1}`,
        online,
        amountFactor: random.between(0.5, 1.5),
      };
    });
    this.#online = this.merchants.filter(({ online }) => online);
    this.#shops = this.merchants.filter(({ online }) => !online);
    this.#popularity = new Zipf(merchants);
  }

  account = (): Account => this.#random.pick(this.#accounts);
  merchant = (): Merchant => this.merchants[this.#popularity.rank(this.#random)]!;
  onlineMerchant = (): Merchant => this.#random.pick(this.#online);
  shop = (): Merchant => this.#random.pick(this.#shops);

  cityFarFrom(city: City): City {
    return this.#random.pick(CITIES.filter((other) => distanceKm(city, other) > STOLEN_MIN_KM));
  }

  /** Now and then the account's owner is somewhere else, if there was time to get there. */
  travel(account: Account, nowMs: number): void {
    if (!this.#random.chance(JOURNEY_SHARE)) return;
    const city = this.#random.pick(CITIES);
    const hours = (nowMs - account.lastLocatedMs) / HOUR_MS;
    if (distanceKm(account.city, city) / JOURNEY_KMH < hours) account.city = city;
  }
}
