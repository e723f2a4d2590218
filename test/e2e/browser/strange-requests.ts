/** Is in everything that a page of a stranger sends, and in nothing else. */
export const STRANGE = "of-a-stranger";

/** What a page would ask for at each server, with effects or something to read. */
export function attackedPaths(jobId: string, bucket: string) {
  const job = `/jobs/${jobId}`;
  return {
    flink: [
      "/jobs/overview",
      "/jobmanager/config",
      "/jobmanager/log",
      "/jars/upload",
      "/cluster",
      job,
      ...["yarn-cancel", "yarn-stop", "stop", "savepoints", "checkpoints"].map((path) => `${job}/${path}`),
      `${job}?mode=cancel`,
    ],
    minio: [`/${bucket}/`, `/${bucket}?delete`, "/minio/health/live", "/minio/v2/metrics/cluster"],
    functions: ["/statefun", "/healthz", "/metrics"],
    intake: ["/v1/transactions", "/v1/labels", `/v1/labels/${STRANGE}`, "/openapi.json", "/healthz", "/metrics"],
    dashboard: [
      ...["alerts", "meta", "verdicts", "series", "stream", "failures/taskmanager"].map((path) => `/api/${path}`),
      "/metrics",
    ],
    metrics: ["/metrics"],
    failures: ["/parts", "/kill/taskmanager"],
    prometheus: ["/api/v1/query?query=up", "/api/v1/targets", "/-/quit", "/-/reload", "/metrics"],
  } as const satisfies Record<string, readonly string[]>;
}

/** What it sends there. @param eventTimeMs - a time that transactions may have */
export const strangeBodies = (eventTimeMs: number): readonly string[] =>
  [
    {
      transactionId: STRANGE,
      accountId: STRANGE,
      merchantId: STRANGE,
      amountMinor: 1,
      currency: "EUR",
      eventTimeMs,
    },
    {
      labelId: STRANGE,
      accountId: STRANGE,
      transactionId: STRANGE,
      merchantId: STRANGE,
      verdict: "FRAUD",
      eventTimeMs,
    },
    { accountId: "live-1", transactionId: STRANGE, verdict: "FRAUD", note: STRANGE, analyst: STRANGE },
    { "cancel-job": true, drain: true },
  ].map((body) => JSON.stringify(body));
