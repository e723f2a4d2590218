import type { Frame } from "./event-stream.js";

/** What a page tells the worker that holds the stream. */
export type PageMessage = { readonly join: string } | { readonly leave: true };

/** What the worker tells a page. */
export type WorkerMessage = { readonly open: true } | { readonly lost: boolean } | { readonly frame: Frame };
