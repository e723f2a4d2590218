import { BinaryWriter } from "@bufbuild/protobuf/wire";

import { LIMITS } from "../../contract/limits.js";
import { ScoringRequest } from "../../protos/gen/fraud/v1/decision.js";
import { Transaction } from "../../protos/gen/fraud/v1/transaction.js";
import {
  ToFunction,
  type ToFunction_Invocation,
  ToFunction_InvocationBatchRequest,
} from "../../statefun/gen/io/statefun/reqreply.js";
import { encodeCalls } from "../../statefun/testing/batch-client.js";

/** A body for the functions' server. */
interface FunctionBody {
  readonly name: string;
  readonly bytes: Buffer;
  readonly pieces?: number;
}

const MAX = LIMITS.bodyBytes;
const MAX_STATE = LIMITS.stateBytes;
const TARGET = { namespace: "fraud", type: "account-counter", id: "a" };
const EMPTY: ToFunction_Invocation = { caller: undefined, argument: undefined };
const NOTHING: Buffer = Buffer.alloc(0);

const times = <T>(length: number, one: (n: number) => T): T[] => Array.from({ length }, (_, n) => one(n));
const longId = (length: number) => ({ ...TARGET, id: "x".repeat(length) });

const varint = (n: number): Buffer => Buffer.from(new BinaryWriter().uint32(n).finish());
/** A field with a length. */
const field = (number: number, value: Uint8Array): Buffer =>
  Buffer.concat([varint((number << 3) | 2), varint(value.length), value]);
/** A value in which each field is unknown, or empty, or the same again and again. */
const filled = (hex: string, bytes: number): Buffer =>
  Buffer.alloc(Math.floor(bytes / (hex.length / 2)) * (hex.length / 2), hex, "hex");
/** Fields of numbers that nobody knows, each one another. */
const unknownFields = (bytes: number): Buffer => {
  const writer = new BinaryWriter();
  for (let field = 1_000, length = 0; length < bytes - 4; field++, length += 3) writer.uint32(field << 3).uint32(1);
  return Buffer.from(writer.finish()).subarray(0, bytes);
};
/** A message within itself, again and again. */
const nested = (number: number, bytes: number): Buffer => {
  const parts: Buffer[] = [];
  for (let length = 0; length < bytes - 8;) {
    const head = Buffer.concat([varint((number << 3) | 2), varint(length)]);
    parts.push(head);
    length += head.length;
  }
  return Buffer.concat(parts.reverse());
};
/** A scoring request whose reasons, three messages down, are empty. */
const nestedReasons = (bytes: number): Buffer => field(1, field(4, filled("2a00", bytes)));
/** A state whose window has a bucket for each byte. */
const window = (number: number, bytes: number): Buffer => field(number, field(1, Buffer.alloc(bytes - 16, 1)));

const valued = (type: string, value: Buffer): ToFunction_Invocation => ({
  caller: undefined,
  argument: { typename: `type.googleapis.com/fraud.v1.${type}`, hasValue: true, value },
});
const message = (bytes: number, typename = "type.googleapis.com/fraud.v1.Transaction"): ToFunction_Invocation => ({
  caller: undefined,
  argument: { typename, hasValue: true, value: Buffer.alloc(bytes, 0x78) },
});
const transaction = (n: number, bytes = 0) =>
  Transaction.fromPartial({
    transactionId: `t-${n}`,
    accountId: TARGET.id,
    merchantId: "m".repeat(Math.max(1, bytes)),
    amountMinor: 1n,
    currency: "EUR",
    eventTimeMs: 1_700_000_000_000n,
  });
const ordinary = (n: number): Buffer => Buffer.from(Transaction.encode(transaction(n, 200)).finish());
const transactions = (count: number, bytes = 0): ToFunction_Invocation[] =>
  times(count, (n) => valued("Transaction", Buffer.from(Transaction.encode(transaction(n, bytes)).finish())));
const scoringRequest = (n: number): ToFunction_Invocation =>
  valued(
    "ScoringRequest",
    Buffer.from(
      ScoringRequest.encode(
        ScoringRequest.fromPartial({ evidence: { transaction: transaction(n, 350), account: { seq: BigInt(n + 1) } } }),
      ).finish(),
    ),
  );

const stateOf = (stateName: string, type: string, value: Buffer) => ({
  stateName,
  stateValue: { typename: `type.googleapis.com/fraud.v1.${type}`, hasValue: true, value },
});
const NO_STATE = [{ stateName: "account", stateValue: { typename: "", hasValue: false, value: NOTHING } }];

const call = (invocations: ToFunction_Invocation[], target = TARGET, state = NO_STATE): Buffer =>
  Buffer.from(ToFunction.encode({ request: { $case: "invocation", value: { target, invocations, state } } }).finish());
/** A call of these fields, byte for byte: its messages, or what nobody knows. */
const batchOf = (fields: Buffer): Buffer =>
  field(
    100,
    Buffer.concat([
      ToFunction_InvocationBatchRequest.encode({ target: TARGET, state: NO_STATE, invocations: [] }).finish(),
      fields,
    ]),
  );
/** So many messages of two bytes each, which nobody should have to build one by one. */
const emptyMessages = (count: number): Buffer => batchOf(Buffer.from("1a00".repeat(count), "hex"));
const atCounter = (state: Buffer, count = 300): Buffer =>
  call(transactions(count), TARGET, [stateOf("account", "AccountState", state)]);
const atMerchant = (invocations: ToFunction_Invocation[], state = NOTHING): Buffer =>
  call(invocations, { ...TARGET, type: "merchant-model" }, [stateOf("merchant", "MerchantState", state)]);
const atScorer = (invocations: ToFunction_Invocation[], state = NOTHING): Buffer =>
  call(invocations, { ...TARGET, type: "transaction-scorer" }, [stateOf("scorer", "ScorerState", state)]);
const calls = (count: number, payload: Buffer): Buffer => encodeCalls(times(count, (id) => ({ id, payload })));

/** A call that means no harm. */
export const ordinaryCall = (n: number): Buffer => atMerchant([scoringRequest(n)]);

/** One call each, of very many messages or of a state that costs much. */
export const hostileCalls = (): FunctionBody[] => [
  { name: "empty messages", bytes: emptyMessages(MAX / 2 - 100) },
  { name: "as many empty messages as may be", bytes: emptyMessages(16_384) },
  { name: "messages of no type's bytes", bytes: call(Array.from({ length: 16_000 }, () => message(450))) },
  { name: "the largest messages", bytes: call(Array.from({ length: 300 }, () => message(26_000))) },
  { name: "a long type of a function", bytes: call([EMPTY], { ...TARGET, type: "\u001b".repeat(MAX - 200) }) },
  { name: "a long id", bytes: call([EMPTY], longId(MAX - 200)) },
  { name: "a long type of a message", bytes: call([message(0, "x".repeat(MAX - 400))]) },
  { name: "nothing that can be read", bytes: Buffer.alloc(MAX, 0xff) },
  { name: "batches in a batch", bytes: Buffer.from("a20600".repeat(MAX / 3 - 1), "hex") },
  { name: "small pieces", bytes: call([message(200_000)]), pieces: 200_000 },
  {
    name: "empty messages to a long id",
    bytes: call(
      times(16_000, () => EMPTY),
      longId(16_384),
    ),
  },
  { name: "transactions", bytes: call(transactions(16_000, 400)) },
  { name: "transactions of a long name", bytes: call(transactions(300, 24_000)) },
  { name: "scoring requests, at the merchant", bytes: atMerchant(times(15_000, scoringRequest)) },
  { name: "scoring requests, at the scorer", bytes: atScorer(times(15_000, scoringRequest)) },
  { name: "scoring requests that overtook", bytes: atScorer(times(15_000, (n) => scoringRequest(20_000 - n))) },
  { name: "messages of empty fields", bytes: call(times(255, () => valued("Transaction", filled("3200", 32_700)))) },
  { name: "messages of unknown fields", bytes: call(times(255, () => valued("Transaction", unknownFields(32_700)))) },
  {
    name: "scoring requests of empty reasons",
    bytes: atMerchant(times(255, () => valued("ScoringRequest", nestedReasons(32_600)))),
  },
  ...times(12, (n) => n + 1).map((field) => ({
    name: `a state of empty fields ${field}`,
    bytes: atCounter(filled(Buffer.of((field << 3) | 2, 0).toString("hex"), MAX_STATE)),
  })),
  ...times(3, (n) => n + 4).map((field) => ({
    name: `a state of a window ${field}`,
    bytes: atCounter(window(field, MAX_STATE)),
  })),
  { name: "a merchant's state of a window", bytes: atMerchant(times(300, scoringRequest), window(4, MAX_STATE)) },
  { name: "a state of unknown fields", bytes: atCounter(unknownFields(MAX_STATE)) },
  { name: "a scorer's state of empty fields", bytes: atScorer(times(300, scoringRequest), filled("1a00", MAX_STATE)) },
  { name: "a state as long as a body", bytes: atCounter(filled("3a00", MAX - 500), 1) },
  {
    name: "very many states",
    bytes: call(
      [EMPTY],
      TARGET,
      times(300_000, () => stateOf("a", "", NOTHING)),
    ),
  },
  { name: "nested messages of the envelope", bytes: nested(100, MAX - 100) },
  {
    name: "nested messages in a transaction",
    bytes: call(times(255, () => valued("Transaction", nested(10, 32_000)))),
  },
  {
    name: "groups",
    bytes: call(
      times(255, () => valued("Transaction", Buffer.concat([Buffer.alloc(16_000, 0x0b), Buffer.alloc(16_000, 0x0c)]))),
    ),
  },
  { name: "groups side by side", bytes: call(times(255, () => valued("Transaction", filled("a30ca40c", 32_600)))) },
  {
    name: "unknown fields of the envelope",
    bytes: batchOf(Buffer.concat([field(7, Buffer.alloc(MAX - 200, 0x41)), field(3, NOTHING)])),
  },
  { name: "unknown fields of a batch, of one byte", bytes: batchOf(filled("3a00", MAX - 200)) },
  {
    name: "unknown fields of each message's envelope",
    bytes: batchOf(Buffer.concat(times(16_000, () => field(3, filled("3a00", 120))))),
  },
  {
    name: "few unknown fields in very many messages",
    bytes: call(times(5_400, () => valued("Transaction", unknownFields(1_490)))),
  },
  {
    name: "few unknown fields beside what is valid",
    bytes: call(times(4_500, (n) => valued("Transaction", Buffer.concat([ordinary(n), unknownFields(1_400)])))),
  },
  {
    name: "unknown fields of one number",
    bytes: call(times(255, () => valued("Transaction", filled("b80f01", 32_700)))),
  },
  {
    name: "long keys of callers",
    bytes: call(
      times(500, (n) => ({
        caller: { namespace: "n".repeat(100), type: "t".repeat(100), id: String(n).padEnd(16_000, "k") },
        argument: undefined,
      })),
    ),
  },
  {
    name: "another type name for each message",
    bytes: call(times(500, (n) => valued(`${n}`.padEnd(16_200, "x"), NOTHING))),
  },
  {
    name: "another short type name for each message",
    bytes: call(times(16_000, (n) => valued(`${n}`.padEnd(400, "x"), NOTHING))),
  },
  {
    name: "type names that are not UTF-8",
    bytes: batchOf(Buffer.concat(times(500, () => field(3, field(2, field(1, Buffer.alloc(16_000, 0xff))))))),
  },
  { name: "packed numbers", bytes: atCounter(field(6, field(2, Buffer.alloc(MAX_STATE - 100, 1)))) },
  {
    name: "numbers of ten bytes",
    bytes: atCounter(field(6, field(1, filled("ffffffffffffffffff01", MAX_STATE - 100)))),
  },
  { name: "one huge message", bytes: call([valued("Transaction", Buffer.alloc(MAX - 400, 0x41))]) },
  {
    name: "strings of other characters",
    bytes: call(times(250, () => valued("Transaction", field(1, Buffer.from("\u{1f600}".repeat(8_000)))))),
  },
  {
    name: "strings that are not UTF-8",
    bytes: call(times(255, () => valued("Transaction", field(1, Buffer.alloc(32_000, 0xff))))),
  },
  {
    name: "a string again and again",
    bytes: call(times(255, () => valued("Transaction", filled("0a08" + "61".repeat(8), 32_000)))),
  },
  { name: "messages that no function knows", bytes: call(times(16_000, () => valued("Nothing", Buffer.alloc(450)))) },
  {
    name: "labels",
    bytes: call(times(12_000, (n) => valued("FraudLabel", field(1, Buffer.from(`l-${n}`.padEnd(500, "x")))))),
  },
  {
    name: "as many states as may be",
    bytes: call(
      [EMPTY],
      TARGET,
      times(1_024, (n) => stateOf(`s${n}`.padEnd(7_000, "x"), "", Buffer.alloc(900))),
    ),
  },
  { name: "a verdict for each byte", bytes: atCounter(filled("4200", MAX_STATE)) },
  { name: "sources again and again", bytes: atCounter(filled("5a021001", MAX_STATE)) },
  {
    name: "a scorer's transactions that wait",
    bytes: atScorer(times(300, scoringRequest), filled("12021200", MAX_STATE)),
  },
  {
    name: "suspicions at the alerter",
    bytes: call(
      times(16_000, (n) =>
        valued(
          "SuspiciousDecision",
          Buffer.concat([field(1, ordinary(n)), Buffer.from("1001", "hex"), filled("2200", 150)]),
        ),
      ),
      { ...TARGET, type: "alerter" },
      [stateOf("alerter", "AlerterState", NOTHING)],
    ),
  },
  { name: "a field of numbers again and again", bytes: Buffer.concat([call([EMPTY]), filled("0801", MAX - 500)]) },
];

/** Very many calls in one request. */
export const hostileBatches = (): FunctionBody[] => [
  { name: "many calls: of one empty message", bytes: calls(4_096, call([EMPTY])) },
  {
    name: "many calls: of thirty empty messages to a long id",
    bytes: calls(
      4_096,
      call(
        times(30, () => EMPTY),
        longId(1_700),
      ),
    ),
  },
  {
    name: "many calls: of five hundred empty messages to a long id",
    bytes: calls(
      3_000,
      call(
        times(500, () => EMPTY),
        longId(800),
      ),
    ),
  },
  { name: "many calls: of unknown fields in a state", bytes: calls(1_200, atCounter(unknownFields(6_100), 1)) },
  {
    name: "many calls: of unknown fields in messages",
    bytes: calls(250, call([valued("Transaction", unknownFields(32_000))])),
  },
  { name: "many calls: of an id as long as may be", bytes: calls(500, call([EMPTY], longId(16_384))) },
  {
    name: "many calls: of four empty messages to an id as long as may be",
    bytes: calls(
      500,
      call(
        times(4, () => EMPTY),
        longId(16_384),
      ),
    ),
  },
  {
    name: "many calls: to functions that nobody knows",
    bytes: calls(4_096, call([EMPTY], { ...TARGET, type: "x".repeat(1_900) })),
  },
  { name: "many calls: that cannot be read", bytes: calls(4_096, Buffer.alloc(2_000, 0xff)) },
  { name: "many calls: without their states", bytes: calls(4_096, call([message(1_900)], TARGET, [])) },
  { name: "many calls: of one transaction each", bytes: calls(4_096, call(transactions(1, 1_800))) },
  { name: "many calls: of states of a window", bytes: calls(60, atCounter(window(6, MAX_STATE), 3)) },
  { name: "many calls: of largest messages", bytes: calls(300, call(transactions(1, 26_000))) },
  {
    name: "many calls: one frame without an end",
    bytes: Buffer.concat([Buffer.of(1, 0x7f, 0xff, 0xff, 0xff), Buffer.alloc(MAX - 5)]),
  },
  { name: "many calls: of nothing", bytes: calls(1_000_000, NOTHING) },
  { name: "many calls: one of transactions", bytes: calls(1, call(transactions(16_000, 400))) },
  { name: "many calls: of states of empty fields", bytes: calls(31, atCounter(filled("3a00", MAX_STATE), 3)) },
];
