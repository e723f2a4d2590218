/**
 * The transactions that k6 sends, each a function of its number alone: the run id is enough to know them all. Event
 * time runs faster than the clock, so that a run of minutes fills and leaves windows of weeks.
 */

export interface Run {
  readonly runId: string;
  readonly accounts: number;
  readonly merchants: number;
  /** Event time of transaction 0, in ms since 1970. */
  readonly startMs: number;
}

/** Event time between two transactions of one account, on average. */
const ACCOUNT_PAUSE_MS = 6 * 3_600_000;
/** How many transactions there are to each burst of {@link BURST} by one account, which is what fraud looks like. */
const BURST_EVERY = 400;
const BURST = 9;
/** How many transactions there are to each verdict; every third of these is taken back. */
const LABEL_EVERY = 50;

/** Event time that a run of this many transactions spans, in ms. */
export const spanMs = (transactions: number, accounts: number): number =>
  Math.ceil((transactions * ACCOUNT_PAUSE_MS) / accounts);

/** Maps each number to a well mixed 32-bit number (Murmur3's finaliser). */
function mixed(n: number, salt: number): number {
  let h = Math.imul(n ^ Math.imul(salt, 0x9e3779b1), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Transaction number `n` of a run, as the HTTP door takes it. */
export function transaction({ runId, accounts, merchants, startMs }: Run, n: number) {
  const inBurst = n % BURST_EVERY < BURST;
  const group = inBurst ? n - (n % BURST_EVERY) : n;
  const account = mixed(group, 1) % accounts;
  // A few merchants get most of the trade.
  const merchant = Math.floor(merchants * (mixed(n, 2) / 2 ** 32) ** 2);
  const far = inBurst && n % 2 === 1;
  return {
    transactionId: `${runId}-${n}`,
    accountId: `${runId}-a${account}`,
    merchantId: `${runId}-m${merchant}`,
    merchantName: `Merchant ${merchant}`,
    amountMinor: 100 + (mixed(n, 3) % 9_900) * (inBurst ? 10 : 1),
    currency: "EUR",
    eventTimeMs: startMs + spanMs(n, accounts),
    location: {
      latitudeE6: 38_000_000 + (mixed(account, 4) % 14_000_000),
      longitudeE6: (far ? 60_000_000 : -8_000_000) + (mixed(account, 5) % 28_000_000),
    },
  };
}

/** The verdicts that follow transaction `n`: none, one, or one and its revision. */
export function labels(run: Run, n: number) {
  if (n % LABEL_EVERY !== 0) return [];
  const { accountId, transactionId, merchantId, eventTimeMs } = transaction(run, n);
  const label = (revision: number, verdict: "FRAUD" | "LEGITIMATE") => ({
    labelId: `${transactionId}-l`,
    accountId,
    transactionId,
    merchantId,
    eventTimeMs,
    effectiveAtMs: eventTimeMs + 1,
    revision,
    verdict,
  });
  return n % (3 * LABEL_EVERY) === 0 ? [label(1, "FRAUD"), label(2, "LEGITIMATE")] : [label(1, "FRAUD")];
}
