import { copyFileSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";

import { createBucket } from "../state/object-store.js";
import { stateAtStart } from "../state/state-at-start.js";
import { createTopics } from "../topics.js";
import { holdsCommittedRecord } from "./committed-record.js";
import { CURES, tellMaster, TRANSPORT_VOLUME } from "./job-start.js";
import { runService, serviceVariable, settingsInContainers } from "./service.js";
import { composeBackend } from "./state-backend.js";
import { zookeeperWasWritten } from "./zookeeper-past.js";

/**
 * What must be done before Flink and the intake start in containers: topics, the bucket, and the check that the stores
 * belong together and that the state is on the backend of flink-conf.yaml. Endpoints come from the environment,
 * which docker-compose.yml gives.
 */
async function main(): Promise<void> {
  const kafka = serviceVariable("init", "KAFKA");
  const zookeeper = serviceVariable("init", "ZOOKEEPER");
  const settings = settingsInContainers("init", ["kafka", "zookeeper", "minio"], { stateBackend: composeBackend() });
  const pointer = await zookeeperWasWritten(zookeeper);
  await createBucket(settings);
  bringTransport();
  const createdTopics = await createTopics(settings, CURES.startOver);
  const record = await stateAtStart(settings, {
    pointer,
    createdTopics,
    holdsCommitted: (topics) => holdsCommittedRecord(kafka, topics),
    cures: CURES,
    oneClusterId: true,
    cure: (is) =>
      `Go on with state.backend: ${is} in cluster/flink-conf.yaml, which says what else that needs; or start over with: ${CURES.startOver}`,
  });
  tellMaster(record);
  console.log(
    createdTopics.length > 0
      ? `topics created: ${createdTopics.join(", ")}`
      : "topics and bucket are there; the stores belong together",
  );
}

/** Where this image has the batching transport and what it builds on. Flink finds them in the volume. */
const JARS = "/jars";

/** A worker of an earlier start may have the old jar open: it is replaced, never overwritten. */
function bringTransport(): void {
  const fresh = `${TRANSPORT_VOLUME}/.fresh`;
  for (const jar of readdirSync(JARS)) {
    copyFileSync(join(JARS, jar), fresh);
    renameSync(fresh, join(TRANSPORT_VOLUME, jar));
  }
}

await runService(main);
