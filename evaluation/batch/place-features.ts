import { DAY_SECONDS, type HandbookDataSet, type Place } from "../../ingress-generator/handbook/data-set.js";
import { LABEL_DELAY_DAYS, type Range } from "../weeks.js";
import type { FeatureMatrix } from "./features.js";
import { byId } from "./history.js";
import { LEARNED_FEATURES, learnedFeatures, Past } from "./learned-features.js";
import { metres } from "./metres.js";

/** Of what there is none, such as a distance on the web: where the running functions have no value. */
export const NONE = -1;
/** So many of its last transactions a card's terminals are remembered of. */
const REMEMBERED = 256;
/** What is farther from the usual place than this is far. */
const FAR_METRES = 100_000;

/** What tells of places and of what is new, in the order of a matrix' columns: defined in docs/detection.md. */
const OF_PLACES = [
  "account.on_web",
  "account.merchant_visits",
  "account.travel_distance_m",
  "account.travel_speed_kmh",
  "account.usual_distance_m",
  "account.count_1d",
  "account.new_merchants_7d",
  "account.new_web_7d",
  "account.far_7d",
  "account.fastest_7d_kmh",
] as const;

/** What the trees of the data set with places are trained on. */
export const PLACES_FEATURES = [...LEARNED_FEATURES, ...OF_PLACES] as const;

type Values = Readonly<Record<(typeof OF_PLACES)[number], number>>;

/** The learned features, and those of places, of a stretch of transactions; each from what was known at it. */
export function placesFeatures(data: HandbookDataSet, range: Range, labelDelayDays = LABEL_DELAY_DAYS): FeatureMatrix {
  const { from, to } = range;
  const learned = learnedFeatures(data, range, labelDelayDays);
  const columns = PLACES_FEATURES.length;
  const values = new Float64Array((to - from) * columns);
  for (let row = 0; row < to - from; row++)
    values.set(learned.values.subarray(row * learned.columns, (row + 1) * learned.columns), row * columns);
  for (const own of byId(data.customers, to)) {
    const card = new Card(data, own, labelDelayDays * DAY_SECONDS);
    for (const [n, at] of own.entries()) {
      card.advance(n);
      const found = card.values();
      if (at < from) continue;
      for (const [column, name] of OF_PLACES.entries())
        values[(at - from) * columns + learned.columns + column] = found[name];
    }
  }
  return { columns, first: from, values };
}

/** What is remembered of a transaction. */
interface Seen {
  readonly second: number;
  readonly isNew: boolean;
  readonly onWeb: boolean;
  readonly isFar: boolean;
  readonly speed: number;
}

/** A customer's card, transaction after transaction. */
class Card extends Past {
  /** Of the transactions at places that are known to be genuine: how many, and the sums of their places. */
  #located = 0;
  #latitudes = 0;
  #longitudes = 0;
  #last: { readonly second: number; readonly place: Place } | undefined;
  readonly #terminals: number[] = [];
  /** Those of the last seven days. */
  #week: Seen[] = [];

  protected override onGenuine(at: number, change: 1 | -1): void {
    const place = this.#placeOf(at);
    if (place === undefined) return;
    this.#located += change;
    this.#latitudes += change * place.latitudeE6;
    this.#longitudes += change * place.longitudeE6;
  }

  values(): Values {
    const now = this.second(this.current);
    const at = this.own[this.current]!;
    const place = this.#placeOf(at);
    const terminal = this.data.terminals[at]!;
    const visits = this.#terminals.reduce((sum, one) => sum + (one === terminal ? 1 : 0), 0);
    this.#terminals.push(terminal);
    if (this.#terminals.length > REMEMBERED) this.#terminals.shift();
    const usual = place === undefined || this.#located === 0 ? NONE : metres(place, this.#usualPlace());
    const [distance, speed] = this.#travel(now, place);
    this.#week = this.#week.filter(({ second }) => second > now - 7 * DAY_SECONDS);
    this.#week.push({
      second: now,
      isNew: visits === 0,
      onWeb: place === undefined,
      isFar: usual > FAR_METRES,
      speed,
    });
    const count = (wanted: (one: Seen) => boolean): number => this.#week.filter(wanted).length;
    return {
      "account.on_web": place === undefined ? 1 : 0,
      "account.merchant_visits": visits,
      "account.travel_distance_m": distance,
      "account.travel_speed_kmh": speed,
      "account.usual_distance_m": usual,
      "account.count_1d": count(({ second }) => second > now - DAY_SECONDS),
      "account.new_merchants_7d": count(({ isNew }) => isNew),
      "account.new_web_7d": count(({ isNew, onWeb }) => isNew && onWeb),
      "account.far_7d": count(({ isFar }) => isFar),
      "account.fastest_7d_kmh": Math.max(...this.#week.map((one) => one.speed)),
    };
  }

  /** As the running functions have it: since the last transaction at a place, unless that was in the same second. */
  #travel(now: number, place: Place | undefined): readonly [distance: number, speed: number] {
    const last = this.#last;
    if (place === undefined) return [NONE, NONE];
    this.#last = { second: now, place };
    if (last === undefined || last.second === now) return [NONE, NONE];
    const distance = metres(last.place, place);
    return [distance, Math.floor((distance * 3_600) / ((now - last.second) * 1_000))];
  }

  #usualPlace = (): Place => ({
    latitudeE6: Math.round(this.#latitudes / this.#located),
    longitudeE6: Math.round(this.#longitudes / this.#located),
  });

  #placeOf = (at: number): Place | undefined => this.data.places?.[this.data.terminals[at]!];
}
