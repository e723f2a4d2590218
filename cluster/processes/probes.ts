import { get } from "node:http";
import { connect } from "node:net";

/** For whoever wants to know it now: an answer that takes longer is none. */
export const PROBE_MS = 2_000;

/**
 * What came back: an answer, good or bad, says that the process lives; one that refuses connections is starting or
 * ending; and one that takes them and is silent may hang.
 */
export type Heard = "answer" | "refusal" | "silence";

/** How something answered when it was asked. */
export interface Probe {
  readonly heard: Heard;
  /** Whether it is well. */
  readonly healthy: boolean;
  /** Why it is not, when it says so itself. */
  readonly cause?: string;
}

const answer = (healthy: boolean): Probe => ({ heard: "answer", healthy });
const failed = (error: unknown): Probe => ({
  heard: (error as { code?: unknown }).code === "ECONNREFUSED" ? "refusal" : "silence",
  healthy: false,
});

/**
 * Asks a server of this project how it is: `GET /healthz`, answered with 503 and why while something in it does not
 * work.
 */
export async function healthz(server: string, limitMs = PROBE_MS): Promise<Probe> {
  try {
    const { ok, text } = await ask(`${server}/healthz`, limitMs);
    if (ok) return answer(true);
    const cause = causeIn(text);
    return { ...answer(false), ...(cause !== undefined && { cause }) };
  } catch (error) {
    return failed(error);
  }
}

function causeIn(text: string): string | undefined {
  try {
    const { failing } = JSON.parse(text) as {
      readonly failing?: readonly { readonly consumer: string; readonly cause: string }[];
    };
    return failing?.map(({ consumer, cause }) => `${consumer}: ${cause}`).join("; ");
  } catch {
    return undefined;
  }
}

/** Whether a GET answers with a 2xx. */
export async function http(url: string, limitMs = PROBE_MS): Promise<Probe> {
  try {
    return answer((await ask(url, limitMs)).ok);
  } catch (error) {
    return failed(error);
  }
}

/** By a connection of its own: one that is kept would lead to a worker that is being exchanged. */
function ask(url: string, limitMs: number): Promise<{ readonly ok: boolean; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, signal: AbortSignal.timeout(limitMs) }, (response) => {
      const { statusCode = 0 } = response;
      let text = "";
      response
        .setEncoding("utf8")
        .on("data", (more: string) => (text += more))
        .once("end", () => resolve({ ok: statusCode >= 200 && statusCode < 300, text }))
        .once("error", reject);
    });
    request.once("error", reject);
  });
}

/** Asks ZooKeeper by its word `srvr`: while it serves nobody, it says that. */
export async function zooKeeper(port: number, limitMs = PROBE_MS): Promise<Probe> {
  try {
    const said = await exchange(port, Buffer.from("srvr"), limitMs, () => false);
    if (said.length === 0) return { heard: "silence", healthy: false };
    return answer(/^Mode: /m.test(said.toString("latin1")));
  } catch (error) {
    return failed(error);
  }
}

/** `Metadata`, version 1, of no topics: which brokers there are. By hand, for a client costs far more. */
const METADATA = 3;
const CORRELATION = 0x68616e67;
const CLIENT = Buffer.from("fraud-health");

/** Asks a broker of Kafka which brokers serve: it is one of them when it is ready. */
export async function kafka(port: number, limitMs = PROBE_MS): Promise<Probe> {
  const request = Buffer.alloc(4 + 10 + CLIENT.length + 4);
  request.writeInt32BE(request.length - 4, 0);
  request.writeInt16BE(METADATA, 4);
  request.writeInt16BE(1, 6);
  request.writeInt32BE(CORRELATION, 8);
  request.writeInt16BE(CLIENT.length, 12);
  CLIENT.copy(request, 14);
  request.writeInt32BE(0, 14 + CLIENT.length);
  try {
    const said = await exchange(
      port,
      request,
      limitMs,
      (bytes) => bytes.length >= 4 && bytes.length >= 4 + size(bytes),
    );
    if (said.length < 12 || said.readInt32BE(4) !== CORRELATION) return { heard: "silence", healthy: false };
    return answer(said.readInt32BE(8) > 0);
  } catch (error) {
    return failed(error);
  }
}

const size = (bytes: Buffer): number => bytes.readInt32BE(0);

/** Sends something to a port, and returns what comes back until it is whole or the other end hangs up. */
function exchange(port: number, request: Buffer, limitMs: number, whole: (bytes: Buffer) => boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const socket = connect({ host: "127.0.0.1", port, signal: AbortSignal.timeout(limitMs) }, () =>
      socket.write(request),
    );
    const done = (): void => {
      socket.destroy();
      resolve(bytes);
    };
    socket
      .on("data", (more: Buffer) => {
        bytes = Buffer.concat([bytes, more]);
        if (whole(bytes)) done();
      })
      .once("end", done)
      .once("error", reject);
  });
}
