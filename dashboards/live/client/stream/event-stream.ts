/** One event of the server's stream. */
export interface Frame {
  readonly name: string;
  /** JSON. */
  readonly data: string;
  /** Where the stream stands after it, such as `3f9a.17`: the server's run, and a number that rises by one. */
  readonly id: string;
}

/** A follower of a stream. */
export interface StreamListener {
  open(): void;
  /** @param over - it does not come back by itself: the server has refused it */
  lost(over: boolean): void;
  frame(frame: Frame): void;
}

export interface Stream {
  close(): void;
}

const NAMES = ["pulse", "delta", "reset"];

/** Opens a connection to the server's stream. @param after - the position after which everything is wanted */
export function openStream(after: string, listener: StreamListener): Stream {
  const source = new EventSource(`/api/stream?after=${encodeURIComponent(after)}`);
  source.onopen = () => listener.open();
  source.onerror = () => listener.lost(source.readyState === EventSource.CLOSED);
  for (const name of NAMES)
    source.addEventListener(name, (event: MessageEvent<string>) =>
      listener.frame({ name, data: event.data, id: event.lastEventId }),
    );
  return { close: () => source.close() };
}
