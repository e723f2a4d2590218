import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { amountText } from "../../../../money/amount-text.js";
import type { AlertRow } from "../../wire.js";
import { ago, alertWords, clock, reasonWords, severity } from "../format.js";
import { go, pathOf } from "../router.js";
import { store, useNow } from "../store.js";
import { scrollTo, visibleRows } from "../virtual-rows.js";
import { VerdictBadge } from "./verdict-badge.js";

/** As in the style sheet. */
const ROW_HEIGHT = 68;

/** Thousands of alerts, of which a few dozen are drawn. */
export function AlertList({ rows, selected }: { rows: readonly AlertRow[]; selected: string | undefined }) {
  const box = useRef<HTMLDivElement>(null);
  const [{ scrollTop, viewport }, setScroll] = useState({ scrollTop: 0, viewport: 800 });
  const anchor = useRef<{ readonly newest: number; readonly id: string | undefined }>({ newest: 0, id: undefined });
  const now = useNow();

  useEffect(() => {
    const element = box.current!;
    const look = (): void => setScroll({ scrollTop: element.scrollTop, viewport: element.clientHeight });
    const resized = new ResizeObserver(look);
    resized.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    look();
    return () => {
      resized.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, []);

  // People who have scrolled down keep seeing the same rows while new ones come in above.
  useLayoutEffect(() => {
    const element = box.current!;
    const before = anchor.current.newest;
    const newest = rows[0]?.n ?? 0;
    if (newest > before && before > 0 && element.scrollTop > ROW_HEIGHT / 2) {
      const added = rows.findIndex(({ n }) => n <= before);
      if (added > 0) element.scrollTop += added * ROW_HEIGHT;
    }
    anchor.current = { newest, id: selected };
  }, [rows]);

  // A row that was chosen by keyboard is brought into view.
  useLayoutEffect(() => {
    const row = rows.findIndex(({ id }) => id === selected);
    if (row < 0) return;
    const element = box.current!;
    element.scrollTop = scrollTo({
      row,
      scrollTop: element.scrollTop,
      viewport: element.clientHeight,
      rowHeight: ROW_HEIGHT,
    });
  }, [selected]);

  const { first, end } = visibleRows({ scrollTop, viewport, rowHeight: ROW_HEIGHT, count: rows.length });
  const active = rows.findIndex(({ id }) => id === selected);
  return (
    <div class="list-box">
      {scrollTop > ROW_HEIGHT * 3 && (
        <button type="button" class="to-top" onClick={() => box.current?.scrollTo({ top: 0, behavior: "smooth" })}>
          Newest ↑
        </button>
      )}
      <div
        ref={box}
        id="alert-list"
        class="list"
        role="listbox"
        tabIndex={0}
        aria-label="Alerts, newest first"
        aria-activedescendant={active >= first && active < end ? `row-${rows[active]!.n}` : undefined}
      >
        {rows.length === 0 && (
          <p class="empty">
            {store.alerts.length === 0
              ? "No alerts yet. They appear here within a second or two of being committed."
              : "No alert matches these filters."}
          </p>
        )}
        <div class="list-inner" style={{ height: `${rows.length * ROW_HEIGHT}px` }}>
          {rows.slice(first, end).map((row, at) => (
            <Row
              key={row.n}
              row={row}
              top={(first + at) * ROW_HEIGHT}
              position={first + at + 1}
              count={rows.length}
              selected={row.id === selected}
              now={now}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

function Row({
  row,
  top,
  position,
  count,
  selected,
  now,
}: {
  row: AlertRow;
  top: number;
  position: number;
  count: number;
  selected: boolean;
  now: number;
}) {
  const meta = store.meta!;
  const level = severity(row.outcome);
  return (
    <div
      id={`row-${row.n}`}
      class={`row ${level} ${now - row.seenAtMs < 3_000 ? "fresh" : ""} ${row.open ? "" : "closed"}`}
      role="option"
      data-alert={row.id}
      aria-selected={selected}
      aria-posinset={position}
      aria-setsize={count}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => go(pathOf(row.id), location.pathname !== "/")}
    >
      <div class="score" title={alertWords(row.outcome)}>
        <b>{row.score}</b>
        <span>{row.outcome === "REVIEW" ? "review" : alertWords(row.outcome)}</span>
      </div>
      <div class="what">
        <div class="line">
          <span class="amount">{amountText(row.amountMinor, row.currency)}</span>
          <span class="merchant">{row.merchantName || row.merchantId}</span>
          <span class="place">{row.place || "online"}</span>
        </div>
        <div class="why">{row.reasons.map(({ code }) => reasonWords(code, meta.reasons)).join(" · ")}</div>
      </div>
      <div class="who">
        <div class="line">
          {row.kind === "escalated" && <span class="badge escalated">×{row.count}</span>}
          <VerdictBadge verdict={row.verdict} />
          <time dateTime={new Date(row.seenAtMs).toISOString()} title={clock(row.seenAtMs)}>
            {ago(row.seenAtMs, now)}
          </time>
        </div>
        <div class="account">{row.account}</div>
      </div>
    </div>
  );
}
