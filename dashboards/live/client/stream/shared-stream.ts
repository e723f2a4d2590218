import type { Frame, openStream, Stream, StreamListener } from "./event-stream.js";

/** Frames that are kept for pages that come while the stream runs: about a minute, longer than a page takes to load. */
const KEPT = 300;

/**
 * One connection to the server's stream for all pages of a browser: to one server it opens six at most, and a seventh
 * page would wait forever. Each page gets what comes after the position that it was loaded at, every frame once.
 */
export class SharedStream {
  readonly #open: typeof openStream;
  /** Pages, and where each was loaded. */
  readonly #pages = new Map<StreamListener, string>();
  #stream: Stream | undefined;
  #live = false;
  /** The newest frames, without a gap, and the position before the first of them. */
  #frames: Frame[] = [];
  #from = "";

  constructor(open: typeof openStream) {
    this.#open = open;
  }

  /** A page follows from `after` on; when what it has missed is gone, it is told to load everything anew. */
  join(page: StreamListener, after: string): void {
    if (this.#stream !== undefined && runOf(after) !== runOf(this.#from)) {
      // The server has been started again, and a page that has just been loaded knows it before this connection does.
      const others = [...this.#pages.keys()];
      this.#end();
      for (const other of others) other.frame(reset(after));
    }
    this.#pages.set(page, after);
    if (this.#stream === undefined) return this.#begin(after);
    if (this.#live) page.open();
    if (numberOf(after) < numberOf(this.#from)) page.frame(reset(after));
    else for (const frame of this.#frames) if (isAfter(frame, after)) page.frame(frame);
  }

  /** A page is gone, or nobody looks at it. */
  leave(page: StreamListener): void {
    this.#pages.delete(page);
    if (this.#pages.size === 0) this.#end();
  }

  #begin(after: string): void {
    this.#from = after;
    const stream = this.#open(after, {
      open: () => {
        if (this.#stream !== stream) return;
        this.#live = true;
        for (const page of this.#pages.keys()) page.open();
      },
      lost: (over) => {
        if (this.#stream !== stream) return;
        this.#live = false;
        const pages = [...this.#pages.keys()];
        if (over) this.#end();
        for (const page of pages) page.lost(over);
      },
      frame: (frame) => {
        if (this.#stream === stream) this.#take(frame);
      },
    });
    this.#stream = stream;
  }

  #take(frame: Frame): void {
    if (frame.name === "reset") {
      this.#frames = [];
      this.#from = frame.id;
    } else {
      this.#frames.push(frame);
      if (this.#frames.length > KEPT) this.#from = this.#frames.shift()!.id;
    }
    for (const [page, after] of [...this.#pages])
      if (frame.name === "reset" || isAfter(frame, after)) page.frame(frame);
  }

  #end(): void {
    this.#stream?.close();
    this.#stream = undefined;
    this.#live = false;
    this.#frames = [];
    this.#pages.clear();
  }
}

const reset = (id: string): Frame => ({ name: "reset", data: "{}", id });
const runOf = (position: string): string => position.split(".", 1)[0]!;
const numberOf = (position: string): number => Number(position.split(".")[1]);
const isAfter = ({ id }: Frame, after: string): boolean => runOf(id) !== runOf(after) || numberOf(id) > numberOf(after);
