import { ACCOUNT_COUNTER, MERCHANT_MODEL } from "../../contract/function-names.js";
import { accountCounterOf } from "../../functions/addresses.js";
import { sampleTransaction, START_MS } from "../../functions/testing/samples.js";
import { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { thisMachine, writeJsonReport } from "../../terminal/json-report.js";
import { spreadOf, spreadText } from "../spread.js";
import { LearnedFunctions, type Sent, sentTo } from "./learned-functions.js";

const VARIANTS = [
  { name: "off", settings: {} },
  { name: "64 events", settings: { learned: { events: 64 } } },
  { name: "192 events", settings: { learned: { events: 192 } } },
  { name: "192 events, 256 merchants", settings: { account: { knownMerchants: 256 }, learned: { events: 192 } } },
  {
    name: "192 events, 256 merchants, places",
    settings: { account: { knownMerchants: 256 }, learned: { events: 192, places: true } },
  },
];
type Variant = (typeof VARIANTS)[number];
/** Six a day: 180 in 30 days. */
const BEFORE = 400;
const GAP_MS = 4n * 3_600_000n;
const CALLS = 2_000;
const ROUNDS = 7;

interface Prepared {
  readonly variant: string;
  readonly name: "account" | "merchant";
  readonly stateBytes: number;
  readonly call: () => Uint8Array | Promise<Uint8Array>;
  /** Of each round. */
  readonly microseconds: number[];
}

/**
 * Processor time of one call of the account counter and of the merchant model, from the request's bytes to the
 * response's, and the state's size: with learned features off, with so many events kept, with the merchants of 256
 * transactions, and with places too; in turns. Writes `reports/bench-learned.json`.
 */
export async function benchLearned(signal: AbortSignal): Promise<void> {
  const prepared = (await Promise.all(VARIANTS.map(prepare))).flat();
  for (let round = -1; round < ROUNDS; round++)
    for (const { call, microseconds } of prepared) {
      signal.throwIfAborted();
      const before = process.cpuUsage();
      for (let n = 0; n < CALLS; n++) await call();
      const { user, system } = process.cpuUsage(before);
      // The first round is for the compiler.
      if (round >= 0) microseconds.push((user + system) / CALLS);
    }
  for (const { name, variant, stateBytes, microseconds } of prepared)
    process.stdout.write(
      `${name}, ${variant}: ${spreadText(spreadOf(microseconds), 1)} µs a call, ${stateBytes} bytes of state\n`,
    );
  writeJsonReport("reports/bench-learned.json", {
    machine: thisMachine(),
    figures: prepared.map(({ name, variant, stateBytes, microseconds }) => ({
      name,
      variant,
      stateBytes,
      microseconds,
    })),
  });
}

/** One account and one merchant after many transactions; each call is that of the next one. */
async function prepare({ name: variant, settings }: Variant): Promise<Prepared[]> {
  const functions = new LearnedFunctions(settings);
  let account: Uint8Array | undefined;
  let merchant: Uint8Array | undefined;
  for (let n = 0; n <= BEFORE; n++) {
    const transaction = sentTo(accountCounterOf("a"), Transaction, transactionOf(n));
    account = functions.request(transaction);
    const [scoring] = await functions.deliver(transaction);
    if (scoring?.typename !== MERCHANT_MODEL) throw new Error("nothing went to the merchant");
    const toMerchant: Sent = scoring;
    merchant = functions.request(toMerchant);
    await functions.deliver(toMerchant);
  }
  const prepared = (name: Prepared["name"], typename: string, request: Uint8Array): Prepared => ({
    variant,
    name,
    stateBytes: functions.stateBytes(typename)[0]!,
    call: () => functions.answer(request),
    microseconds: [],
  });
  return [prepared("account", ACCOUNT_COUNTER, account!), prepared("merchant", MERCHANT_MODEL, merchant!)];
}

const transactionOf = (n: number): Transaction =>
  sampleTransaction({
    transactionId: `transaction-${n}`,
    merchantId: "m",
    amountMinor: BigInt(100 + ((n * 7_919) % 20_000)),
    eventTimeMs: START_MS + BigInt(n) * GAP_MS + BigInt((n * 104_729) % 3_600_000),
    // Within 28 km, as a customer's terminals in the data set with places; every fifth on the web.
    location:
      n % 5 === 0
        ? undefined
        : {
            latitudeE6: 47_000_000 + ((n * 7_919) % 250_000),
            longitudeE6: 8_000_000 + ((n * 104_729) % 380_000),
            name: "",
          },
  });
