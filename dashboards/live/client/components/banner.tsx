import type { ComponentChildren } from "preact";

import { clock, latency } from "../format.js";
import { useNow, useStore } from "../store.js";

/** Silence for longer than this is not chance: figures come every second. */
const SILENT_MS = 5_000;

/** Says plainly what is wrong, and what it means for people who look at this. */
export function Banner() {
  const { connection, pulses, heardAtMs } = useStore();
  const now = useNow();
  const pipeline = pulses.at(-1)?.pipeline;
  if (connection === "connecting") return null;
  if (connection !== "live" || now - heardAtMs > SILENT_MS)
    return (
      <Alarm>
        <b>The connection to this app's server is lost.</b> Reconnecting
        {heardAtMs > 0 && ` … what you see is of ${clock(heardAtMs)}`}.
      </Alarm>
    );
  if (pipeline === undefined) return null;
  if (pipeline.kafka === "away")
    return (
      <Alarm>
        <b>Kafka does not answer.</b> Nothing new can come in or out until it does; what was committed is safe.
      </Alarm>
    );
  if (pipeline.job === "unreachable")
    return (
      <Alarm>
        <b>Flink does not answer.</b> Transactions wait in Kafka and are decided when it is back.
      </Alarm>
    );
  if (pipeline.job !== "RUNNING")
    return (
      <Alarm>
        <b>The Flink job is not running ({pipeline.job.toLowerCase()}).</b> Transactions wait in Kafka and are decided
        when it runs again.
      </Alarm>
    );
  if (!pipeline.caughtUp)
    return (
      <p class="banner calm" role="status">
        Reading back the newest alerts and decisions …
      </p>
    );
  const { lastOutageMs, interruptions } = pipeline;
  const recovered = pulses.findLast((pulse) => pulse.pipeline.job !== "RUNNING");
  if (lastOutageMs !== null && recovered !== undefined && now - recovered.t < 20_000)
    return (
      <p class="banner good" role="status">
        The job runs again after {latency(lastOutageMs)}
        {interruptions > 1 && ` (interruption ${interruptions})`}. Watch "missing" and "duplicates".
      </p>
    );
  return null;
}

function Alarm({ children }: { children: ComponentChildren }) {
  return (
    <p class="banner alarm" role="alert">
      {children}
    </p>
  );
}
