/** How often it is counted what clients have not read, while requests are open. */
const UNREAD_MS = 100;

/** What is counted. */
export interface UnreadOptions<Connection> {
  /** How many bytes of answers were made and not taken by the system, by connection that has a request open. */
  readonly unread: () => Iterable<readonly [Connection, number]>;
  /** Of all connections together. */
  readonly maxBytes: number;
  readonly drop: (connection: Connection) => void;
}

/** Bounds the bytes of answers that clients have not read: when it is too much, those that have most of it go. */
export class UnreadAnswers<Connection> {
  readonly #options: UnreadOptions<Connection>;
  #lookedAtMs = 0;
  #willLook = false;

  constructor(options: UnreadOptions<Connection>) {
    this.#options = options;
  }

  /** A request came: from now on it is counted, until none is open. */
  asked(): void {
    // Requests on hundreds of connections are worked on in one turn, and no timer comes meanwhile.
    if (performance.now() - this.#lookedAtMs < UNREAD_MS) this.#lookLater();
    else this.#look();
  }

  #lookLater(): void {
    if (this.#willLook) return;
    this.#willLook = true;
    setTimeout(() => {
      this.#willLook = false;
      this.#look();
    }, UNREAD_MS).unref();
  }

  #look(): void {
    this.#lookedAtMs = performance.now();
    const { unread, maxBytes, drop } = this.#options;
    const all = [...unread()];
    if (all.length > 0) this.#lookLater();
    let sum = all.reduce((before, [, bytes]) => before + bytes, 0);
    if (sum <= maxBytes) return;
    for (const [connection, bytes] of all.sort(([, one], [, other]) => other - one)) {
      if (sum <= maxBytes) break;
      sum -= bytes;
      drop(connection);
    }
  }
}
