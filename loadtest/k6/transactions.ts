import { check, sleep } from "k6";
import exec from "k6/execution";
import http from "k6/http";
import { Counter, Trend } from "k6/metrics";
import type { Options } from "k6/options";

import { headersOf, type Plan, planOf, runOf } from "./plan.ts";
import { labels, transaction } from "./traffic.ts";

const plan = __ENV["PLAN"] ? (JSON.parse(open(__ENV["PLAN"])) as Plan) : planOf(__ENV);
const headers = { transactions: headersOf(__ENV), labels: headersOf(__ENV, "labels") };
/** The pause before the first retry; it doubles before each next one, up to the longest. */
const RETRY_SECONDS = 0.25;
const LONGEST_RETRY_SECONDS = 2;
/**
 * The pause that the intake asks for with 429 is honoured up to this: a run under faults must soon notice that the door
 * is open again.
 */
const LONGEST_RETRY_AFTER_SECONDS = 4;
const REQUEST_LIMIT = "15s";
/** So long an intake that is starting is waited for, when k6 runs by itself: nobody else has. */
const READY_LIMIT_SECONDS = 60;
/** The limit of the judgement: longer than any takes. */
const SETTLE_LIMIT = "3600s";

const acknowledged = new Counter("acknowledged");
const repeated = new Counter("sent_again");
const decided = new Counter("decided");
const missing = new Counter("missing");
const duplicates = new Counter("duplicates");
const outOfOrder = new Counter("out_of_order");
const mismatches = new Counter("mismatches");
const committedLatency = new Trend("committed_latency", true);
const firstVisibleLatency = new Trend("first_visible_latency", true);
const committedSamples = new Counter("committed_latency_samples");
const firstVisibleSamples = new Counter("first_visible_latency_samples");

const perBatch = (rate: number): number => Math.max(1, Math.round((rate / plan.batch) * 60));

export const options: Options = {
  scenarios: {
    transactions: {
      // Open loop: slow answers do not reduce what arrives.
      executor: "ramping-arrival-rate",
      startRate: perBatch(plan.stages[0]!.rate),
      timeUnit: "1m",
      // Created in advance: creating one takes time that a new arrival does not have.
      preAllocatedVUs: plan.maxRequests,
      maxVUs: plan.maxRequests,
      stages: plan.stages.flatMap(({ rate, seconds, ramp }) => [
        ...(ramp ? [] : [{ target: perBatch(rate), duration: "0s" }]),
        { target: perBatch(rate), duration: `${seconds}s` },
      ]),
      gracefulStop: "120s",
    },
  },
  // Hundreds of virtual users take turns: if each kept a connection, there would be more than the intake takes.
  noVUConnectionReuse: true,
  setupTimeout: `${READY_LIMIT_SECONDS + 30}s`,
  teardownTimeout: SETTLE_LIMIT,
  // A threshold on a metric without samples passes, so each comes with a count of what it rests on.
  thresholds: {
    ...(plan.turnedAway !== true && { dropped_iterations: ["count==0"] }),
    acknowledged: ["count>0"],
    ...(plan.verifier !== undefined && {
      decided: ["count>0"],
      missing: ["count==0"],
      duplicates: ["count==0"],
      out_of_order: ["count==0"],
      mismatches: ["count==0"],
      committed_latency_samples: ["count>0"],
    }),
    ...(!plan.untilAcknowledged && { first_visible_latency_samples: ["count>0"] }),
    ...(plan.limits && { committed_latency: [`p(99)<${plan.limits.committedP99Ms}`] }),
    ...(!plan.untilAcknowledged && { checks: ["rate==1"] }),
  },
  summaryTrendStats: ["min", "med", "p(95)", "p(99)", "max", "count"],
  discardResponseBodies: true,
};

/** Waits for an intake that is ready. Whoever gives a plan has done so. */
export function setup(): void {
  if (__ENV["PLAN"]) return;
  for (let seconds = 0; ; seconds++) {
    const { status, error } = http.get(`${plan.intake}/readyz`, { timeout: "10s" });
    if (status !== 0 && status !== 503) return;
    if (seconds >= READY_LIMIT_SECONDS)
      exec.test.abort(
        `no intake at ${plan.intake} that is ready: ${status === 0 ? error : "503"}. In containers: docker compose up --wait`,
      );
    sleep(1);
  }
}

/** Sends one batch of transactions, and the verdicts on some. */
export default function sendBatch(): void {
  const first = exec.scenario.iterationInTest * plan.batch;
  const numbers = Array.from({ length: plan.batch }, (_, n) => first + n);
  const run = runOf(plan, exec.scenario.startTime);
  const sentAtMs = Date.now();
  if (
    !post(
      "transactions",
      numbers.map((n) => transaction(run, n)),
    )
  )
    return;
  acknowledged.add(plan.batch);
  // The driver reads this: the first transaction's number, how many there are, when they were sent and acknowledged.
  // eslint-disable-next-line no-console -- k6 scripts have no other way to write a file
  if (plan.verifier !== undefined) console.log(`ack ${first} ${plan.batch} ${sentAtMs} ${Date.now()}`);
  const verdicts = numbers.flatMap((n) => labels(run, n));
  if (verdicts.length > 0) post("labels", verdicts);
}

function post(kind: "transactions" | "labels", items: readonly object[]): boolean {
  const body = JSON.stringify(items);
  for (let pause = RETRY_SECONDS; ; pause = Math.min(2 * pause, LONGEST_RETRY_SECONDS)) {
    const response = http.post(`${plan.intake}/v1/${kind}`, body, {
      headers: headers[kind],
      timeout: REQUEST_LIMIT,
      tags: { name: kind },
    });
    if (response.status === 202) return check(response, { acknowledged: () => true });
    // If sent again, it would be refused again, forever.
    if (response.status === 401)
      exec.test.abort(
        `the intake wants a token: set ${kind === "labels" ? "INTAKE_LABEL_TOKEN" : "INTAKE_TOKEN"} to the one that it was started with`,
      );
    if (response.status === 403 || response.status === 421)
      exec.test.abort(`the intake refuses ${kind}: ${response.status}, ${JSON.stringify(response.body)}`);
    if (!plan.untilAcknowledged) {
      check(response, { acknowledged: () => false });
      return false;
    }
    repeated.add(1);
    // Not all in step: requests that were turned away together must not come back together.
    const retryAfter = response.status === 429 ? Number(response.headers["Retry-After"]) : NaN;
    sleep(
      retryAfter > 0
        ? Math.min(retryAfter, LONGEST_RETRY_AFTER_SECONDS) * (1 + 0.25 * Math.random())
        : pause * (0.5 + Math.random()),
    );
  }
}

/** What the verifier found, among k6's own metrics. */
export function teardown(): void {
  if (plan.verifier === undefined) return;
  const response = http.post(`${plan.verifier}/verdict`, undefined, { timeout: SETTLE_LIMIT, responseType: "text" });
  if (response.status !== 200)
    throw new Error(`no judgement: ${response.status} ${response.error} ${String(response.body)}`);
  const judgement = response.json() as unknown as Record<
    "decisions" | "missing" | "duplicates" | "outOfOrder" | "mismatches",
    number
  > &
    Record<"committedLatencyMs" | "firstVisibleLatencyMs", number[]>;
  decided.add(judgement.decisions);
  missing.add(judgement.missing);
  duplicates.add(judgement.duplicates);
  outOfOrder.add(judgement.outOfOrder);
  mismatches.add(judgement.mismatches);
  for (const latency of judgement.committedLatencyMs) committedLatency.add(latency);
  for (const latency of judgement.firstVisibleLatencyMs) firstVisibleLatency.add(latency);
  committedSamples.add(judgement.committedLatencyMs.length);
  firstVisibleSamples.add(judgement.firstVisibleLatencyMs.length);
}
