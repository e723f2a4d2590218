import { BinaryWriter } from "@bufbuild/protobuf/wire";

import { LIMITS } from "../../contract/limits.js";
import { hostileBodies } from "../../intake/http/testing/hostile-bodies.js";
import {
  ToFunction,
  type ToFunction_Invocation,
  ToFunction_InvocationBatchRequest,
} from "../../statefun/gen/io/statefun/reqreply.js";
import { BATCH_CONTENT_TYPE } from "../../statefun/framing.js";
import { encodeCalls } from "../../statefun/testing/batch-client.js";
import { ScoringRequest } from "../../protos/gen/fraud/v1/decision.js";
import { Transaction } from "../../protos/gen/fraud/v1/transaction.js";

/** The servers that are attacked. */
export const HOSTILE_SERVERS = ["intake", "functions", "dashboard"] as const;
export type HostileServer = (typeof HOSTILE_SERVERS)[number];

/** What an attacker may do; see `attacker.ts`. */
export const ATTACK_KINDS = [
  "connections",
  "idle",
  "slow heads",
  "slow bodies",
  "pipelined",
  "waiting",
  "wrong logins",
  "bodies",
  "long heads",
  "chunk extensions",
] as const;
export type AttackKind = (typeof ATTACK_KINDS)[number];

/** What is sent. */
export interface HostileRequest {
  readonly name: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  /** In how many pieces; one unless set. */
  readonly pieces?: number;
}

/** What a server may do on any of them. */
export const BOUNDS: Readonly<
  Record<HostileServer, { readonly loopMs: number; readonly memoryMiB: number; readonly logBytes: number }>
> = {
  intake: { loopMs: 50, memoryMiB: 64, logBytes: 4_096 },
  functions: { loopMs: 50, memoryMiB: (4 * LIMITS.bodyBytes) / 2 ** 20, logBytes: 16_384 },
  dashboard: { loopMs: 50, memoryMiB: 64, logBytes: 4_096 },
};

const MAX = LIMITS.bodyBytes;
const MAX_STATE = LIMITS.stateBytes;
/** Field 100 of ToFunction, with a length. */
const INVOCATION_TAG = (100 << 3) | 2;
const DASHBOARD_BYTES = 8 * 1024;
const TARGET = { namespace: "fraud", type: "account-counter", id: "a" };
const EMPTY: ToFunction_Invocation = { caller: undefined, argument: undefined };
const STATE = ["account"].map((stateName) => ({
  stateName,
  stateValue: { typename: "", hasValue: false, value: Buffer.alloc(0) },
}));

const call = (invocations: ToFunction_Invocation[], target = TARGET): Buffer =>
  Buffer.from(
    ToFunction.encode({ request: { $case: "invocation", value: { target, invocations, state: STATE } } }).finish(),
  );
/** So many messages of two bytes each, which nobody should have to build one by one. */
const emptyMessages = (count: number): Buffer => {
  const head = ToFunction_InvocationBatchRequest.encode({ target: TARGET, state: STATE, invocations: [] }).finish();
  const batch = Buffer.concat([head, Buffer.from("1a00".repeat(count), "hex")]);
  return Buffer.from(new BinaryWriter().uint32(INVOCATION_TAG).bytes(batch).finish());
};
/** A value in which each field is unknown, or empty, or the same again and again. */
const filled = (hex: string, bytes: number): Buffer =>
  Buffer.alloc(Math.floor(bytes / (hex.length / 2)) * (hex.length / 2), hex, "hex");
/** Fields of numbers that nobody knows, each one another. */
const unknownFields = (bytes: number): Buffer => {
  const writer = new BinaryWriter();
  for (let field = 1_000, length = 0; length < bytes - 4; field++, length += 3) writer.uint32(field << 3).uint32(1);
  return Buffer.from(writer.finish()).subarray(0, bytes);
};
/** A scoring request whose reasons, three messages down, are empty. */
const nestedReasons = (bytes: number): Buffer => {
  const field = (number: number, value: Uint8Array) =>
    new BinaryWriter()
      .uint32((number << 3) | 2)
      .bytes(value)
      .finish();
  return Buffer.from(field(1, field(4, filled("2a00", bytes))));
};
/** A state whose window has a bucket for each byte. */
const window = (field: number, bytes: number): Buffer => {
  const buckets = new BinaryWriter()
    .uint32(10)
    .bytes(Buffer.alloc(bytes - 16, 1))
    .finish();
  return Buffer.from(
    new BinaryWriter()
      .uint32((field << 3) | 2)
      .bytes(buckets)
      .finish(),
  );
};
const stateOf = (stateName: string, type: string, value: Buffer) => ({
  stateName,
  stateValue: { typename: `type.googleapis.com/fraud.v1.${type}`, hasValue: true, value },
});
const stateful = (invocations: ToFunction_Invocation[], type: string, state: ReturnType<typeof stateOf>[]): Buffer =>
  Buffer.from(
    ToFunction.encode({
      request: { $case: "invocation", value: { target: { ...TARGET, type }, invocations, state } },
    }).finish(),
  );
const valued = (type: string, value: Buffer): ToFunction_Invocation => ({
  caller: undefined,
  argument: { typename: `type.googleapis.com/fraud.v1.${type}`, hasValue: true, value },
});
const times = <T>(length: number, one: (n: number) => T): T[] => Array.from({ length }, (_, n) => one(n));
const transaction = (n: number, bytes = 0) =>
  Transaction.fromPartial({
    transactionId: `t-${n}`,
    accountId: TARGET.id,
    merchantId: "m".repeat(Math.max(1, bytes)),
    amountMinor: 1n,
    currency: "EUR",
    eventTimeMs: 1_700_000_000_000n,
  });
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
const calls = (count: number, payload: Buffer): Buffer =>
  encodeCalls(Array.from({ length: count }, (_, id) => ({ id, payload })));
const message = (bytes: number, typename = "type.googleapis.com/fraud.v1.Transaction"): ToFunction_Invocation => ({
  caller: undefined,
  argument: { typename, hasValue: true, value: Buffer.alloc(bytes, 0x78) },
});

/** Made anew at each call. */
export const REQUESTS: Readonly<Record<HostileServer, () => readonly HostileRequest[]>> = {
  intake: () =>
    hostileBodies().flatMap(({ name, lines, bytes }) => {
      const headers = { "content-type": lines ? "application/x-ndjson" : "application/json" };
      return [{ name, path: "/v1/transactions", headers, bytes }];
    }),
  functions: () =>
    [
      { name: "empty messages", bytes: emptyMessages(MAX / 2 - 100) },
      { name: "as many empty messages as may be", bytes: emptyMessages(16_384) },
      { name: "messages of no type's bytes", bytes: call(Array.from({ length: 16_000 }, () => message(450))) },
      { name: "the largest messages", bytes: call(Array.from({ length: 300 }, () => message(26_000))) },
      { name: "a long type of a function", bytes: call([EMPTY], { ...TARGET, type: "\u001b".repeat(MAX - 200) }) },
      { name: "a long id", bytes: call([EMPTY], { ...TARGET, id: "x".repeat(MAX - 200) }) },
      { name: "a long type of a message", bytes: call([message(0, "x".repeat(MAX - 400))]) },
      { name: "nothing that can be read", bytes: Buffer.alloc(MAX, 0xff) },
      { name: "batches in a batch", bytes: Buffer.from("a20600".repeat(MAX / 3 - 1), "hex") },
      { name: "small pieces", bytes: call([message(200_000)]), pieces: 200_000 },
      {
        name: "empty messages to a long id",
        bytes: call(
          times(16_000, () => EMPTY),
          { ...TARGET, id: "x".repeat(16_384) },
        ),
      },
      { name: "transactions", bytes: call(transactions(16_000, 400)) },
      { name: "transactions of a long name", bytes: call(transactions(300, 24_000)) },
      {
        name: "scoring requests, at the merchant",
        bytes: stateful(times(15_000, scoringRequest), "merchant-model", [
          stateOf("merchant", "MerchantState", Buffer.alloc(0)),
        ]),
      },
      {
        name: "scoring requests, at the scorer",
        bytes: stateful(times(15_000, scoringRequest), "transaction-scorer", [
          stateOf("scorer", "ScorerState", Buffer.alloc(0)),
        ]),
      },
      {
        name: "scoring requests that overtook",
        bytes: stateful(
          times(15_000, (n) => scoringRequest(20_000 - n)),
          "transaction-scorer",
          [stateOf("scorer", "ScorerState", Buffer.alloc(0))],
        ),
      },
      {
        name: "messages of empty fields",
        bytes: call(times(255, () => valued("Transaction", filled("3200", 32_700)))),
      },
      {
        name: "messages of unknown fields",
        bytes: call(times(255, () => valued("Transaction", unknownFields(32_700)))),
      },
      {
        name: "scoring requests of empty reasons",
        bytes: stateful(
          times(255, () => valued("ScoringRequest", nestedReasons(32_600))),
          "merchant-model",
          [stateOf("merchant", "MerchantState", Buffer.alloc(0))],
        ),
      },
      ...times(12, (n) => n + 1).map((field) => ({
        name: `a state of empty fields ${field}`,
        bytes: stateful(transactions(300), "account-counter", [
          stateOf("account", "AccountState", filled(Buffer.of((field << 3) | 2, 0).toString("hex"), MAX_STATE)),
        ]),
      })),
      ...times(3, (n) => n + 4).map((field) => ({
        name: `a state of a window ${field}`,
        bytes: stateful(transactions(300), "account-counter", [
          stateOf("account", "AccountState", window(field, MAX_STATE)),
        ]),
      })),
      {
        name: "a merchant's state of a window",
        bytes: stateful(times(300, scoringRequest), "merchant-model", [
          stateOf("merchant", "MerchantState", window(4, MAX_STATE)),
        ]),
      },
      {
        name: "a state of unknown fields",
        bytes: stateful(transactions(300), "account-counter", [
          stateOf("account", "AccountState", unknownFields(MAX_STATE)),
        ]),
      },
      {
        name: "a scorer's state of empty fields",
        bytes: stateful(times(300, scoringRequest), "transaction-scorer", [
          stateOf("scorer", "ScorerState", filled("1a00", MAX_STATE)),
        ]),
      },
      {
        name: "a state as long as a body",
        bytes: stateful(transactions(1), "account-counter", [
          stateOf("account", "AccountState", filled("3a00", MAX - 500)),
        ]),
      },
      {
        name: "very many states",
        bytes: stateful(
          [EMPTY],
          "account-counter",
          times(300_000, () => stateOf("a", "", Buffer.alloc(0))),
        ),
      },
      { name: "a field of numbers again and again", bytes: Buffer.concat([call([EMPTY]), filled("0801", MAX - 500)]) },
    ]
      .map(({ name, bytes, ...rest }) => ({
        name,
        bytes,
        ...rest,
        path: "/statefun",
        headers: { "content-type": "application/octet-stream" },
      }))
      .concat(
        [
          { name: "many calls: of one empty message", bytes: calls(4_096, call([EMPTY])) },
          {
            name: "many calls: of thirty empty messages to a long id",
            bytes: calls(
              4_096,
              call(
                times(30, () => EMPTY),
                { ...TARGET, id: "x".repeat(1_700) },
              ),
            ),
          },
          {
            name: "many calls: of five hundred empty messages to a long id",
            bytes: calls(
              3_000,
              call(
                times(500, () => EMPTY),
                { ...TARGET, id: "x".repeat(800) },
              ),
            ),
          },
          { name: "many calls: of nothing", bytes: calls(1_000_000, Buffer.alloc(0)) },
          { name: "many calls: one of transactions", bytes: calls(1, call(transactions(16_000, 400))) },
          {
            name: "many calls: of states of empty fields",
            bytes: calls(
              31,
              stateful(transactions(3), "account-counter", [
                stateOf("account", "AccountState", filled("3a00", MAX_STATE)),
              ]),
            ),
          },
        ].map((request) => ({ ...request, path: "/statefun/batch", headers: { "content-type": BATCH_CONTENT_TYPE } })),
      ),
  dashboard: () =>
    [
      { name: "a key as long as may be", text: JSON.stringify({ ["k".repeat(DASHBOARD_BYTES - 10)]: 1 }) },
      { name: "escapes", text: `{"note":"${"\\u0000".repeat(1_300)}"}` },
      { name: "a number as long as may be", text: "9".repeat(DASHBOARD_BYTES) },
      { name: "nested objects", text: '{"a":'.repeat(1_400) + "1" + "}".repeat(1_000) },
      { name: "a key twice, escaped", text: `{${Array.from({ length: 600 }, () => '"\\u0061":1').join(",")}}` },
      { name: "numbers that are no numbers", text: `[${"1e999,".repeat(1_300)}0]` },
      { name: "nested arrays", text: "[".repeat(DASHBOARD_BYTES / 2) + "]".repeat(DASHBOARD_BYTES / 2) },
      { name: "keys again and again", text: `{${Array.from({ length: 1_300 }, () => '"a":1').join(",")}}` },
      { name: "unknown keys", text: `{${Array.from({ length: 900 }, (_, n) => `"k${n}":1`).join(",")}}` },
      { name: "control characters", text: `{"${"\u009b".repeat(4_000)}":1}` },
      { name: "no JSON", text: "x".repeat(DASHBOARD_BYTES) },
      { name: "more than may be", text: "x".repeat(1024 * 1024) },
    ].map(({ name, text }) => ({
      name,
      path: "/api/verdicts",
      headers: { "content-type": "application/json", "x-dashboard-action": "1" },
      bytes: Buffer.from(text),
    })),
};

/** What a client sends that means no harm. */
export const GOOD_REQUESTS: Readonly<
  Record<
    HostileServer,
    (n: number) => {
      readonly method: string;
      readonly path: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly bytes: Buffer;
    }
  >
> = {
  intake: (n) => ({
    method: "POST",
    path: "/v1/transactions",
    headers: { "content-type": "application/json" },
    bytes: Buffer.from(
      JSON.stringify({
        transactionId: `t-${n}`,
        accountId: "a",
        merchantId: "m",
        amountMinor: 1,
        currency: "EUR",
        eventTimeMs: 1_700_000_000_000,
      }),
    ),
  }),
  functions: (n) => ({
    method: "POST",
    path: "/statefun",
    headers: { "content-type": "application/octet-stream" },
    bytes: stateful([scoringRequest(n)], "merchant-model", [stateOf("merchant", "MerchantState", Buffer.alloc(0))]),
  }),
  // Its data has a limit of requests a minute.
  dashboard: () => ({ method: "GET", path: "/", headers: {}, bytes: Buffer.alloc(0) }),
};
