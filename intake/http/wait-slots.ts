import { setMaxListeners } from "node:events";
import type { IncomingMessage } from "node:http";

/** The limit of all clients together: each awaited input takes about a kilobyte. */
const MAX_WAITING = 20_000;
/** Why a wait ends: made once, since to make an error with a stack for each of thousands takes long. */
const GONE = new Error("the client has gone away");

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
  #waiting = 0;
  #connections = 0;

  /**
   * @param max - how many inputs may be waited for
   * @param maxConnections - how many requests may wait, one on each connection: others want connections as well
   */
  constructor(max = MAX_WAITING, maxConnections = Infinity) {
    this.#max = max;
    this.#maxConnections = maxConnections;
  }

  /** @param inputs - how many inputs the request waits for. @returns `undefined` when it may not wait now */
  take({ socket }: IncomingMessage, inputs = 1): WaitSlot | undefined {
    if (this.#waiting + inputs > this.#max || this.#connections >= this.#maxConnections) return undefined;
    const gone = new AbortController();
    // One for each input.
    setMaxListeners(0, gone.signal);
    const end = (): void => gone.abort(GONE);
    socket.once("close", end);
    this.#waiting += inputs;
    this.#connections++;
    return {
      signal: gone.signal,
      free: () => {
        socket.off("close", end);
        this.#waiting -= inputs;
        this.#connections--;
      },
    };
  }
}
