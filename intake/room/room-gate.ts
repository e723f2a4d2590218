/** What is left of a broker's disk, and of what its topics may keep. */
export interface Room {
  /** Bytes that are free on the disk; undefined when the broker does not say. */
  readonly freeBytes: number | undefined;
  /** Of topics with a bound in bytes. */
  readonly undecided: readonly Undecided[];
}

/** What of one partition is still to be read. */
export interface Undecided {
  readonly topic: string;
  readonly partition: number;
  /** Bytes of it; estimated, where the broker knows only those of the whole log. */
  readonly bytes: number;
  /** Beyond so many, the broker removes the oldest. */
  readonly retentionBytes: number;
}

/** Why nothing more is taken in. */
export interface Shortage {
  readonly cause: string;
  readonly retryAfterSeconds: number;
}

/**
 * Of what a partition keeps, so much may be undecided. The broker removes whole segments, the sizes are estimates, and
 * what is on its way comes on top.
 */
const UNDECIDED_SHARE = 0.5;
/** It opens again with so much more room than it closes at: it must not flap. */
const EASE = 0.8;
const RETRY_SECONDS = 5;

/** Closes before the broker has to remove what is not decided, or has no room left, and opens when there is room. */
export class RoomGate {
  readonly #minFreeBytes: number;
  #shortage: Shortage | undefined;

  /** @param minFreeBytes - 0: however little of the disk is free */
  constructor(minFreeBytes: number) {
    this.#minFreeBytes = minFreeBytes;
  }

  /** Undefined when it is open. */
  get shortage(): Shortage | undefined {
    return this.#shortage;
  }

  /** @param room - undefined when it is not known, which is no reason to turn anyone away */
  update(room: Room | undefined): void {
    const cause = room === undefined ? undefined : this.#causeIn(room, this.#shortage === undefined ? 1 : EASE);
    this.#shortage = cause === undefined ? undefined : { cause, retryAfterSeconds: RETRY_SECONDS };
  }

  #causeIn({ freeBytes, undecided }: Room, ease: number): string | undefined {
    if (freeBytes !== undefined && freeBytes < this.#minFreeBytes / ease)
      return `Kafka's disk is nearly full: ${megabytes(freeBytes)} are free, and below ${megabytes(this.#minFreeBytes)} nothing is taken`;
    const full = undecided.find(({ bytes, retentionBytes }) => bytes > retentionBytes * UNDECIDED_SHARE * ease);
    return (
      full &&
      `${megabytes(full.bytes)} of ${full.topic} wait to be decided, and Kafka keeps no more than ${megabytes(full.retentionBytes)} of a partition: what came now might push out what waits`
    );
  }
}

const megabytes = (bytes: number): string => `${Math.floor(bytes / 1e6)} MB`;
