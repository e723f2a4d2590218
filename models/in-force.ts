import { IN_FORCE_KEY, TOPICS } from "../contract/topics.js";
import { ModelsInForceIndex } from "../intake/models-in-force.js";
import { followModels } from "../intake/models-reader.js";
import { withAdmin } from "../kafka/client.js";
import { idempotentProducer } from "../kafka/record-writer.js";
import { ModelsInForce } from "../protos/gen/fraud/v1/models.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import { pack } from "../statefun/index.js";
import { UserError } from "../terminal/user-error.js";

/**
 * Which models are in force.
 *
 * @returns `undefined` when none was ever put in force
 * @throws {UserError} when there is no broker, or no such topic
 */
export async function readInForce(brokers: string): Promise<ModelsInForce | undefined> {
  await requireTopic(brokers);
  const index = new ModelsInForceIndex();
  const reader = await followModels(brokers, index, () => undefined);
  try {
    await reader.caughtUp;
    return index.newest;
  } finally {
    await reader.stop();
  }
}

/** Puts models in force: from now on each intake stamps them, as soon as it has read this. @throws {UserError} */
export async function putInForce(brokers: string, models: Omit<ModelsInForce, "setAtMs">): Promise<void> {
  await requireTopic(brokers);
  const producer = await idempotentProducer(brokers, "fraud-models");
  try {
    const value = Any.encode(pack(ModelsInForce, { ...models, setAtMs: BigInt(Date.now()) })).finish();
    await producer.sendBatch({
      topicMessages: [
        { topic: TOPICS.models.name, messages: [{ key: IN_FORCE_KEY, value: Buffer.from(value), partition: 0 }] },
      ],
      acks: -1,
    });
  } finally {
    await producer.disconnect();
  }
}

async function requireTopic(brokers: string): Promise<void> {
  const topics = await withAdmin(brokers, (admin) => admin.listTopics());
  if (!topics.includes(TOPICS.models.name))
    throw new UserError(`Kafka at ${brokers} has no topic ${TOPICS.models.name}: npm run cluster -- up creates it.`, {
      code: "not-found",
    });
}
