import { LABEL_DELAY_DAYS } from "../weeks.js";

/** Days that may be under way: merchants see their accounts at most so far apart, far less than labels are late. */
const DAYS_UNDER_WAY = 3;

/** A pipeline that a data set goes through, day by day. Days are counted from 0; of one below 0 there is nothing. */
export interface DayPipeline {
  /** Sends the transactions of a day. */
  sendTransactions(day: number): Promise<void>;
  /** Sends the labels on the frauds of a day. None counts before the label days of {@link feedDays} have passed. */
  sendLabels(day: number): Promise<void>;
  /** Resolves when all transactions of a day, and of those before, have a committed decision. */
  decided(day: number): Promise<void>;
  /** Resolves when the account and the merchant have recorded each label on a day's frauds, and on those before. */
  labelled(day: number): Promise<void>;
  /** From here on this model scores. */
  useModel(model: string): Promise<void>;
}

/**
 * Sends days one after the other, as fast as they go. Labels and transactions come by different ways, and accounts at
 * different speeds, so of themselves nothing would say what is known when a transaction is scored. Hence:
 *
 * - a label is sent when its transaction is decided: there is something to label
 * - a day is sent when every label that counts by its end is recorded
 * - a model changes when everything before is decided
 *
 * @param modelOf - the model from that day on; `undefined`: as before
 * @param labelDays - so many days after a fraud's own day its label may count: 1 means from the next midnight on, and
 *   then each day waits for the one before
 */
export async function feedDays(
  days: number,
  pipeline: DayPipeline,
  modelOf: (day: number) => string | undefined,
  labelDays = LABEL_DELAY_DAYS,
): Promise<void> {
  const underWay = Math.min(DAYS_UNDER_WAY, labelDays);
  for (let day = 0; day < days; day++) {
    const decided = day - underWay;
    await pipeline.decided(decided);
    await pipeline.sendLabels(decided);
    await pipeline.labelled(day - labelDays);
    const model = modelOf(day);
    if (model !== undefined) {
      await pipeline.decided(day - 1);
      await pipeline.useModel(model);
    }
    await pipeline.sendTransactions(day);
  }
  await pipeline.decided(days - 1);
  await pipeline.labelled(days - 1 - underWay);
}
