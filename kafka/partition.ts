import { Partitioners } from "./client.js";

const assign = Partitioners.DefaultPartitioner();

/** The partition that Kafka's own clients give to a key. */
export function partitionOf(key: string, partitions: number): number {
  const partitionMetadata = metadata(partitions);
  return assign({ topic: "", partitionMetadata, message: { key, value: null } });
}

type Metadata = Parameters<typeof assign>[0]["partitionMetadata"];
const known = new Map<number, Metadata>();

function metadata(partitions: number): Metadata {
  let all = known.get(partitions);
  if (all === undefined) {
    all = Array.from({ length: partitions }, (_, partitionId) => ({
      partitionErrorCode: 0,
      partitionId,
      leader: 1,
      replicas: [],
      isr: [],
    }));
    known.set(partitions, all);
  }
  return all;
}
