/**
 * Knows what each connection is at, and which one is closed to make room when there are too many: the oldest on which
 * no request ever came; then the one that has waited longest for its next request; if all have one, the one whose
 * request has been arriving for longest; then one whose client does not read its answer.
 */
export class MakingRoom<Connection> {
  /** Idle, and never of use so far: however fast these come, they close no connection that is. */
  readonly #fresh = new Set<Connection>();
  /** In the order in which they became idle. */
  readonly #idle = new Set<Connection>();
  readonly #sending = new Set<Connection>();
  /** Whose request is there, and whose answer is not, or not read. */
  readonly #answering = new Set<Connection>();
  readonly #all = [this.#fresh, this.#idle, this.#sending, this.#answering];
  readonly #isUnread: (connection: Connection) => boolean;

  /** @param isUnread - whether an answer was made on it that its client has not read */
  constructor(isUnread: (connection: Connection) => boolean) {
    this.#isUnread = isUnread;
  }

  /** It was opened: no request has come on it. */
  isFresh(connection: Connection): boolean {
    return this.#fresh.has(connection);
  }

  opened(connection: Connection): void {
    this.#fresh.add(connection);
  }

  /** A request came on it. @param sends - its body is still to come */
  asked(connection: Connection, sends: boolean): void {
    this.#fresh.delete(connection);
    this.#idle.delete(connection);
    if (sends) this.#sending.add(connection);
    this.#answering.add(connection);
  }

  /** All that it has asked is there. */
  sent(connection: Connection): void {
    this.#sending.delete(connection);
  }

  /** All that it has asked is answered. */
  answered(connection: Connection): void {
    this.forget(connection);
    this.#idle.add(connection);
  }

  forget(connection: Connection): void {
    for (const connections of this.#all) connections.delete(connection);
  }

  /** The one to be closed; `undefined` when every client waits for the server. */
  next(): Connection | undefined {
    return first(this.#fresh) ?? first(this.#idle) ?? first(this.#sending) ?? this.#unread();
  }

  #unread(): Connection | undefined {
    for (const connection of this.#answering) if (this.#isUnread(connection)) return connection;
    return undefined;
  }
}

const first = <T>(all: ReadonlySet<T>): T | undefined => all.values().next().value;
