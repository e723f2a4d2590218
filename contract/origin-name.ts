import type { Origin } from "../protos/gen/fraud/v1/transaction.js";

/**
 * The name of a record by where it came from, such as `transactions-2-17@wdJ9Uo8hS0mKq0F3X0n7Xg.5`: topic, partition
 * and offset, and what names the log that the offset counts in, which is the topic's id, as Kafka's own tools write it,
 * and the epoch. Each record has another one, also when a topic is made again.
 */
export function originName(origin: Origin): string {
  const { topicId, leaderEpoch } = origin;
  return topicId === undefined
    ? shortOriginName(origin)
    : `${shortOriginName(origin)}@${topicId.toString("base64url")}.${leaderEpoch ?? 0}`;
}

/** The same without its log, such as `transactions-2-17`. */
export const shortOriginName = ({ topic, partition, offset }: Pick<Origin, "topic" | "partition" | "offset">): string =>
  `${topic}-${partition}-${offset}`;
