import { DAY_SECONDS, dayOffsets, type HandbookDataSet, labelTime } from "../ingress-generator/handbook/data-set.js";

/** Days of each of the three stretches: training, the wait for its labels, test. */
export const WEEK_DAYS = 7;
/** From a fraud to the day on which it is known. */
export const LABEL_DELAY_DAYS = 7;

/** A training week of the Handbook's protocol, and the test week that belongs to it; days are counted from 0. */
export interface EvaluationWeek {
  /** Of the training week. */
  readonly firstDay: number;
}

/** 2018-07-25 to 31, tested on 2018-08-08 to 14: the one that is published. */
export const OFFICIAL_WEEK: EvaluationWeek = { firstDay: 115 };

/** The weeks that are evaluated, the official one among them. Whatever is chosen is chosen on those before it. */
export const ALL_WEEKS: readonly EvaluationWeek[] = [101, 115, 122, 129, 136, 143, 150, 157].map((firstDay) => ({
  firstDay,
}));

export const testDay = ({ firstDay }: EvaluationWeek): number => firstDay + WEEK_DAYS + LABEL_DELAY_DAYS;

/** The last day of a week's test. */
export const lastTestDay = (week: EvaluationWeek): number => testDay(week) + WEEK_DAYS - 1;

/** From `from` on, before `to`; days or transactions. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** The transactions of these days. */
export function transactionsOf(data: HandbookDataSet, days: Range): Range {
  const offsets = dayOffsets(data);
  return { from: offsets[days.from]!, to: offsets[days.to]! };
}

/** The transactions that are learned from. */
export const trainingTransactions = (data: HandbookDataSet, { firstDay }: EvaluationWeek): Range =>
  transactionsOf(data, { from: firstDay, to: firstDay + WEEK_DAYS });

/** Whether it is known on a day, from its first second on, that a transaction is fraud. */
export const isKnownFraud = (data: HandbookDataSet, at: number, day: number): boolean =>
  labelTime(data, at, LABEL_DELAY_DAYS * DAY_SECONDS) <= day * DAY_SECONDS;

/**
 * The transactions that are judged by: those of the test week whose card is not known for fraud. Known on a test day
 * are the frauds from the beginning of the training week on whose labels have come by then; of the Handbook those up to
 * eight days before.
 */
export function testTransactions(data: HandbookDataSet, week: EvaluationWeek): Uint32Array {
  const chosen: number[] = [];
  const { from: first } = transactionsOf(data, { from: week.firstDay, to: week.firstDay + 1 });
  for (let day = testDay(week); day < testDay(week) + WEEK_DAYS; day++) {
    const { from, to } = transactionsOf(data, { from: day, to: day + 1 });
    const known = new Set<number>();
    for (let at = first; at < from; at++) if (isKnownFraud(data, at, day)) known.add(data.customers[at]!);
    for (let at = from; at < to; at++) if (!known.has(data.customers[at]!)) chosen.push(at);
  }
  return Uint32Array.from(chosen);
}
