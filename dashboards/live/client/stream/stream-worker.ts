import { openStream, type StreamListener } from "./event-stream.js";
import type { PageMessage, WorkerMessage } from "./messages.js";
import { SharedStream } from "./shared-stream.js";

// A SharedWorker, which all pages of a browser share; TypeScript's types of it contradict those of pages.
const worker = globalThis as unknown as { onconnect: (event: MessageEvent) => void };
const stream = new SharedStream(openStream);

worker.onconnect = ({ ports }) => {
  const port = ports[0]!;
  const tell = (message: WorkerMessage): void => port.postMessage(message);
  const page: StreamListener = {
    open: () => tell({ open: true }),
    lost: (over) => tell({ lost: over }),
    frame: (frame) => tell({ frame }),
  };
  port.onmessage = ({ data }: MessageEvent<PageMessage>) => {
    if ("join" in data) stream.join(page, data.join);
    else stream.leave(page);
  };
};
