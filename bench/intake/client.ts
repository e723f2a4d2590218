import { Agent, request } from "node:http";

import { contentHash } from "../../contract/content-hash.js";
import { TOPICS } from "../../contract/topics.js";
import { intakeHeaders } from "../../ingress-generator/intake-token.js";
import { kafkaClient } from "../../kafka/client.js";
import { given } from "../../process/environment.js";
import { Transaction } from "../../protos/gen/fraud/v1/transaction.js";

/**
 * One client of the comparison, in its own process: `BENCH_CLIENT` is `kafkajs` (protobuf records to the topic
 * `transactions`), `http-1` (a transaction a request) or `http-100` (NDJSON). Sends `BENCH_COUNT` transactions as fast
 * as it can; then prints its figures as JSON.
 */
const ACCOUNTS = 5_000;
const KAFKA_BATCH = 1_000;
const CONNECTIONS = 16;
const START_MS = 1_700_000_000_000;

const env = given();
const count = Number(env["BENCH_COUNT"]);
const run = env["BENCH_RUN"] ?? "bench";

const fields = (n: number) => ({
  transactionId: `${run}-${n}`,
  accountId: `${run}-a${n % ACCOUNTS}`,
  merchantId: `${run}-m${n % 199}`,
  currency: "EUR",
  location: { latitudeE6: 38_700_000, longitudeE6: -9_100_000, name: "Lisbon, PT" },
  merchantName: "Corner shop",
});

async function kafkajs(): Promise<void> {
  const producer = kafkaClient(env["KAFKA"]!, "bench").producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (let from = 0; from < count; from += KAFKA_BATCH) {
    const messages = Array.from({ length: Math.min(KAFKA_BATCH, count - from) }, (_, at) => {
      const transaction = Transaction.fromPartial({
        ...fields(from + at),
        amountMinor: 1999n,
        eventTimeMs: BigInt(START_MS + from + at),
      });
      transaction.contentHash = contentHash(transaction);
      return { key: transaction.accountId, value: Buffer.from(Transaction.encode(transaction).finish()) };
    });
    await producer.send({ topic: TOPICS.transactions.name, messages });
  }
  await producer.disconnect();
}

async function http(each: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let next = 0;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (next < count) {
        const from = next;
        next += each;
        const lines = Array.from({ length: Math.min(each, count - from) }, (_, at) =>
          JSON.stringify({ ...fields(from + at), amountMinor: 1999, eventTimeMs: START_MS + from + at }),
        );
        await post(agent, lines.join("\n"), each === 1 ? "application/json" : "application/x-ndjson");
      }
    }),
  );
  agent.destroy();
}

function post(agent: Agent, body: string, type: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${env["INTAKE"]!}/v1/transactions`,
      {
        method: "POST",
        agent,
        headers: { ...intakeHeaders(), "content-type": type, "content-length": Buffer.byteLength(body) },
      },
      (response) => {
        response.resume();
        response.on("end", () =>
          response.statusCode === 202 ? resolve() : reject(new Error(`status ${response.statusCode}`)),
        );
        response.on("error", reject);
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

const clients: Readonly<Record<string, () => Promise<void>>> = {
  kafkajs,
  "http-1": () => http(1),
  "http-100": () => http(100),
};
const beganMs = Date.now();
const before = process.cpuUsage();
await clients[env["BENCH_CLIENT"] ?? ""]!();
const used = process.cpuUsage(before);
process.stdout.write(
  `${JSON.stringify({ seconds: (Date.now() - beganMs) / 1000, cpuSeconds: (used.user + used.system) / 1e6 })}\n`,
);
