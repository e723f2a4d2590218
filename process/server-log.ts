import { type Logger, pino } from "pino";

/** What waits to be written while the disk has no room; what comes beyond is lost. */
const WAITING_BYTES = 1 << 20;

/**
 * A server's log, on its standard output. A full disk below it does not end the server, as it would by default: the
 * lines wait until there is room again.
 */
export function serverLogger(name: string): Logger {
  const output = pino.destination({ sync: true, maxLength: WAITING_BYTES });
  // Its own listener ends the process at anything but a reader that is gone.
  output.removeAllListeners("error").on("error", () => undefined);
  return pino({ name }, output);
}
