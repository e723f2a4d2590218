import { setTimeout as delay } from "node:timers/promises";

import { activityOf, type ProcessActivity } from "../../process/process-activity.js";
import type { ProcessIdentity } from "../../process/process-identity.js";
import type { Heard, Probe } from "../processes/probes.js";
import type { Part } from "../settings.js";
import { HangDetector } from "./hang-detector.js";

/** Between the beginnings of two rounds. */
export const ROUND_MS = 2_000;
/** An answer counts that comes so late, to whichever round's question. */
export const LATE_MS = 5 * ROUND_MS;
/** A round that takes so much longer than it should says that this process was held up, and nothing of others. */
const HELD_UP_MS = 500;

/** Parts that one asks, or waits for, before it answers itself. */
const WAITS_FOR: Readonly<Partial<Record<Part, readonly Part[]>>> = { jobmanager: ["zookeeper", "kafka", "minio"] };

export interface WatchdogOptions {
  /** The processes to watch over at the moment. */
  readonly watched: () => ReadonlyMap<Part, ProcessIdentity>;
  /** Asks a part how it is. @param limitMs - what is not answered by then is not waited for any more */
  readonly probe: (part: Part, limitMs: number) => Promise<Probe>;
  /** A process hangs. @param why - in words */
  readonly onHang: (part: Part, process: ProcessIdentity, why: string) => void;
  /** What a part's processes do. */
  readonly activity?: (process: ProcessIdentity) => ProcessActivity | undefined;
  /** A clock that nobody sets and that stands still while the machine sleeps, in ms. */
  readonly clock?: () => number;
  /** Waits for so many ms, or until the signal. */
  readonly wait?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** Asks each part over and over how it is, and tells which of them hang. */
export class Watchdog {
  readonly #options: Required<WatchdogOptions>;
  readonly #detectors = new Map<Part, { readonly process: ProcessIdentity; readonly detector: HangDetector }>();

  constructor(options: WatchdogOptions) {
    this.#options = {
      activity: ({ pid }) => activityOf(pid),
      clock: () => performance.now(),
      wait: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
      ...options,
    };
  }

  /** Goes on until the signal, whatever goes wrong in a round: with no file left to open, nobody is looked at. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await this.round(signal).catch(() => this.#options.wait(ROUND_MS, signal));
  }

  /** Asks every part once, and takes two seconds for it. */
  async round(signal?: AbortSignal): Promise<void> {
    const { watched, activity: look, clock, wait, onHang } = this.#options;
    const beganMs = clock();
    const asked = [...watched()].map(([part, process]) => this.#ask(part, process));
    await wait(ROUND_MS, signal);
    // What has come meanwhile is read before anybody is judged.
    await new Promise((resolve) => setImmediate(resolve));
    if (signal?.aborted === true) return;
    const atMs = clock();
    const heldUp = atMs - beganMs > ROUND_MS + HELD_UP_MS;
    const still = watched();
    for (const part of this.#detectors.keys()) if (!still.has(part)) this.#detectors.delete(part);
    for (const { part, process, detector, said } of asked) {
      const heard = said();
      // One that was exchanged or paused meanwhile did not answer for that.
      if (heard === "answer" || still.get(part) !== process) continue;
      const activity = look(process);
      if (activity === undefined || (heldUp && !activity.stopped)) continue;
      const waitsForAnother = (WAITS_FOR[part] ?? []).some(
        (other) => asked.find((one) => one.part === other)?.said() !== "answer",
      );
      const why = detector.missed({ atMs, heard, activity, waitsForAnother });
      if (why === undefined) continue;
      // What it does not end by is tried again.
      detector.forget();
      onHang(part, process, why);
    }
  }

  /** @returns with what was heard by the time that `said` is called */
  #ask(part: Part, process: ProcessIdentity) {
    const detector = this.#detectorOf(part, process);
    let heard: Heard = "silence";
    void this.#options.probe(part, LATE_MS).then((probe) => {
      heard = probe.heard;
      if (heard === "answer") detector.answered();
    });
    return { part, process, detector, said: () => heard };
  }

  #detectorOf(part: Part, process: ProcessIdentity): HangDetector {
    const known = this.#detectors.get(part);
    if (known?.process === process) return known.detector;
    const detector = new HangDetector();
    this.#detectors.set(part, { process, detector });
    return detector;
  }
}
