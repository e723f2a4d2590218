import type { Admin, Kafka } from "kafkajs";

import { UserError } from "../terminal/user-error.js";
import { loadKafkajs } from "./mended-kafkajs.js";

const kafkajs = loadKafkajs();
export const { Partitioners, CompressionCodecs, CompressionTypes, ConfigResourceTypes, ConfigSource, logLevel } =
  kafkajs;

/**
 * A quiet client: what goes wrong reaches its caller as an error.
 *
 * @param brokers - `host:port` of a broker
 * @param options - not `patient`: gives up at once when there is no broker, instead of waiting for one that restarts
 */
export function kafkaClient(brokers: string, clientId: string, { patient = true } = {}): Kafka {
  return new kafkajs.Kafka({
    clientId,
    brokers: [brokers],
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 5_000,
    // About half a minute, or half a second. Often, so that a broker which is back is found at once.
    retry: { initialRetryTime: 100, maxRetryTime: 500, retries: patient ? 60 : 2 },
  });
}

/**
 * Works with an admin client, and closes it.
 *
 * @throws {UserError} when no broker answers at the address
 */
export async function withAdmin<T>(brokers: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafkaClient(brokers, "fraud-admin", { patient: false }).admin({
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 10 },
  });
  try {
    await admin.connect();
  } catch (cause) {
    throw new UserError(`no Kafka broker answers at ${brokers}. Is the cluster up? Start it: npm run cluster -- up`, {
      cause,
    });
  }
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}
