import { UserError } from "../../terminal/user-error.js";
import { flinkClient } from "../flink-client.js";
import { stateAtStart } from "../state/state-at-start.js";
import { CURES, tellMaster } from "./job-start.js";
import { runService, settingsInContainers } from "./service.js";
import { composeBackend } from "./state-backend.js";

/** States of a job that does nothing more. */
const ENDED: ReadonlySet<string> = new Set(["unreachable", "CANCELED", "FAILED", "FINISHED"]);

/**
 * `docker compose run --rm from-latest`: what `npm run cluster -- up --from-latest` does natively. The master's next
 * start begins a new generation of the job, from the newest complete checkpoint that the object store holds; those
 * after it go on as always. The master's own guard refuses it if that is not the newest that ever completed.
 */
async function main(): Promise<void> {
  const settings = settingsInContainers("from-latest", ["minio", "flink"], { stateBackend: composeBackend() });
  const job = await flinkClient(settings).jobState();
  if (!ENDED.has(job))
    throw new UserError(`the job is there (${job}): it goes on from its own checkpoints, and begins nowhere else.`);
  const record = await stateAtStart(settings, {
    fromLatest: true,
    // It begins from a checkpoint: what is asked of ZooKeeper and Kafka where there may be none does not matter.
    pointer: false,
    createdTopics: [],
    cures: CURES,
    oneClusterId: true,
    cure: (is) => `Go on with state.backend: ${is} in cluster/flink-conf.yaml, which says what else that needs.`,
  });
  tellMaster(record);
  console.log(
    `at its next start the master goes on from ${record.savepoint!}: it tries within a minute by itself; where it is not up: docker compose up --wait`,
  );
}

await runService(main);
