import { MERCHANT_MODEL } from "../../contract/function-names.js";
import {
  DAY_SECONDS,
  dayOffsets,
  type HandbookDataSet,
  labelTime,
  NEVER_LABELLED,
} from "../../ingress-generator/handbook/data-set.js";
import { FEATURES } from "../../protos/gen/features.js";
import { Decision, Outcome } from "../../protos/gen/fraud/v1/decision.js";
import { StateEvent, StateEvent_Kind } from "../../protos/gen/fraud/v1/evidence.js";
import { Any } from "../../protos/gen/google/protobuf/any.js";
import type { FeatureMatrix } from "../batch/features.js";
import type { Yardstick } from "./yardstick.js";

/** A label is recorded by its account and by its merchant. */
const BY_ACCOUNT = 1;
const BY_MERCHANT = 2;
const RECORDED = BY_ACCOUNT | BY_MERCHANT;

/** What came out of the pipeline, by the numbers of the transactions. */
export class StreamOutcome {
  /** The features of each transaction; NaN: not decided. */
  readonly features: FeatureMatrix;
  /** Log odds in millionths, of each transaction; NaN: not scored. */
  readonly margins: Float64Array;
  /** By which model each transaction was scored: its place in {@link models}. */
  readonly modelOf: Uint8Array;
  readonly models: string[] = [];
  duplicates = 0;
  /** Decisions that something went wrong with; the first few of them in words. */
  errors = 0;
  readonly errorTexts: string[] = [];
  /** Windows that did not hold everything. */
  incomplete = 0;
  decisions = 0;
  /** Decisions that a challenger has a score beside. */
  challenged = 0;
  /** Frauds whose label is recorded. Of those that are never labelled nothing is waited for. */
  labels = 0;
  readonly #columns: readonly (typeof FEATURES)[keyof typeof FEATURES][];
  readonly #unknown: number;
  readonly #data: HandbookDataSet;
  readonly #runId: string;
  readonly #decided: Uint8Array;
  readonly #recorded: Uint8Array;
  /** By day: transactions without a decision, frauds whose label is not recorded. */
  readonly #undecided: Uint32Array;
  readonly #unlabelled: Uint32Array;

  /** @param yardstick - which features are taken, and what stands for those that are not known */
  constructor(data: HandbookDataSet, runId: string, { names, unknown }: Pick<Yardstick, "names" | "unknown">) {
    const { length } = data.seconds;
    const columns = names.length;
    this.#columns = names.map((name) => FEATURES[name]);
    this.#unknown = unknown;
    this.#data = data;
    this.#runId = `${runId}-`;
    this.features = { columns, first: 0, values: new Float64Array(length * columns).fill(NaN) };
    this.margins = new Float64Array(length).fill(NaN);
    this.modelOf = new Uint8Array(length);
    this.#decided = new Uint8Array(length);
    this.#recorded = new Uint8Array(length);
    const offsets = dayOffsets(data);
    this.#undecided = Uint32Array.from(offsets.subarray(1), (end, day) => end - offsets[day]!);
    this.#unlabelled = new Uint32Array(this.#undecided.length);
    for (let at = 0; at < length; at++)
      if (labelTime(data, at) !== NEVER_LABELLED) this.#unlabelled[this.#dayOf(at)]!++;
  }

  /** Takes in the value of a record of `decisions`. */
  onDecision(value: Uint8Array): void {
    const { evidence } = Decision.decode(Any.decode(value).value);
    const at = this.#numberOf(evidence?.transaction?.transactionId);
    if (evidence === undefined || at === undefined) return;
    if (this.#decided[at] === 1) return void this.duplicates++;
    this.#decided[at] = 1;
    this.#undecided[this.#dayOf(at)]!--;
    this.decisions++;
    const { columns, values } = this.features;
    for (const [column, feature] of this.#columns.entries())
      values[at * columns + column] = Number(feature.of(evidence) ?? this.#unknown);
    const { scoring } = evidence;
    if (scoring?.marginE6 !== undefined) this.margins[at] = Number(scoring.marginE6);
    this.modelOf[at] = this.#model(scoring?.modelId ?? "");
    if (scoring?.challenger?.marginE6 !== undefined) this.challenged++;
    if (evidence.account?.learnedIncomplete || evidence.merchant?.learnedIncomplete) this.incomplete++;
    if (scoring?.outcome === Outcome.ERROR && this.errors++ < 3) this.errorTexts.push(scoring.error);
  }

  /** Takes in the value of a record of `evidence`. */
  onEvidence(value: Uint8Array): void {
    const event = StateEvent.decode(Any.decode(value).value);
    if (event.kind !== StateEvent_Kind.LABEL) return;
    const at = this.#numberOf(event.transactionId);
    if (at === undefined || this.#recorded[at] === RECORDED) return;
    this.#recorded[at]! |= event.function === MERCHANT_MODEL ? BY_MERCHANT : BY_ACCOUNT;
    if (this.#recorded[at] !== RECORDED) return;
    this.#unlabelled[this.#dayOf(at)]!--;
    this.labels++;
  }

  /** Whether every transaction until the end of that day has a decision. */
  isDecided = (day: number): boolean => this.#undecided.subarray(0, Math.max(0, day + 1)).every((left) => left === 0);

  /** Whether the label of every fraud until the end of that day is recorded. */
  isLabelled = (day: number): boolean => this.#unlabelled.subarray(0, Math.max(0, day + 1)).every((left) => left === 0);

  #dayOf = (at: number): number => Math.floor(this.#data.seconds[at]! / DAY_SECONDS);

  #numberOf(transactionId: string | undefined): number | undefined {
    return transactionId?.startsWith(this.#runId) === true
      ? Number(transactionId.slice(this.#runId.length))
      : undefined;
  }

  #model(id: string): number {
    const known = this.models.indexOf(id);
    return known >= 0 ? known : this.models.push(id) - 1;
  }
}
