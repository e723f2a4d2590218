import { setMaxListeners } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

/** The limit of all clients together: each awaited input takes about a kilobyte. */
const MAX_WAITING = 20_000;
/** The limit of one connection: it can have several requests only if its client does not wait for answers. */
const MAX_REQUESTS = 16;

/** A request may wait. */
export interface WaitSlot {
  /** Aborted when its client goes away. */
  readonly signal: AbortSignal;
  /** The request no longer waits. */
  free(): void;
}

/** Bounds how many clients wait for news, and ends the wait of those that have gone away. */
export class WaitSlots {
  readonly #max: number;
  readonly #maxConnections: number;
  readonly #byConnection = new WeakMap<Socket, Set<AbortController>>();
  #waiting = 0;
  #connections = 0;

  /**
   * @param max - how many inputs may be waited for
   * @param maxConnections - how many connections may have requests that wait: others want connections as well
   */
  constructor(max = MAX_WAITING, maxConnections = Infinity) {
    this.#max = max;
    this.#maxConnections = maxConnections;
  }

  /** @param inputs - how many inputs the request waits for. @returns `undefined` when it may not wait now */
  take({ socket }: IncomingMessage, inputs = 1): WaitSlot | undefined {
    const requests = this.#requestsOf(socket);
    if (requests.size >= MAX_REQUESTS || this.#waiting + inputs > this.#max) return undefined;
    if (requests.size === 0 && this.#connections >= this.#maxConnections) return undefined;
    const gone = new AbortController();
    // One for each input.
    setMaxListeners(0, gone.signal);
    requests.add(gone);
    this.#waiting += inputs;
    if (requests.size === 1) this.#connections++;
    return {
      signal: gone.signal,
      free: () => {
        requests.delete(gone);
        this.#waiting -= inputs;
        if (requests.size === 0) this.#connections--;
      },
    };
  }

  #requestsOf(socket: Socket): Set<AbortController> {
    let requests = this.#byConnection.get(socket);
    if (requests === undefined) {
      const waiting = (requests = new Set<AbortController>());
      this.#byConnection.set(socket, waiting);
      socket.once("close", () => {
        for (const gone of waiting) gone.abort();
      });
    }
    return requests;
  }
}
