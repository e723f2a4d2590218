import { TOPICS } from "../contract/topics.js";
import { flinkClientAt } from "../flink/flink.js";
import { RateMeter, shownAlert } from "../ingress-generator/live-stats.js";
import { followTopics } from "../kafka/consumer.js";
import { given } from "../process/environment.js";
import { Alert, Alert_Kind } from "../protos/gen/fraud/v1/evidence.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import { visible } from "../terminal/visible.js";
import { alertLine } from "./live-view.js";

const LINE_MS = 10_000;
const env = given();
const port = (name: string, otherwise: number): string => env[`${name}_PORT`] ?? String(otherwise);

/**
 * The service "console": says where to look, then shows alerts as they are committed, and every ten seconds the
 * figures.
 */
async function main(): Promise<void> {
  const brokers = env["KAFKA"] ?? "127.0.0.1:9092";
  const flink = flinkClientAt(env["FLINK"] ?? "http://127.0.0.1:8081");
  const decisions = new RateMeter();
  let alerts = 0;
  const reader = await followTopics({
    brokers,
    topics: [TOPICS.decisions.name, TOPICS.alerts.name],
    from: "end",
    onRecord: ({ topic, value, arrivedAtMs }) => {
      if (topic === TOPICS.decisions.name) return decisions.add(arrivedAtMs);
      const alert = Alert.decode(Any.decode(value!).value);
      if (alert.kind === Alert_Kind.CLOSED) return;
      alerts++;
      console.log(alertLine(shownAlert(alert)));
    },
  });
  console.log(`Where to look:
  live alerts        http://127.0.0.1:${port("DASHBOARD", 8090)}
  HTTP door          http://127.0.0.1:${port("INTAKE", 8080)}/v1/transactions, described at /openapi.json
  Flink's own pages  http://127.0.0.1:${port("FLINK", 8081)}
  Kafka              127.0.0.1:${port("KAFKA", 9092)}: npm run topics -- decisions --limit 3
  each part's log    docker compose logs worker
Alerts:`);
  const timer = setInterval(() => {
    const { failing } = reader.health;
    void flink
      .jobState()
      .then((job) =>
        console.log(
          `decided ${decisions.total} (${Math.round(decisions.perSecond(Date.now()))}/s)  alerts ${alerts}  job ${job}${failing === undefined ? "" : `  not read: ${visible(String(failing))}`}`,
        ),
      );
  }, LINE_MS);
  const stop = (): void => {
    clearInterval(timer);
    void reader.stop().finally(() => process.exit(0));
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`error: ${visible(error instanceof Error ? error.message : String(error))}\n`);
  process.exit(1);
}
