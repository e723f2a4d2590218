import { contentHash } from "../../contract/content-hash.js";
import { type Location, type Transaction, Verdict } from "../../protos/gen/fraud/v1/transaction.js";
import type { FraudPattern, SimulatedItem } from "../simulator.js";
import {
  HANDBOOK_CUSTOMERS,
  HANDBOOK_LABEL_DELAY_SECONDS,
  HANDBOOK_START_MS,
  HANDBOOK_TERMINALS,
  type HandbookDataSet,
  NEVER_LABELLED,
} from "./data-set.js";

/** The Handbook's: a fraud is known after a week. */
export const HANDBOOK_LABEL_DELAY_MS = HANDBOOK_LABEL_DELAY_SECONDS * 1000;

const PATTERNS: readonly (FraudPattern | undefined)[] = [
  undefined,
  "large-amount",
  "compromised-terminal",
  "compromised-customer",
  "stolen-card",
];

export interface HandbookItemsOptions {
  /** Begins every account's, merchant's, transaction's and label's id. */
  readonly runId: string;
  /**
   * From a fraud to its label, in event time, where the data set does not say itself when labels come. Default
   * {@link HANDBOOK_LABEL_DELAY_MS}.
   */
  readonly labelDelayMs?: number;
}

/** The data set's items, each by the number of its transaction. */
export interface NumberedItems {
  /** A customer is an account, a terminal a merchant; a transaction's id ends in its number. Amounts are euros. */
  transaction(at: number): SimulatedItem;
  /** The label that says that it is fraud, from when it is known. */
  label(at: number): SimulatedItem;
}

/** Transactions and labels of the data set, to be sent in whatever order. */
export function numberedItems(
  data: HandbookDataSet,
  { runId, labelDelayMs = HANDBOOK_LABEL_DELAY_MS }: HandbookItemsOptions,
): NumberedItems {
  const place = (at: number): Location | undefined => {
    const known = data.places?.[data.terminals[at]!];
    return known && { ...known, name: "" };
  };
  const transaction = (at: number): Transaction => ({
    transactionId: `${runId}-${at}`,
    accountId: `${runId}-a${padded(data.customers[at]!, HANDBOOK_CUSTOMERS)}`,
    merchantId: `${runId}-m${padded(data.terminals[at]!, HANDBOOK_TERMINALS)}`,
    amountMinor: BigInt(data.amountsMinor[at]!),
    currency: "EUR",
    eventTimeMs: BigInt(timeMs(data, at)),
    location: place(at),
    merchantName: `Terminal ${data.terminals[at]}`,
    origin: undefined,
    contentHash: Buffer.alloc(0),
    modelHash: Buffer.alloc(0),
    challengerHash: Buffer.alloc(0),
  });

  return {
    transaction(at) {
      const message = transaction(at);
      message.contentHash = contentHash(message);
      return { kind: "transaction", message, fraud: PATTERNS[data.scenarios[at]!] };
    },
    label(at) {
      const { transactionId, accountId, merchantId, eventTimeMs } = transaction(at);
      return {
        kind: "label",
        message: {
          labelId: `${runId}-l${at}`,
          accountId,
          transactionId,
          merchantId,
          eventTimeMs,
          effectiveAtMs: BigInt(labelMs(data, at, labelDelayMs)),
          revision: 1,
          verdict: Verdict.FRAUD,
          origin: undefined,
        },
      };
    },
  };
}

/**
 * The data set as transactions and labels, in the order in which they are to be sent: a label comes before the first
 * transaction that is not earlier than the moment at which the label is known; those that come to be known after the
 * last transaction come at the end.
 */
export function* handbookItems(
  data: HandbookDataSet,
  options: HandbookItemsOptions,
): Generator<SimulatedItem, void, void> {
  const { labelDelayMs = HANDBOOK_LABEL_DELAY_MS } = options;
  const items = numberedItems(data, options);
  const { length } = data.seconds;
  const knownAt = (at: number): number => labelMs(data, at, labelDelayMs);
  const labels: number[] = [];
  for (let at = 0; at < length; at++) if (knownAt(at) < Infinity) labels.push(at);
  labels.sort((a, b) => knownAt(a) - knownAt(b) || a - b);
  let told = 0;
  function* labelsUntil(nowMs: number): Generator<SimulatedItem, void, void> {
    for (; told < labels.length && knownAt(labels[told]!) <= nowMs; told++) yield items.label(labels[told]!);
  }
  for (let at = 0; at < length; at++) {
    yield* labelsUntil(timeMs(data, at));
    yield items.transaction(at);
  }
  yield* labelsUntil(Infinity);
}

const timeMs = ({ seconds }: HandbookDataSet, at: number): number => HANDBOOK_START_MS + seconds[at]! * 1000;

/** From when on a transaction is known to be fraud, in ms since 1970. */
function labelMs(data: HandbookDataSet, at: number, delayMs: number): number {
  const { scenarios, labelledAt } = data;
  if (labelledAt === undefined) return scenarios[at] === 0 ? Infinity : timeMs(data, at) + delayMs;
  return labelledAt[at] === NEVER_LABELLED ? Infinity : HANDBOOK_START_MS + labelledAt[at]! * 1000;
}

/** As many digits as the largest number below `end` has. */
const padded = (n: number, end: number): string => String(n).padStart(String(end - 1).length, "0");
