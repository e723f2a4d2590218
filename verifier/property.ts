/** A rule that was found broken, with the records that show it. */
export interface Violation {
  readonly what: string;
  /** Such as `decisions 2@1041`: topic, partition, offset. */
  readonly records: readonly string[];
}

/** A claim about a run, how often it was checked, and where it does not hold. */
export interface PropertyResult {
  readonly name: PropertyName;
  readonly claim: string;
  /** How many things were checked. A property that was never checked proves nothing. */
  readonly checked: number;
  readonly violations: number;
  /** The first violations. */
  readonly examples: readonly Violation[];
}

/** Every property, by the name that reports use, with its claim. */
export const PROPERTIES = {
  acknowledged: "Every transaction that the intake acknowledged is accepted or rejected",
  missing: "Every accepted transaction has a committed decision",
  duplicate:
    "No transaction is decided twice while its account remembers it, and a repeat that is decided after that is marked",
  unexpected: "Nothing is decided that was not accepted, and every decision holds the transaction as it was accepted",
  "out-of-order": "Each account's decisions stand in the order in which its transactions entered",
  "account-sequence": "Each account's transactions are numbered 1..N without a gap",
  "merchant-sequence": "Each merchant's transactions are numbered 1..M without a gap",
  "event-sequence": "Decisions and state events fill event_seq 1..K of each counter and merchant",
  "account-features": "Replaying each account reproduces its features bit for bit",
  "merchant-features": "Replaying each merchant reproduces its features bit for bit",
  "state-events": "Replaying each address reproduces its state events, and each label has its own",
  scores: "The named model reproduces each score, its reasons and its outcome",
  alerts: "The alerts are exactly those that the decisions and recorded timers imply",
  rejected: "Nothing was refused that was sent to be accepted",
  "readers-agree": "A reader beside the run and a fresh one read the same committed records",
  "kafkajs-agrees": "This project's kafkajs reader saw the same committed decisions as Kafka's own consumer",
  "aborted-hidden": "Records of aborted transactions exist where the job restarted, and no committed reader saw one",
  "no-open-transaction": "No Kafka transaction is left open",
} as const;
export type PropertyName = keyof typeof PROPERTIES;

const MAX_EXAMPLES = 100;

/** Collects what is found about one property. */
export class PropertyCheck {
  readonly name: PropertyName;
  #checked = 0;
  #violations = 0;
  readonly #examples: Violation[] = [];

  constructor(name: PropertyName) {
    this.name = name;
  }

  looked(times = 1): void {
    this.#checked += times;
  }

  violation(what: string, ...records: readonly string[]): void {
    this.#violations++;
    if (this.#examples.length < MAX_EXAMPLES) this.#examples.push({ what, records });
  }

  get result(): PropertyResult {
    return {
      name: this.name,
      claim: PROPERTIES[this.name],
      checked: this.#checked,
      violations: this.#violations,
      examples: this.#examples,
    };
  }
}
