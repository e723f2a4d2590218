import { afterAll, beforeAll } from "vitest";

import { stopCluster } from "../../../cluster/control.js";
import { type Cluster, clusterSettings, endpoints, startCluster } from "../../../cluster/index.js";
import type { TopicSettings } from "../../../contract/topics.js";
import { intakeHeaders } from "../../../ingress-generator/intake-token.js";
import { endOffsets } from "../../../kafka/offsets.js";
import { poll } from "../../../process/poll.js";
import { startModule } from "../../../process/run-command.js";
import { silentStep } from "../../../terminal/steps.js";
import { PATIENCE_MS } from "../../patience.js";

export const settings = clusterSettings({ name: "e2e-intake", portOffset: 18_000 });
export const { kafka: brokers, intake: url } = endpoints(settings);

/** What all these tests share. */
interface OnCluster {
  cluster: Cluster;
}
export const onCluster = {} as OnCluster;

let next = 0;
/** One that was not sent before, as JSON has it. */
export const transaction = (fields: Record<string, unknown> = {}) => ({
  transactionId: `t-${++next}`,
  accountId: "ada",
  merchantId: "shop",
  amountMinor: 1999,
  currency: "EUR",
  eventTimeMs: Date.now() - 60_000,
  ...fields,
});

/** Sends to an intake. @returns what it answers */
export async function post(
  body: unknown,
  query = "",
  base = url,
  kind: "transactions" | "labels" = "transactions",
): Promise<{ status: number; retryAfter: string | null; body: Record<string, unknown> }> {
  const response = await fetch(`${base}/v1/${kind}${query}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...intakeHeaders(process.env, kind) },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  return {
    status: response.status,
    retryAfter: response.headers.get("retry-after"),
    body: (await response.json()) as Record<string, unknown>,
  };
}
/** What an intake knows of a decision. */
export async function find(accountId: string, transactionId: string, base = url): Promise<Record<string, unknown>> {
  return (await (
    await fetch(`${base}/v1/accounts/${accountId}/decisions/${transactionId}`, { headers: intakeHeaders() })
  ).json()) as Record<string, unknown>;
}
/** Waits until an intake takes what is sent. */
export const ready = (base = url) =>
  poll("the intake to be ready", async () => (await fetch(`${base}/readyz`).catch(() => undefined))?.status === 200, {
    timeoutMs: PATIENCE_MS,
  });
/** How much was ever written to a topic. */
export async function ends({ name }: TopicSettings): Promise<bigint> {
  return [...(await endOffsets(brokers, name)).values()].reduce((sum, end) => sum + end, 0n);
}

/** Runs an action with an intake beside the cluster's own, and stops that intake. @returns its exit code */
export async function withSecondIntake(
  env: Readonly<Record<string, string>>,
  work: (base: string) => Promise<void>,
): Promise<number | null> {
  const port = settings.ports.intake + 10;
  const second = startModule("intake/server.ts", { HOST: "127.0.0.1", PORT: String(port), KAFKA: brokers, ...env });
  second.stdout.resume();
  const ended = new Promise<number | null>((resolve) => second.once("exit", resolve));
  try {
    await ready(`http://127.0.0.1:${port}`);
    await work(`http://127.0.0.1:${port}`);
  } finally {
    second.kill("SIGTERM");
  }
  return await ended;
}

/** Starts the cluster before all tests, and stops it after them. */
export function useIntake(): void {
  beforeAll(async () => {
    onCluster.cluster = await startCluster(settings, { step: silentStep, restart: true, fresh: true });
    await ready();
  });
  afterAll(async () => {
    await (onCluster as Partial<OnCluster>).cluster?.stop();
    await stopCluster(settings, { wipe: true });
  });
}
