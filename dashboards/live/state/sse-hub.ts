/** One open event stream, as the hub sees it. */
export interface StreamClient {
  /** Bytes that were written and that the other side has not taken. */
  bufferedBytes(): number;
  write(bytes: Buffer): void;
  /** Calls once, when the other side has taken what was written. */
  onceTaken(then: () => void): void;
  /** Ends it; the browser comes back by itself and says where it stopped. */
  drop(): void;
}

export interface SseHubOptions {
  /** Tells this server's positions from those of the one before it. */
  readonly bootId: string;
  /** How many frames are kept for those who come back. */
  readonly kept: number;
  /** How many bytes these are at most. */
  readonly maxKeptBytes: number;
  /** A client that has not taken this many bytes is dropped: it must not hold what all others have had. */
  readonly maxBufferedBytes: number;
}

interface Frame {
  readonly seq: number;
  readonly bytes: Buffer;
}

/** A client that catches up gets this many bytes at a time. */
const REPLAYED_BYTES = 64 * 1024;
const HEARTBEAT = Buffer.from(": alive\n\n");
/** How long a browser waits before it comes back, in ms. */
const RETRY_MS = 1_000;

/**
 * Server-sent events for many clients. A frame is made once, and every client gets the same bytes. Frames are numbered;
 * a client that comes back names the last one that it had and gets those after it, as fast as it takes them, or `reset`
 * when they are gone.
 */
export class SseHub {
  readonly #options: SseHubOptions;
  readonly #clients = new Set<StreamClient>();
  /** Those that have not had yet what was missed while they were away, and the last frame that they had. */
  readonly #behind = new Map<StreamClient, number>();
  readonly #frames: Frame[] = [];
  #keptBytes = 0;
  #seq = 0;
  #dropped = 0;

  constructor(options: SseHubOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#clients.size + this.#behind.size;
  }

  /** Clients that were dropped for being slow. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Where the stream stands. */
  get position(): string {
    return `${this.#options.bootId}.${this.#seq}`;
  }

  /** Sends an event to all clients. */
  publish(event: string, data: unknown): void {
    this.#seq++;
    const bytes = Buffer.from(`id: ${this.position}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    this.#frames.push({ seq: this.#seq, bytes });
    this.#keptBytes += bytes.length;
    while (this.#frames.length > this.#options.kept || this.#keptBytes > this.#options.maxKeptBytes)
      this.#keptBytes -= this.#frames.shift()!.bytes.length;
    this.#toAll(bytes);
    // What they are to have next is gone.
    for (const [client, seq] of this.#behind) if (seq < this.#firstSeq - 1) this.#drop(client);
  }

  /** Keeps connections open, and finds those that are dead. */
  heartbeat(): void {
    this.#toAll(HEARTBEAT);
  }

  /**
   * Takes a client in.
   *
   * @param after - the position after which it wants everything
   * @returns how to let it go
   */
  connect(client: StreamClient, after: string | undefined): () => void {
    client.write(Buffer.from(`retry: ${RETRY_MS}\n\n`));
    const missed = this.#after(after);
    if (missed === undefined) {
      client.write(Buffer.from(`id: ${this.position}\nevent: reset\ndata: {}\n\n`));
      this.#clients.add(client);
    } else {
      this.#behind.set(client, missed);
      this.#catchUp(client);
    }
    return () => {
      this.#clients.delete(client);
      this.#behind.delete(client);
    };
  }

  /** Writes what a client has missed, itself and not a copy, and no more at a time than it takes. */
  #catchUp(client: StreamClient): void {
    let seq = this.#behind.get(client);
    if (seq === undefined) return;
    while (seq < this.#seq) {
      if (client.bufferedBytes() >= REPLAYED_BYTES) {
        this.#behind.set(client, seq);
        return client.onceTaken(() => this.#catchUp(client));
      }
      client.write(this.#frames[seq + 1 - this.#firstSeq]!.bytes);
      seq++;
    }
    this.#behind.delete(client);
    this.#clients.add(client);
  }

  /** Ends every stream. */
  close(): void {
    for (const client of [...this.#clients, ...this.#behind.keys()]) client.drop();
    this.#clients.clear();
    this.#behind.clear();
  }

  /** The oldest frame that is kept, or the next one. */
  get #firstSeq(): number {
    return this.#frames[0]?.seq ?? this.#seq + 1;
  }

  /** The last frame that a client has had; `undefined` when those after it are gone. */
  #after(position: string | undefined): number | undefined {
    const [boot, digits = ""] = position?.split(".") ?? [];
    if (boot !== this.#options.bootId || !/^\d{1,15}$/.test(digits)) return undefined;
    const seq = Number(digits);
    return seq > this.#seq || seq < this.#firstSeq - 1 ? undefined : seq;
  }

  #drop(client: StreamClient): void {
    this.#clients.delete(client);
    this.#behind.delete(client);
    this.#dropped++;
    client.drop();
  }

  #toAll(bytes: Buffer): void {
    for (const client of this.#clients) {
      if (client.bufferedBytes() > this.#options.maxBufferedBytes) this.#drop(client);
      else client.write(bytes);
    }
  }
}
