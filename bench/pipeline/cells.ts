import type { StateBackend } from "../../flink/flink.js";
import { type Keys, KEYS } from "./transactions.js";
import { PEERS, type VariantName } from "./variants/variants.js";

/** What can be measured of a pipeline, in this order. */
export const PHASES = ["sustained", "latency", "recovery", "drain"] as const;
export type Phase = (typeof PHASES)[number];

/** With so many accounts the variants are compared. */
export const ACCOUNTS = 5_000;
/** With so many, and each size's own state backend, ours is measured alone. */
const SCALES = [1_000, 100_000, 1_000_000] as const;
export const ALL_ACCOUNTS: readonly number[] = [SCALES[0], ACCOUNTS, SCALES[1], SCALES[2]];
/** Whether it is the load with which the variants are compared. */
export const isUsual = ({ accounts, keys }: Pick<Cell, "accounts" | "keys">): boolean =>
  accounts === ACCOUNTS && keys === "uniform";
/** Merchants, whatever the number of accounts. */
export const MERCHANTS = 500;

/** From so many accounts on, each is sent a transaction before anything is measured: state is as large as it gets. */
const FILLED_FROM = 100_000;
/**
 * Up to so many the heap: the rule is a checkpoint of up to 20 MB (`docs/operations.md`), and an account has about 1 KB
 * after a few transactions, the addresses of its functions together.
 */
const HEAP_ACCOUNTS = 20_000;

/** One pipeline, and what is measured of it while it runs. */
export interface Cell {
  readonly variant: VariantName;
  readonly accounts: number;
  readonly keys: Keys;
  readonly phases: readonly Phase[];
  /** Shares of the sustained rate at which latencies are taken. */
  readonly shares: readonly number[];
  readonly round: number;
}

/** What a run is asked to measure. */
export interface Choice {
  readonly variants: readonly VariantName[];
  readonly accounts: readonly number[];
  readonly keys: readonly Keys[];
  readonly only: readonly Phase[];
  readonly rounds: number;
  readonly quick: boolean;
}

const OURS = "batching";

/**
 * What is measured, in its order. The peers take turns in each round, and the order turns too, so that none always has
 * the machine when it is fresh. What ours does alone comes once, after the first round: should the time be over early,
 * what is missing is rounds.
 */
export function cellsOf(choice: Choice): Cell[] {
  const peers = choice.accounts.includes(ACCOUNTS) && choice.keys.includes("uniform") ? peersOf(choice) : [];
  const rounds = Array.from({ length: choice.rounds }, (_, n) => {
    const round = n + 1;
    return (round % 2 === 1 ? peers : peers.toReversed()).map((variant) => peerCell(variant, round, choice));
  });
  const [first = [], ...others] = rounds;
  return [...first, ...aloneOf(choice), ...others.flat()].filter(({ phases }) => phases.length > 0);
}

const peersOf = ({ variants }: Choice): readonly VariantName[] =>
  variants.filter((name) => PEERS.some((peer) => peer === name));

function peerCell(variant: VariantName, round: number, { only, quick }: Choice): Cell {
  const isOurs = variant === OURS;
  // The others' latencies and recovery cost time: not in a quick run, and once.
  const more: readonly Phase[] = isOurs || (round === 1 && !quick) ? ["latency", "recovery"] : [];
  return {
    variant,
    accounts: ACCOUNTS,
    keys: "uniform",
    phases: chosen(["sustained", ...more.filter((phase) => phase === "latency" || round === 1), "drain"], only),
    shares: isOurs ? [0.1, 0.5, 0.8] : [0.5],
    round,
  };
}

function aloneOf({ variants, accounts, keys, only, quick }: Choice): Cell[] {
  const cells: Cell[] = [];
  const add = (cell: Omit<Cell, "round" | "phases" | "shares">, phases: readonly Phase[]): void =>
    void cells.push({ ...cell, phases: chosen(phases, only), shares: [0.5], round: 1 });
  if (variants.includes("at-least-once") && accounts.includes(ACCOUNTS) && keys.includes("uniform"))
    add(
      { variant: "at-least-once", accounts: ACCOUNTS, keys: "uniform" },
      quick ? ["latency"] : ["sustained", "latency"],
    );
  if (!variants.includes(OURS)) return cells;
  if (keys.includes("uniform") && accounts.includes(SCALES[0]))
    add({ variant: OURS, accounts: SCALES[0], keys: "uniform" }, ["sustained", "drain"]);
  if (keys.includes("zipf") && accounts.includes(ACCOUNTS))
    add({ variant: OURS, accounts: ACCOUNTS, keys: "zipf" }, quick ? ["sustained"] : ["sustained", "drain"]);
  // The longest last: should the time be over, the others stand.
  if (keys.includes("uniform"))
    for (const scale of SCALES.slice(1))
      if (accounts.includes(scale))
        add({ variant: OURS, accounts: scale, keys: "uniform" }, quick ? ["sustained"] : ["sustained", "drain"]);
  return cells;
}

const chosen = (phases: readonly Phase[], only: readonly Phase[]): readonly Phase[] =>
  PHASES.filter((phase) => phases.includes(phase) && only.includes(phase));

/** The state backend for so many accounts, by the project's own rule. */
export const stateBackendFor = (accounts: number): StateBackend => (accounts <= HEAP_ACCOUNTS ? "hashmap" : "rocksdb");

/** Whether each account is sent a transaction first. */
export const isFilled = (accounts: number): boolean => accounts >= FILLED_FROM;

/** How a cell is called. */
export function cellName({ variant, accounts, keys, round }: Omit<Cell, "phases" | "shares">): string {
  const what = [
    variant,
    ...(accounts === ACCOUNTS ? [] : [`${accounts.toLocaleString("en")} accounts`]),
    ...(keys === KEYS[0] ? [] : [`${keys} keys`]),
  ];
  return `${what.join(", ")}, round ${round}`;
}
