import { copyFileSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";

import { clusterSettings, type ClusterSettings } from "../settings.js";
import { createBucket } from "../state/object-store.js";
import { stateAtStart } from "../state/state-at-start.js";
import { createTopics } from "../topics.js";
import { holdsCommittedRecord } from "./committed-record.js";
import { KEYS_FOLDER } from "./keys-folder.js";
import { runService, serviceVariable } from "./service.js";
import { composeBackend } from "./state-backend.js";
import { zookeeperWasWritten } from "./zookeeper-past.js";

const START_OVER = "docker compose down -v";

/**
 * What must be done before Flink and the intake start in containers: topics, the bucket, and the check that the stores
 * belong together and that the state is on the backend of flink-conf.yaml. Endpoints come from the environment,
 * which docker-compose.yml gives.
 */
async function main(): Promise<void> {
  const kafka = serviceVariable("init", "KAFKA");
  const zookeeper = serviceVariable("init", "ZOOKEEPER");
  const defaults = clusterSettings({ stateBackend: composeBackend() });
  const settings: ClusterSettings = {
    ...defaults,
    endpoints: {
      kafka,
      zookeeper,
      minio: serviceVariable("init", "MINIO"),
      flink: "",
      functions: "",
      intake: "",
      dashboard: "",
    },
    objectStore: { ...defaults.objectStore, keysIn: KEYS_FOLDER },
  };
  const pointer = await zookeeperWasWritten(zookeeper);
  await createBucket(settings);
  bringTransport();
  const createdTopics = await createTopics(settings, START_OVER);
  await stateAtStart(settings, {
    pointer,
    createdTopics,
    holdsCommitted: (topics) => holdsCommittedRecord(kafka, topics),
    cures: { startOver: START_OVER },
    cure: (is) =>
      `Go on with state.backend: ${is} in cluster/flink-conf.yaml, which says what else that needs; or start over with: ${START_OVER}`,
  });
  console.log(
    createdTopics.length > 0
      ? `topics created: ${createdTopics.join(", ")}`
      : "topics and bucket are there; the stores belong together",
  );
}

/** Where this image has the batching transport and what it builds on, and the volume that Flink finds them in. */
const JARS = "/jars";
const TRANSPORT_VOLUME = "/volumes/transport";

/** A worker of an earlier start may have the old jar open: it is replaced, never overwritten. */
function bringTransport(): void {
  const fresh = `${TRANSPORT_VOLUME}/.fresh`;
  for (const jar of readdirSync(JARS)) {
    copyFileSync(join(JARS, jar), fresh);
    renameSync(fresh, join(TRANSPORT_VOLUME, jar));
  }
}

await runService(main);
