import { thisMachine, writeJsonReport } from "../../terminal/json-report.js";
import { requestsPerCpuSecond } from "../http-servers.js";
import { spreadOf, spreadText } from "../spread.js";

/** `none` is `node:http` without a framework: the floor under both. */
const FRAMEWORKS = ["fastify", "express", "none"] as const;

const TRANSACTION = {
  transactionId: "t-1",
  accountId: "account-17",
  merchantId: "merchant-4",
  merchantName: "Corner shop",
  amountMinor: 1999,
  currency: "EUR",
  eventTimeMs: 1_790_000_000_000,
};

/**
 * What a framework adds to the intake's work on a transaction: requests for each second of the server's processor time.
 * Writes `reports/bench-frameworks.json`.
 */
export async function benchFrameworks(signal: AbortSignal): Promise<void> {
  const request = {
    path: "/v1/transactions",
    contentType: "application/json",
    body: Buffer.from(JSON.stringify(TRANSACTION)),
    status: 202,
    check: (answer: Buffer): void => {
      if (!answer.includes('"accepted"')) throw new Error("a server did not take the transaction");
    },
  };
  const measured = await requestsPerCpuSecond(FRAMEWORKS, "bench/frameworks/server.ts", request, signal);
  const figures = FRAMEWORKS.map((framework) => {
    const micros = spreadOf(measured.get(framework)!.map((requests) => 1_000_000 / requests));
    process.stdout.write(`${framework.padEnd(8)} ${spreadText(micros)} µs of processor time a transaction\n`);
    return { framework, requestsPerCpuSecond: measured.get(framework)! };
  });
  writeJsonReport("reports/bench-frameworks.json", { machine: thisMachine(), figures });
}
