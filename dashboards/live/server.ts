import { randomBytes, randomUUID } from "node:crypto";

import { askLoopbackDirectly } from "../../process/environment.js";
import { behindOthers } from "../../process/priority.js";
import { serverLogger } from "../../process/server-log.js";
import { runServer, stopOnSignal } from "../../process/server-program.js";
import { bundleClient } from "./bundle.js";
import { Feed } from "./feed.js";
import { dashboardApp } from "./http/app.js";
import { FailureMenu } from "./http/failures.js";
import { Sessions } from "./http/guards.js";
import { dashboardMetrics } from "./metrics.js";
import { repositoryModels } from "./models.js";
import { PipelineWatch } from "./pipeline-watch.js";
import { dashboardSettings } from "./settings.js";
import { Dashboard } from "./state/dashboard.js";
import { SseHub } from "./state/sse-hub.js";
import { Tracer } from "./tracer.js";

/** Changes are sent together: four times a second is live to the eye, and cheap for hundreds of browsers. */
const DELTA_MS = 250;
/** It only watches: where processors are scarce, those that it watches come first. */
const NICENESS = 5;
const PULSE_MS = 1_000;
const HEARTBEAT_MS = 15_000;
/** About three minutes of frames: a client that was away for longer reads everything again. */
const KEPT_FRAMES = 1_000;
const MAX_KEPT_BYTES = 16 * 1024 * 1024;
const MAX_BUFFERED_BYTES = 1024 * 1024;
const SHUTDOWN_LIMIT_MS = 5_000;
/** Offsets of the topics that are read back. */
const TRANSACTIONS_BACK = 20_000;
const LABELS_BACK = 40_000;
const EVIDENCE_BACK = 40_000;
const ALERTS_FACTOR = 2;

/** The live web app: alerts, triage, figures, and the failure menu where a helper for it is given. */
async function main(): Promise<void> {
  const logger = serverLogger("dashboard");
  const settings = dashboardSettings(process.env);
  askLoopbackDirectly();
  behindOthers(NICENESS);
  const models = repositoryModels();
  const { keepAlerts, keepDecisions, keepScores } = settings;
  const dashboard = new Dashboard({ keepAlerts, keepDecisions, keepScores, models });
  const hub = new SseHub({
    bootId: randomBytes(6).toString("hex"),
    kept: KEPT_FRAMES,
    maxKeptBytes: MAX_KEPT_BYTES,
    maxBufferedBytes: MAX_BUFFERED_BYTES,
  });
  const tracer = new Tracer(settings.brokers);
  const watch = new PipelineWatch({ flink: settings.flink, brokers: settings.brokers });
  const feed = new Feed({
    brokers: settings.brokers,
    dashboard,
    bounds: {
      alerts: settings.keepAlerts * ALERTS_FACTOR,
      decisions: settings.keepDecisions,
      transactions: TRANSACTIONS_BACK,
      labels: LABELS_BACK,
      evidence: EVIDENCE_BACK,
    },
    onError: (error) => logger.warn({ err: error }, "Kafka: trying again"),
  });
  const metrics = dashboardMetrics({
    streams: () => hub.size,
    droppedStreams: () => hub.dropped,
    alerts: () => dashboard.alerts.size,
    decisions: () => dashboard.history.size,
    unreadable: () => dashboard.unreadable,
    consumers: () => feed.health,
    counts: () => dashboard.exactlyOnce.counts(Date.now()),
  });
  const { server } = await dashboardApp({
    dashboard,
    hub,
    bundle: await bundleClient(),
    sessions: new Sessions(settings.token, settings.people),
    failures: settings.failures && new FailureMenu(settings.failures),
    tracer,
    meta: { reasons: models.reasons, since: Date.now() },
    verdictDoor: { intake: settings.intake, labelToken: settings.labelToken, newId: () => `analyst-${randomUUID()}` },
    names: settings.names,
    health: () => feed.health,
    scrape: async () => ({ contentType: metrics.registry.contentType, text: await metrics.registry.metrics() }),
    onVerdict: (verdict) => metrics.verdicts.inc({ verdict }),
    onRefused: (why) => metrics.refused.inc({ why }),
    logger,
  });
  const timers = [
    setInterval(() => {
      const before = feed.caughtUp;
      feed.tick(Date.now());
      const delta = dashboard.takeDelta();
      // Whoever came while the topics' past was read has seen a part of it.
      if (feed.caughtUp !== before) hub.publish("reset", {});
      else if (delta !== undefined) hub.publish("delta", delta);
    }, DELTA_MS),
    setInterval(() => hub.publish("pulse", dashboard.pulse(Date.now(), watch.state(feed.caughtUp))), PULSE_MS),
    setInterval(() => hub.heartbeat(), HEARTBEAT_MS),
  ];

  async function stop(): Promise<void> {
    for (const timer of timers) clearInterval(timer);
    watch.stop();
    tracer.stop();
    hub.close();
    server.close();
    server.closeAllConnections();
    await feed.stop();
    logger.info("stopped");
  }
  stopOnSignal({ stop, limitMs: SHUTDOWN_LIMIT_MS });

  server.on("error", (error) => {
    process.stderr.write(`error: the dashboard cannot listen on ${settings.host}:${settings.port}: ${error.message}\n`);
    process.exit(1);
  });
  server.listen(settings.port, settings.host, () =>
    logger.info(
      {
        host: settings.host,
        port: settings.port,
        brokers: settings.brokers,
        failures: settings.failures !== undefined,
      },
      "serving",
    ),
  );
  watch.start();
  feed.start();
}

await runServer("the dashboard", main);
