import type { AddressInfo } from "node:net";

import { pino } from "pino";

import { bundleClient } from "../../../dashboards/live/bundle.js";
import { dashboardApp } from "../../../dashboards/live/http/app.js";
import { Sessions } from "../../../dashboards/live/http/guards.js";
import { repositoryModels } from "../../../dashboards/live/models.js";
import { Dashboard } from "../../../dashboards/live/state/dashboard.js";
import { SseHub } from "../../../dashboards/live/state/sse-hub.js";
import { decisionBytes, decisionRecord, fedRecord, sampleAlert } from "../../../dashboards/live/testing/samples.js";
import { TOPICS } from "../../../contract/topics.js";
import type { Decision } from "../../../protos/gen/fraud/v1/decision.js";
import { FraudLabel } from "../../../protos/gen/fraud/v1/transaction.js";
import { startBrowser, type TestBrowser } from "./browser.js";

/** The web app without a pipeline behind it, holding this many alerts. */
export interface AppWithAlerts {
  readonly origin: string;
  /** Raises one more, as if it had just been read. */
  raise(fields: Parameters<typeof sampleAlert>[0]): void;
  /** Takes a decision, as if it had just been read. */
  decide(decision: Decision): void;
  /** Takes a label, as if it had just been read. */
  label(fields: Parameters<typeof FraudLabel.fromPartial>[0]): void;
  /** The number of open streams. */
  streams(): number;
  close(): Promise<void>;
}

/** @param token - the token that people must show */
export async function appWithAlerts(count: number, token?: string): Promise<AppWithAlerts> {
  const models = repositoryModels();
  const dashboard = new Dashboard({ keepAlerts: count * 2, keepDecisions: 1_000, models });
  const hub = new SseHub({ bootId: "test", kept: 100, maxKeptBytes: 1024 * 1024, maxBufferedBytes: 1024 * 1024 });
  for (let n = 1; n <= count; n++)
    dashboard.alerts.add(
      sampleAlert({ id: `account-${n}/1`, account: `account-${n}`, transactionId: `t${n}`, score: 400 + (n % 600) }),
    );
  const { server } = await dashboardApp({
    dashboard,
    hub,
    bundle: await bundleClient(),
    sessions: new Sessions(token),
    failures: undefined,
    tracer: { trace: () => Promise.resolve({ status: 503, error: "there is no pipeline" }) },
    meta: { reasons: models.reasons, since: Date.now() },
    verdictDoor: { intake: "http://127.0.0.1:1", labelToken: undefined, newId: () => "label" },
    names: { hosts: [], variable: "DASHBOARD_HOSTS" },
    health: () => [],
    scrape: () => Promise.resolve({ contentType: "text/plain", text: "" }),
    onVerdict: () => undefined,
    onRefused: () => undefined,
    logger: pino({ enabled: false }),
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    raise(fields) {
      const row = dashboard.alerts.add(sampleAlert(fields));
      if (row !== undefined) hub.publish("delta", { alerts: [row] });
    },
    decide: (decision) => dashboard.onRecord(decisionRecord(decisionBytes(decision), { arrivedAtMs: Date.now() })),
    label: (fields) =>
      dashboard.onRecord(
        fedRecord(
          TOPICS.labelsValid.name,
          Buffer.from(FraudLabel.encode(FraudLabel.fromPartial({ revision: 1, ...fields })).finish()),
        ),
      ),
    streams: () => hub.size,
    close: () =>
      new Promise((resolve) => {
        hub.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Looks at the app in a browser of its own, and closes both. */
export async function inBrowser(
  app: AppWithAlerts,
  look: (app: AppWithAlerts, own: TestBrowser) => Promise<void>,
): Promise<void> {
  try {
    const own = await startBrowser(app.origin);
    try {
      await look(app, own);
    } finally {
      await own.close();
    }
  } finally {
    await app.close();
  }
}
