import type { ProcessActivity } from "../../process/process-activity.js";
import type { Heard } from "../processes/probes.js";

/** So often in a row a part was asked in vain: at one question every 2 s, one that hangs is found within 12 s. */
const MISSES = 5;
/**
 * Of one processor, on average over these: below it a process does nothing. Java's own threads take less than a third
 * of it while all others wait; whoever is merely slow uses more, or waits for a processor.
 */
const QUIET_SHARE = 0.03;
/** One that refuses connections, or has never answered, starts or ends: that may take a while, and use nothing. */
const PATIENCE_MS = 120_000;
/** Of its own processor time: whoever gets little of it has as much longer. An answer takes some thousandths of one. */
const SPINS_SECONDS = 60;

/** A part was asked, and there was no answer. */
export interface Miss {
  /** By a clock that nobody sets, in ms. */
  readonly atMs: number;
  readonly heard: Exclude<Heard, "answer">;
  readonly activity: ProcessActivity;
  /** Whether another part, which this one may have asked for its answer, did not answer either. */
  readonly waitsForAnother: boolean;
}

/**
 * Tells one process that hangs from one that is busy, starts or ends. Not to answer says nothing by itself: what counts
 * is what the process does meanwhile.
 */
export class HangDetector {
  #answered = false;
  /** Since the last answer. */
  #first: Miss | undefined;
  /** The newest, at most {@link MISSES}. */
  #recent: Miss[] = [];

  answered(): void {
    this.#answered = true;
    this.forget();
  }

  /** What was seen so far says nothing: from now on it is looked at anew. */
  forget(): void {
    this.#first = undefined;
    this.#recent = [];
  }

  /** @returns why it hangs, in words; `undefined` when it does not, or nobody can say yet */
  missed(miss: Miss): string | undefined {
    const { activity, atMs, waitsForAnother } = miss;
    // One of its processes has ended: something happens.
    if (activity.cpuSeconds < (this.#recent.at(-1)?.activity.cpuSeconds ?? 0)) this.forget();
    this.#first ??= miss;
    this.#recent = [...this.#recent, miss].slice(-MISSES);
    const used = activity.cpuSeconds - this.#first.activity.cpuSeconds;
    if (used >= SPINS_SECONDS)
      return `it used ${used.toFixed(0)} s of processor time, and answered nothing in ${seconds(atMs - this.#first.atMs)}`;
    if (this.#recent.length < MISSES) return undefined;
    if (this.#recent.every(({ activity: { stopped } }) => stopped))
      return `it was stopped by a signal, and did not go on for ${seconds(atMs - this.#recent[0]!.atMs)}`;
    if (waitsForAnother) {
      this.forget();
      return undefined;
    }
    if (!this.#quiet()) return undefined;
    const patient = !this.#answered || this.#recent.some(({ heard }) => heard === "refusal");
    if (patient && atMs - this.#first.atMs < PATIENCE_MS) return undefined;
    return `it answered nothing for ${seconds(atMs - this.#first.atMs)}, and did nothing`;
  }

  #quiet(): boolean {
    const [first, last] = [this.#recent[0]!, this.#recent.at(-1)!];
    const used = last.activity.cpuSeconds - first.activity.cpuSeconds;
    // A thread that runs at the very moment may be Java's own; one that waits for a processor does at most of them.
    const working = this.#recent.filter(({ activity }) => activity.working).length;
    return used < (QUIET_SHARE * (last.atMs - first.atMs)) / 1000 && working <= MISSES / 2;
  }
}

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
