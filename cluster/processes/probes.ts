import { connect } from "node:net";

const PROBE_MS = 1_000;

/** Whether something accepts connections on a loopback port. */
export function tcp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, timeout: PROBE_MS });
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => done(true));
    socket.once("timeout", () => done(false));
    socket.once("error", () => done(false));
  });
}

/** Whether something is well; if not, why, when it says so itself. */
export interface Probe {
  readonly healthy: boolean;
  readonly cause?: string;
}

/**
 * Asks a server of this project how it is: `GET /healthz`, answered with 503 and why while something in it does not
 * work.
 */
export async function healthz(server: string): Promise<Probe> {
  try {
    const response = await fetch(`${server}/healthz`, { signal: AbortSignal.timeout(PROBE_MS) });
    const text = await response.text();
    if (response.ok) return { healthy: true };
    const { failing } = JSON.parse(text) as {
      readonly failing?: readonly { readonly consumer: string; readonly cause: string }[];
    };
    return {
      healthy: false,
      ...(failing !== undefined && { cause: failing.map(({ consumer, cause }) => `${consumer}: ${cause}`).join("; ") }),
    };
  } catch {
    return { healthy: false };
  }
}

/** Whether a GET answers with a 2xx. */
export async function http(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_MS) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
