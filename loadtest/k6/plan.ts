import { type Run, spanMs } from "./traffic.ts";

/** What a run of k6 should do. `npm run loadtest` and `npm run failover` write one: see `loadtest/run/k6-plan.ts`. */
export interface Plan {
  readonly intake: string;
  /**
   * Answers `POST /verdict` with the verifier's counts once all that was sent is decided. Without it nothing is judged
   * here.
   */
  readonly verifier?: string;
  /** Without it the run is named after the time at which k6 started. */
  readonly run?: Run;
  readonly batch: number;
  /**
   * Arrival rate in transactions per second, and for how long, in seconds; with `ramp`, reached gradually from the
   * stage before.
   */
  readonly stages: readonly { readonly rate: number; readonly seconds: number; readonly ramp: boolean }[];
  /** How many requests may be under way: a slow intake must not slow down what arrives. */
  readonly maxRequests: number;
  /** Under faults the same transactions are sent again until they are acknowledged. */
  readonly untilAcknowledged: boolean;
  /**
   * Under overload the door turns transactions away for minutes: what arrives while no request is free is not sent,
   * which is not a failure.
   */
  readonly turnedAway?: boolean;
  /** Upper bounds in ms; none when faults are expected. */
  readonly limits?: { readonly committedP99Ms: number };
}

const DAY_MS = 24 * 3_600_000;
const ACCOUNTS = 5_000;
const BATCH = 25;

/**
 * A plan for k6 run by itself: `INTAKE` (URL), `RATE` (transactions per second) and `DURATION` (seconds) from its
 * environment.
 */
export function planOf(env: Readonly<Record<string, string | undefined>>): Plan {
  // Empty counts as not set.
  const given = (name: string, otherwise: string): string => (env[name]?.trim() ? env[name] : otherwise);
  const rate = positive("RATE", given("RATE", "200"));
  const seconds = positive("DURATION", given("DURATION", "30"));
  return {
    intake: given("INTAKE", "http://127.0.0.1:8080"),
    batch: BATCH,
    stages: [{ rate, seconds, ramp: false }],
    maxRequests: Math.ceil((rate / BATCH) * 35) + 20,
    untilAcknowledged: true,
  };
}

/**
 * The headers of each request: if k6's environment has `INTAKE_TOKEN`, and `INTAKE_LABEL_TOKEN` for labels, they carry
 * the token that the intake asks for. Empty counts as not set.
 */
export function headersOf(
  env: Readonly<Record<string, string | undefined>>,
  kind: "transactions" | "labels" = "transactions",
): Record<string, string> {
  const token = env[kind === "labels" ? "INTAKE_LABEL_TOKEN" : "INTAKE_TOKEN"];
  return { "content-type": "application/json", ...(token?.trim() && { authorization: `Bearer ${token}` }) };
}

/** The run id of a plan that names none: it can be derived from the time at which k6 started (ms since 1970). */
export function runOf({ run, stages }: Plan, startedAtMs: number): Run {
  const startMs = Math.floor(startedAtMs);
  const most = stages.reduce((sum, { rate, seconds }) => sum + rate * seconds, 0) * 1.1 + 10 * BATCH;
  return (
    run ?? {
      runId: `k${startMs.toString(36)}`,
      accounts: ACCOUNTS,
      merchants: ACCOUNTS / 10,
      startMs: startMs - DAY_MS - spanMs(most, ACCOUNTS),
    }
  );
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} must be a whole number from 1, not "${text}"`);
  return value;
}
