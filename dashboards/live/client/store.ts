import { useEffect, useLayoutEffect, useState } from "preact/hooks";

import { type AlertFilter, matcher, NO_FILTER } from "../filter.js";
import type { AlertRow, Delta, FailureMark, Meta, Pulse, VerdictRow } from "../wire.js";
import { api, ApiError } from "./api.js";
import type { Stream } from "./stream/event-stream.js";
import { canShare, followStream } from "./stream/follow-stream.js";
import { unseen } from "./unseen.js";

/** Rows that a page holds; the server keeps more. */
const MAX_ROWS = 10_000;
const FIRST_PAGE = 500;
const PAGE = 2_000;
/** Seconds of figures; the server has no more. */
const MAX_PULSES = 330;
const MAX_VERDICTS = 1_000;
const RETRY_MS = 1_500;
/** A tab that nobody looks at follows nothing. */
const ASLEEP_AFTER_MS = 60_000;
/** Where tabs share no connection, a browser has six for all of them. */
const ASLEEP_ALONE_AFTER_MS = 1_000;

export type Connection = "connecting" | "live" | "lost" | "sign-in";

/** All that the page knows. Views read it and are told when it changes. */
class Store {
  meta: Meta | undefined;
  connection: Connection = "connecting";
  /** Newest first. */
  alerts: AlertRow[] = [];
  filter: AlertFilter = NO_FILTER;
  /** What the list shows: filtered, and held while it is paused. */
  shown: AlertRow[] = [];
  paused = false;
  /** Alerts that came while the list was paused. */
  heldBack = 0;
  pulses: Pulse[] = [];
  failures: FailureMark[] = [];
  verdicts: VerdictRow[] = [];
  /** When the newest frame came, by this device's clock. */
  heardAtMs = 0;
  #position = "";
  #stream: Stream | undefined;
  #asleep = false;
  #loading: Promise<void> | undefined;
  readonly #listeners = new Set<() => void>();
  #told = false;

  /** Loads what is there and follows what comes; for good. */
  start(): void {
    void this.reload();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = (): void => {
      clearTimeout(timer);
      if (document.hidden) {
        timer = setTimeout(
          () => {
            this.#asleep = true;
            this.#stream?.close();
          },
          canShare() ? ASLEEP_AFTER_MS : ASLEEP_ALONE_AFTER_MS,
        );
      } else if (this.#asleep) {
        this.#asleep = false;
        this.heardAtMs = Date.now();
        this.#follow();
      }
    };
    document.addEventListener("visibilitychange", look);
    // It may have been opened behind another.
    look();
    // A page that is left may come back as it was.
    addEventListener("pagehide", () => this.#stream?.close());
    addEventListener("pageshow", ({ persisted }) => {
      if (persisted) this.#follow();
    });
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  setFilter(change: Partial<AlertFilter>): void {
    this.filter = { ...this.filter, ...change };
    this.#refilter();
    this.#tell();
  }

  setPaused(paused: boolean): void {
    this.paused = paused;
    if (!paused) this.#refilter();
    this.#tell();
  }

  /** Reads everything anew. */
  reload(): Promise<void> {
    this.#loading ??= this.#load().finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  async #load(): Promise<void> {
    this.#stream?.close();
    try {
      const [meta, page] = await Promise.all([api.meta(), api.alerts(FIRST_PAGE)]);
      // After the page, from where on the stream is followed: nothing falls between them.
      const [series, trail] = await Promise.all([api.series(), api.verdicts()]);
      this.meta = meta;
      this.alerts = [...page.rows];
      this.pulses = series.pulses.slice(-MAX_PULSES);
      this.failures = series.failures;
      this.verdicts = trail.rows;
      this.#position = page.position;
      this.#refilter();
      this.#follow();
      void this.#fillUp(page.position);
    } catch (error) {
      this.connection = error instanceof ApiError && error.status === 401 ? "sign-in" : "lost";
      if (this.connection === "lost") setTimeout(() => void this.reload(), RETRY_MS);
    }
    this.#tell();
  }

  /** The rest of the history, while one looks at the newest already. */
  async #fillUp(position: string): Promise<void> {
    try {
      for (;;) {
        const oldest = this.alerts.at(-1)?.n;
        if (oldest === undefined || this.alerts.length >= MAX_ROWS) return;
        const { rows } = await api.alerts(Math.min(PAGE, MAX_ROWS - this.alerts.length), oldest);
        // Another load has begun meanwhile.
        if (
          !this.#position.startsWith(position.split(".")[0]!) ||
          this.alerts.at(-1)?.n !== oldest ||
          rows.length === 0
        )
          return;
        this.alerts.push(...rows);
        this.#refilter();
        this.#tell();
      }
    } catch {
      // What is there is shown; a reload tries again.
    }
  }

  #follow(): void {
    // Nobody looks, or what is there is still being loaded: it follows then.
    if (this.#asleep || this.#position === "") return;
    this.#stream?.close();
    const stream: Stream = followStream(this.#position, {
      open: () => {
        if (this.#stream !== stream) return;
        this.connection = "live";
        this.heardAtMs = Date.now();
        this.#tell();
      },
      lost: (over) => {
        if (this.#stream !== stream) return;
        this.connection = "lost";
        this.#tell();
        // It comes back by itself, unless the server has refused it.
        if (over) setTimeout(() => void this.reload(), RETRY_MS);
      },
      frame: ({ name, data, id }) => {
        if (this.#stream !== stream) return;
        this.#position = id;
        this.heardAtMs = Date.now();
        this.connection = "live";
        if (name === "pulse") this.#pulse(JSON.parse(data) as Pulse);
        else if (name === "delta") this.#take(JSON.parse(data) as Delta);
        else void this.reload();
        this.#tell();
      },
    });
    this.#stream = stream;
  }

  #pulse(pulse: Pulse): void {
    this.pulses.push(...unseen(this.pulses.at(-1), [pulse], ({ t }) => t));
    if (this.pulses.length > MAX_PULSES) this.pulses.shift();
  }

  #take({ alerts = [], closed = [], outcomes = [], verdicts = [], failures = [] }: Delta): void {
    const fresh = unseen(this.alerts[0], alerts, ({ n }) => n);
    if (fresh.length > 0) {
      this.alerts.unshift(...fresh.toReversed());
      if (this.alerts.length > MAX_ROWS) this.alerts.length = MAX_ROWS;
      if (this.paused) this.heldBack += fresh.length;
    }
    for (const [account, episode] of closed)
      for (const row of this.alerts) if (row.account === account && row.episode === episode) row.open = false;
    for (const [id, outcome] of outcomes) {
      const row = this.alerts.find((one) => one.id === id);
      if (row !== undefined) row.outcome = outcome;
    }
    for (const verdict of verdicts) this.#noteVerdict(verdict);
    this.failures.push(...unseen(this.failures.at(-1), failures, ({ atMs }) => atMs));
    if (!this.paused) this.#refilter();
  }

  #noteVerdict(verdict: VerdictRow): void {
    for (const row of this.alerts)
      if (row.account === verdict.account && row.transactionId === verdict.transactionId) row.verdict = verdict.verdict;
    if (verdict.analyst === "") return;
    const at = this.verdicts.findIndex(({ labelId }) => labelId === verdict.labelId);
    if (at >= 0) this.verdicts[at] = verdict;
    else this.verdicts.unshift(verdict);
    if (this.verdicts.length > MAX_VERDICTS) this.verdicts.length = MAX_VERDICTS;
  }

  #refilter(): void {
    this.shown = this.alerts.filter(matcher(this.filter));
    this.heldBack = 0;
  }

  /** Many changes of one moment are drawn once. */
  #tell(): void {
    if (this.#told) return;
    this.#told = true;
    queueMicrotask(() => {
      this.#told = false;
      this.#listeners.forEach((listener) => listener());
    });
  }
}

export const store = new Store();

/** Draws a component again whenever the store changes. */
export function useStore(): Store {
  const [, draw] = useState(0);
  // What changes between drawing and painting is not missed.
  useLayoutEffect(() => store.subscribe(() => draw((n) => n + 1)), []);
  return store;
}

/** Draws a component again every second, for what tells how long ago something was. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
