import { useEffect, useState } from "preact/hooks";

import { type AlertFilter, matcher, NO_FILTER } from "../filter.js";
import type { AlertRow, Delta, FailureMark, Meta, Pulse, VerdictRow } from "../wire.js";
import { api, ApiError } from "./api.js";

/** Rows that a page holds; the server keeps more. */
const MAX_ROWS = 10_000;
const FIRST_PAGE = 500;
const PAGE = 2_000;
/** Seconds of figures. */
const MAX_PULSES = 900;
const MAX_VERDICTS = 1_000;
const RETRY_MS = 1_500;
/** A browser has six connections to a server; a tab that nobody looks at gives its own back. */
const ASLEEP_AFTER_MS = 60_000;

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
  #source: EventSource | undefined;
  #loading: Promise<void> | undefined;
  readonly #listeners = new Set<() => void>();
  #told = false;

  /** Loads what is there and follows what comes; for good. */
  start(): void {
    void this.reload();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let asleep = false;
    document.addEventListener("visibilitychange", () => {
      clearTimeout(timer);
      if (document.hidden) {
        timer = setTimeout(() => {
          asleep = true;
          this.#source?.close();
        }, ASLEEP_AFTER_MS);
      } else if (asleep) {
        asleep = false;
        this.heardAtMs = Date.now();
        this.#follow();
      }
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
    this.#source?.close();
    try {
      const [meta, page, series, trail] = await Promise.all([api.meta(), api.alerts(FIRST_PAGE), api.series(), api.verdicts()]);
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
        if (!this.#position.startsWith(position.split(".")[0]!) || this.alerts.at(-1)?.n !== oldest || rows.length === 0) return;
        this.alerts.push(...rows);
        this.#refilter();
        this.#tell();
      }
    } catch {
      // What is there is shown; a reload tries again.
    }
  }

  #follow(): void {
    const source = new EventSource(`/api/stream?after=${encodeURIComponent(this.#position)}`);
    this.#source = source;
    source.onopen = () => {
      this.connection = "live";
      this.heardAtMs = Date.now();
      this.#tell();
    };
    source.onerror = () => {
      if (this.#source !== source) return;
      this.connection = "lost";
      this.#tell();
      // The browser comes back by itself, unless the server has refused it.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => void this.reload(), RETRY_MS);
    };
    const on = (name: string, take: (data: unknown) => void): void =>
      source.addEventListener(name, (event: MessageEvent<string>) => {
        if (this.#source !== source) return;
        this.#position = event.lastEventId;
        this.heardAtMs = Date.now();
        this.connection = "live";
        take(JSON.parse(event.data));
        this.#tell();
      });
    on("pulse", (pulse) => {
      this.pulses.push(pulse as Pulse);
      if (this.pulses.length > MAX_PULSES) this.pulses.shift();
    });
    on("delta", (delta) => this.#take(delta as Delta));
    on("reset", () => void this.reload());
  }

  #take({ alerts = [], closed = [], verdicts = [], failures = [] }: Delta): void {
    if (alerts.length > 0) {
      this.alerts.unshift(...alerts.toReversed());
      if (this.alerts.length > MAX_ROWS) this.alerts.length = MAX_ROWS;
      if (this.paused) this.heldBack += alerts.length;
    }
    for (const [account, episode] of closed) for (const row of this.alerts) if (row.account === account && row.episode === episode) row.open = false;
    for (const verdict of verdicts) this.#judge(verdict);
    this.failures.push(...failures);
    if (!this.paused) this.#refilter();
  }

  #judge(verdict: VerdictRow): void {
    for (const row of this.alerts) if (row.account === verdict.account && row.transactionId === verdict.transactionId) row.verdict = verdict.verdict;
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
  useEffect(() => store.subscribe(() => draw((n) => n + 1)), []);
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
