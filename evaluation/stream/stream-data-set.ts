import { TOPICS } from "../../contract/topics.js";
import {
  DAY_SECONDS,
  dayOffsets,
  type HandbookDataSet,
  labelTime,
  NEVER_LABELLED,
} from "../../ingress-generator/handbook/data-set.js";
import { numberedItems } from "../../ingress-generator/handbook/items.js";
import { ItemSender } from "../../ingress-generator/item-sender.js";
import type { SimulatedItem } from "../../ingress-generator/simulator.js";
import { followTopics } from "../../kafka/consumer.js";
import { poll } from "../../process/poll.js";
import { UserError } from "../../terminal/user-error.js";
import { feedDays } from "./feed.js";
import { StreamOutcome } from "./outcome.js";
import type { Yardstick } from "./yardstick.js";

/** A job that restarts takes a while; one that decides nothing for longer than this is stuck. */
const STUCK_MS = 180_000;
const LOOK_MS = 20;
const TELL_MS = 2_000;

export interface StreamOptions {
  /** What is taken of the decisions. */
  readonly yardstick: Pick<Yardstick, "names" | "unknown">;
  readonly brokers: string;
  /** Begins every id. */
  readonly runId: string;
  /** The model from a day on; `undefined`: as before. */
  readonly modelOf: (day: number) => string | undefined;
  readonly useModel: (model: string) => Promise<void>;
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Sends a data set through the running pipeline, day by day and as fast as it goes, and reads what is committed.
 *
 * @throws {UserError} when nothing is decided any more
 */
export async function streamDataSet(data: HandbookDataSet, options: StreamOptions): Promise<StreamOutcome> {
  const { yardstick, brokers, runId, modelOf, useModel, onProgress = () => undefined, signal } = options;
  const outcome = new StreamOutcome(data, runId, yardstick);
  const items = numberedItems(data, { runId });
  const reader = await followTopics({
    brokers,
    topics: [TOPICS.decisions.name, TOPICS.evidence.name],
    from: "end",
    maxWaitMs: 100,
    onRecord: ({ topic, value }) => {
      if (value === null) return;
      if (topic === TOPICS.decisions.name) outcome.onDecision(value);
      else outcome.onEvidence(value);
    },
  });
  const sender = await ItemSender.connect(brokers, "public");
  const total = data.seconds.length;
  const days = Math.floor((data.seconds.at(-1) ?? 0) / DAY_SECONDS) + 1;
  const offsets = dayOffsets(data);
  let sent = 0;
  const began = Date.now();
  let told = began;

  const numbersOf = (day: number): number[] =>
    Array.from({ length: offsets[day + 1]! - offsets[day]! }, (_, n) => offsets[day]! + n);

  async function send(numbers: Iterable<number>, item: (at: number) => SimulatedItem): Promise<void> {
    for (const at of numbers) {
      sender.add(item(at), Date.now());
      if (!sender.isFull) continue;
      await sender.flush();
      signal?.throwIfAborted();
    }
    await sender.flush();
  }

  /** Until the condition holds, however long that takes, as long as something is decided now and then. */
  async function until(what: string, condition: () => boolean): Promise<void> {
    for (let seen = -1; !condition();) {
      seen = outcome.decisions + outcome.labels;
      try {
        await poll(
          what,
          () => {
            tell();
            return condition() || outcome.decisions + outcome.labels > seen;
          },
          { timeoutMs: STUCK_MS, intervalMs: LOOK_MS, signal },
        );
      } catch (cause) {
        signal?.throwIfAborted();
        throw new UserError(
          `${sent - outcome.decisions} transactions have no decision, and nothing came for ${STUCK_MS / 1000} s`,
          { cause },
        );
      }
    }
  }

  function tell(): void {
    const now = Date.now();
    if (now - told < TELL_MS || outcome.decisions === 0) return;
    told = now;
    // From the beginning on: each day comes in one go, and is waited for.
    const perSecond = (outcome.decisions / (now - began)) * 1000;
    const minutes = Math.ceil((total - outcome.decisions) / perSecond / 60);
    onProgress(
      `${outcome.decisions.toLocaleString("en")} of ${total.toLocaleString("en")} decided, ${outcome.labels.toLocaleString("en")} labels, ${Math.round(perSecond)}/s, ${minutes} min left`,
    );
  }

  try {
    await feedDays(
      days,
      {
        async sendTransactions(day) {
          await send(numbersOf(day), (at) => items.transaction(at));
          sent = offsets[day + 1]!;
        },
        async sendLabels(day) {
          if (day < 0) return;
          await send(
            numbersOf(day).filter((at) => labelTime(data, at) !== NEVER_LABELLED),
            (at) => items.label(at),
          );
        },
        decided: (day) => until("decisions", () => outcome.isDecided(day)),
        labelled: (day) => until("labels to be recorded", () => outcome.isLabelled(day)),
        useModel,
      },
      modelOf,
      // Labels that come when they come do so at a midnight, from the first one on.
      data.labelledAt === undefined ? undefined : 1,
    );
    return outcome;
  } finally {
    await sender.close();
    await reader.stop();
  }
}
