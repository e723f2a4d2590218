/** Where a record stands: what a topic and an offset in a partition of it name. */
export interface RecordPosition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

/** A record's position for people, and as a key: `decisions 2@1041`. */
export const positionText = ({ topic, partition, offset }: RecordPosition): string => `${topic} ${partition}@${offset}`;

/** A Kafka record with nothing decoded. */
export interface RawRecord extends RecordPosition {
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}
