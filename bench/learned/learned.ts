import { accountCounterOf, merchantModelOf } from "../../functions/addresses.js";
import { fraudFunctions } from "../../functions/fraud-functions.js";
import { sampleDependencies, sampleTransaction, START_MS } from "../../functions/testing/samples.js";
import { ScoringRequest } from "../../protos/gen/fraud/v1/decision.js";
import { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import { FromFunction, ToFunction, type TypedValue } from "../../protos/gen/io/statefun/reqreply.js";
import { type Address, type MessageType, RequestReplyHandler, typeUrlOf } from "../../statefun/index.js";
import { thisMachine, writeJsonReport } from "../../terminal/json-report.js";
import { spreadOf, spreadText } from "../spread.js";

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
const FUNCTIONS = ["account", "merchant"] as const;
/** Six a day: 180 in 30 days. */
const BEFORE = 400;
const GAP_MS = 4n * 3_600_000n;
const CALLS = 2_000;
const ROUNDS = 7;

interface Prepared {
  readonly variant: string;
  readonly name: (typeof FUNCTIONS)[number];
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
  const handler = new RequestReplyHandler(fraudFunctions(sampleDependencies(settings)), {
    maxBodyBytes: Infinity,
    logger: {
      error: (_, message) =>
        process.stderr.write(`${message}
`),
    },
  });
  const states = new Map<string, TypedValue>();
  const invoke = async <T>(to: Address<T>, state: string, type: MessageType<T>, message: T) => {
    const request = requestOf(
      to,
      state,
      states.get(state),
      typeUrlOf(type),
      Buffer.from(type.encode(message).finish()),
    );
    const { response } = FromFunction.decode(await handler.handle(request));
    if (response?.$case !== "invocationResult") throw new Error("the handler did not do what is measured");
    const [mutation] = response.value.stateMutations;
    const sent = response.value.outgoingMessages[0]?.argument?.value;
    if (mutation?.stateValue === undefined || sent === undefined) throw new Error("nothing was stored or sent");
    return { request, stored: mutation.stateValue, sent };
  };
  for (let n = 0; ; n++) {
    const transaction = sampleTransaction({
      transactionId: `transaction-${n}`,
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
    const account = await invoke(accountCounterOf("a"), "account", Transaction, transaction);
    const scoring = ScoringRequest.decode(account.sent);
    const merchant = await invoke(merchantModelOf("m"), "merchant", ScoringRequest, scoring);
    if (n === BEFORE)
      return [account, merchant].map(({ request, stored }, at) => ({
        variant,
        name: FUNCTIONS[at]!,
        stateBytes: stored.value.length,
        call: () => handler.handle(request),
        microseconds: [],
      }));
    states.set("account", account.stored);
    states.set("merchant", merchant.stored);
  }
}

function requestOf<T>(
  { typename, id }: Address<T>,
  stateName: string,
  state: TypedValue | undefined,
  typeUrl: string,
  value: Buffer,
): Uint8Array {
  const [namespace, type] = typename.split("/") as [string, string];
  return ToFunction.encode({
    request: {
      $case: "invocation",
      value: {
        target: { namespace, type, id },
        state: [{ stateName, stateValue: state ?? { typename: "", hasValue: false, value: Buffer.alloc(0) } }],
        invocations: [{ caller: undefined, argument: { typename: typeUrl, hasValue: true, value } }],
      },
    },
  }).finish();
}
