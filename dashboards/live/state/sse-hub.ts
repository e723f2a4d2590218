/** One open event stream, as the hub sees it. */
export interface StreamClient {
  /** Bytes that were written and that the other side has not taken. */
  bufferedBytes(): number;
  write(bytes: Buffer): void;
  /** Ends it; the browser comes back by itself and says where it stopped. */
  drop(): void;
}

export interface SseHubOptions {
  /** Tells this server's positions from those of the one before it. */
  readonly bootId: string;
  /** How many frames are kept for those who come back. */
  readonly kept: number;
  /** A client that has not taken so many bytes is dropped: it must not hold what everybody else has had. */
  readonly maxBufferedBytes: number;
}

interface Frame {
  readonly seq: number;
  readonly bytes: Buffer;
}

const HEARTBEAT = Buffer.from(": alive\n\n");
/** How long a browser waits before it comes back, in ms. */
const RETRY_MS = 1_000;

/**
 * Server-sent events for many clients. A frame is made once, and every client gets the same bytes. Frames are numbered;
 * a client that comes back names the last one that it had and gets those after it, or `reset` when they are gone.
 */
export class SseHub {
  readonly #options: SseHubOptions;
  readonly #clients = new Set<StreamClient>();
  readonly #frames: Frame[] = [];
  #seq = 0;
  #dropped = 0;

  constructor(options: SseHubOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#clients.size;
  }

  /** Clients that were dropped for being slow. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Where the stream stands. */
  get position(): string {
    return `${this.#options.bootId}.${this.#seq}`;
  }

  /** Sends an event to everybody. */
  publish(event: string, data: unknown): void {
    this.#seq++;
    const bytes = Buffer.from(`id: ${this.position}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    this.#frames.push({ seq: this.#seq, bytes });
    if (this.#frames.length > this.#options.kept) this.#frames.shift();
    this.#toAll(bytes);
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
    if (missed === undefined) client.write(Buffer.from(`id: ${this.position}\nevent: reset\ndata: {}\n\n`));
    else if (missed.length > 0) client.write(Buffer.concat(missed.map(({ bytes }) => bytes)));
    this.#clients.add(client);
    return () => void this.#clients.delete(client);
  }

  /** Ends every stream. */
  close(): void {
    for (const client of this.#clients) client.drop();
    this.#clients.clear();
  }

  #after(position: string | undefined): Frame[] | undefined {
    const [boot, digits = ""] = position?.split(".") ?? [];
    if (boot !== this.#options.bootId || !/^\d{1,15}$/.test(digits)) return undefined;
    const seq = Number(digits);
    const first = this.#frames[0]?.seq ?? this.#seq + 1;
    if (seq > this.#seq || seq < first - 1) return undefined;
    return this.#frames.slice(seq - first + 1);
  }

  #toAll(bytes: Buffer): void {
    for (const client of this.#clients) {
      if (client.bufferedBytes() > this.#options.maxBufferedBytes) {
        this.#clients.delete(client);
        this.#dropped++;
        client.drop();
      } else client.write(bytes);
    }
  }
}
