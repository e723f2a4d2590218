/**
 * The requests of a connection are worked on one after the other, since their answers go in that order: a client gains
 * nothing over others by sending the next before the last is answered.
 */
export class RequestsInOrder<Connection> {
  /** Those that wait until the ones before them on their connection are answered. */
  readonly #waiting = new Map<Connection, (() => void)[]>();

  /** One that comes while others are open. @returns how many wait on this connection, with it */
  add(connection: Connection, work: () => void): number {
    const rest = this.#waiting.get(connection) ?? [];
    this.#waiting.set(connection, rest);
    return rest.push(work);
  }

  /** One was answered: the next is worked on. */
  next(connection: Connection): void {
    const rest = this.#waiting.get(connection);
    const work = rest?.shift();
    if (rest?.length === 0) this.#waiting.delete(connection);
    work?.();
  }

  forget(connection: Connection): void {
    this.#waiting.delete(connection);
  }
}
