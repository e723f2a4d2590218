/** Where a record stands: what a topic and an offset in a partition of it name. */
export interface RecordPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

/** A record's place for people, and as a key: `decisions 2@1041`. */
export const placeOf = ({ topic, partition, offset }: RecordPlace): string => `${topic} ${partition}@${offset}`;

/** A Kafka record with nothing decoded. */
export interface RawRecord extends RecordPlace {
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}
