import { openStream, type Stream, type StreamListener } from "./event-stream.js";
import type { PageMessage, WorkerMessage } from "./messages.js";

/** Whether this browser's pages can share a stream; not all can: Android's Chrome could not for long. */
export const canShare = (): boolean => typeof SharedWorker !== "undefined";

/**
 * Follows the server's stream: by the worker that all pages of this browser share, or by its own connection where there
 * is no such worker.
 *
 * @param after - the position after which everything is wanted
 */
export function followStream(after: string, listener: StreamListener): Stream {
  return byWorker(after, listener) ?? openStream(after, listener);
}

function byWorker(after: string, listener: StreamListener): Stream | undefined {
  const url = document.getElementById("app")?.dataset["streamWorker"];
  if (!canShare() || url === undefined) return undefined;
  let worker: SharedWorker;
  try {
    worker = new SharedWorker(url);
  } catch {
    return undefined;
  }
  const { port } = worker;
  const tell = (message: PageMessage): void => port.postMessage(message);
  let closed = false;
  let own: Stream | undefined;
  port.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
    if (closed || own !== undefined) return;
    if ("frame" in data) listener.frame(data.frame);
    else if ("open" in data) listener.open();
    else listener.lost(data.lost);
  };
  // Its script does not load: that of a server that has been replaced meanwhile.
  worker.onerror = () => {
    if (!closed) own ??= openStream(after, listener);
  };
  tell({ join: after });
  return {
    close: () => {
      closed = true;
      tell({ leave: true });
      port.close();
      own?.close();
    },
  };
}
