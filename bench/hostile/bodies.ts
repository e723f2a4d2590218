import { brotliCompressSync, gzipSync } from "node:zlib";

import { BinaryWriter } from "@bufbuild/protobuf/wire";

import { LIMITS } from "../../contract/limits.js";
import { MAX_BODY_BYTES } from "../../intake/http/body.js";
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
  /** The whole of what is sent, instead: what no HTTP client would send. */
  readonly raw?: (host: string) => string;
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
const OWN_ACTION: Readonly<Record<string, string>> = { "content-type": "application/json", "x-dashboard-action": "1" };
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

const varint = (n: number): Buffer => Buffer.from(new BinaryWriter().uint32(n).finish());
/** A field with a length. */
const field = (number: number, value: Uint8Array): Buffer =>
  Buffer.concat([varint((number << 3) | 2), varint(value.length), value]);
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
/** Many messages in fields of bytes that their envelope does not know. */
const batchOf = (fields: Buffer): Buffer =>
  field(
    100,
    Buffer.concat([
      ToFunction_InvocationBatchRequest.encode({ target: TARGET, state: STATE, invocations: [] }).finish(),
      fields,
    ]),
  );
const raw = (number: number, value: Buffer): Buffer =>
  batchOf(Buffer.concat([field(number, value), field(3, Buffer.alloc(0))]));
const ordinary = (n: number): Buffer => Buffer.from(Transaction.encode(transaction(n, 200)).finish());

/** Kinds that attack one thing each: a layer of the encoding, a bound, or a name. */
const NEW_KINDS = () => [
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
  { name: "unknown fields of the envelope", bytes: raw(7, Buffer.alloc(MAX - 200, 0x41)) },
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
    bytes: call(times(500, (n) => valued(`${n}`.padEnd(16_200, "x"), Buffer.alloc(0)))),
  },
  {
    name: "another short type name for each message",
    bytes: call(times(16_000, (n) => valued(`${n}`.padEnd(400, "x"), Buffer.alloc(0)))),
  },
  {
    name: "type names that are not UTF-8",
    bytes: batchOf(Buffer.concat(times(500, () => field(3, field(2, field(1, Buffer.alloc(16_000, 0xff))))))),
  },
  {
    name: "packed numbers",
    bytes: stateful(transactions(300), "account-counter", [
      stateOf("account", "AccountState", field(6, field(2, Buffer.alloc(MAX_STATE - 100, 1)))),
    ]),
  },
  {
    name: "numbers of ten bytes",
    bytes: stateful(transactions(300), "account-counter", [
      stateOf("account", "AccountState", field(6, field(1, filled("ffffffffffffffffff01", MAX_STATE - 100)))),
    ]),
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
    bytes: stateful(
      [EMPTY],
      "account-counter",
      times(1_024, (n) => stateOf(`s${n}`.padEnd(7_000, "x"), "", Buffer.alloc(900))),
    ),
  },
  {
    name: "a verdict for each byte",
    bytes: stateful(transactions(300), "account-counter", [
      stateOf("account", "AccountState", filled("4200", MAX_STATE)),
    ]),
  },
  {
    name: "sources again and again",
    bytes: stateful(transactions(300), "account-counter", [
      stateOf("account", "AccountState", filled("5a021001", MAX_STATE)),
    ]),
  },
  {
    name: "a scorer's transactions that wait",
    bytes: stateful(times(300, scoringRequest), "transaction-scorer", [
      stateOf("scorer", "ScorerState", filled("12021200", MAX_STATE)),
    ]),
  },
  {
    name: "suspicions at the alerter",
    bytes: stateful(
      times(16_000, (n) =>
        valued(
          "SuspiciousDecision",
          Buffer.concat([field(1, ordinary(n)), Buffer.from("1001", "hex"), filled("2200", 150)]),
        ),
      ),
      "alerter",
      [stateOf("alerter", "AlerterState", Buffer.alloc(0))],
    ),
  },
];
const MANY_CALLS = () => [
  {
    name: "many calls: of unknown fields in a state",
    bytes: calls(
      1_200,
      stateful(transactions(1), "account-counter", [stateOf("account", "AccountState", unknownFields(6_100))]),
    ),
  },
  {
    name: "many calls: of unknown fields in messages",
    bytes: calls(250, call([valued("Transaction", unknownFields(32_000))])),
  },
  {
    name: "many calls: of an id as long as may be",
    bytes: calls(500, call([EMPTY], { ...TARGET, id: "x".repeat(16_384) })),
  },
  {
    name: "many calls: of four empty messages to an id as long as may be",
    bytes: calls(
      500,
      call(
        times(4, () => EMPTY),
        { ...TARGET, id: "x".repeat(16_384) },
      ),
    ),
  },
  {
    name: "many calls: to functions that nobody knows",
    bytes: calls(4_096, call([EMPTY], { ...TARGET, type: "x".repeat(1_900) })),
  },
  { name: "many calls: that cannot be read", bytes: calls(4_096, Buffer.alloc(2_000, 0xff)) },
  {
    name: "many calls: without their states",
    bytes: calls(
      4_096,
      Buffer.from(
        ToFunction.encode({
          request: { $case: "invocation", value: { target: TARGET, invocations: [message(1_900)], state: [] } },
        }).finish(),
      ),
    ),
  },
  { name: "many calls: of one transaction each", bytes: calls(4_096, call(transactions(1, 1_800))) },
  {
    name: "many calls: of states of a window",
    bytes: calls(
      60,
      stateful(transactions(3), "account-counter", [stateOf("account", "AccountState", window(6, MAX_STATE))]),
    ),
  },
  { name: "many calls: of largest messages", bytes: calls(300, call(transactions(1, 26_000))) },
  {
    name: "many calls: one frame without an end",
    bytes: Buffer.concat([Buffer.of(1, 0x7f, 0xff, 0xff, 0xff), Buffer.alloc(MAX - 5)]),
  },
];

/** What is not in a body: heads, chunks, and requests in one go. */
const rawRequests = (path: string, query: string, more: string, maxBytes: number): HostileRequest[] => {
  const chunked = (host: string): string =>
    `POST ${path} HTTP/1.1\r\n${host}content-type: application/json\r\n${more}transfer-encoding: chunked\r\n\r\n`;
  const get = (target: string, headers: string) => (host: string) => `GET ${target} HTTP/1.1\r\n${host}${headers}\r\n`;
  const kinds: Readonly<Record<string, (host: string) => string>> = {
    "chunks of a byte": (host) => chunked(host) + "1\r\nx\r\n".repeat(300_000),
    "chunks of 2,048 bytes": (host) =>
      `${chunked(host)}${`800\r\n${"x".repeat(2_048)}\r\n`.repeat(maxBytes / 2_048)}0\r\n\r\n`,
    "extensions of chunks": (host) => chunked(host) + `1;${"e".repeat(15_000)}\r\nx\r\n`.repeat(60),
    "headers after the chunks": (host) => `${chunked(host)}2\r\n{}\r\n0\r\n${"x: y\r\n".repeat(100_000)}`,
    "a long path": get(`/${"a".repeat(15_000)}`, ""),
    "a path that is too long": get(`/${"%41".repeat(100_000)}`, ""),
    "a path of percent signs": get(`${query}/${"%".repeat(15_000)}`, ""),
    "very many parameters": get(`${query}?${"a=1&".repeat(3_800)}`, ""),
    "nested parameters": get(`${query}?a${"[b]".repeat(5_000)}=1`, ""),
    "very many headers": get("/healthz", "a:b\r\n".repeat(2_900)),
    "a header again and again": get("/healthz", "cookie:b\r\n".repeat(1_500)),
    "very many cookies": get(query, `cookie: ${"a=b; ".repeat(3_000)}\r\n`),
    "a long token": get(query, `authorization: Bearer ${"x".repeat(15_000)}\r\n`),
    "two thousand requests in one go": (host) => get("/nothing", "")(host).repeat(2_000),
    "two thousand refused bodies in one go": (host) =>
      `POST ${path} HTTP/1.1\r\n${host}content-type: application/json\r\n${more}content-length: 2\r\n\r\n{}`.repeat(
        2_000,
      ),
    "no HTTP": () => "\u0000".repeat(1_000_000),
  };
  return Object.entries(kinds).map(([name, raw]) => ({ name, path, headers: {}, bytes: Buffer.alloc(0), raw }));
};
/** Compressed bodies that are large, or are not what they say. */
const compressed = (maxBytes: number) => {
  const gzip = (name: string, bytes: Buffer, coding = "gzip") => ({ name, bytes, coding });
  return [
    gzip("compressed: zeros", gzipSync(Buffer.alloc(50 * 2 ** 20))),
    gzip("compressed twice: zeros", gzipSync(gzipSync(Buffer.alloc(200 * 2 ** 20))), "gzip, gzip"),
    gzip("compressed: very many times nothing", Buffer.concat(times(Math.floor(maxBytes / 20), () => gzipSync("")))),
    gzip("compressed: cut off", gzipSync(Buffer.alloc(maxBytes, "abcdefgh")).subarray(0, -9)),
    gzip("compressed with Brotli: zeros", brotliCompressSync(Buffer.alloc(50 * 2 ** 20)), "br"),
    gzip("not compressed at all", Buffer.alloc(maxBytes, 0x5b), "br"),
  ];
};

/** Made anew at each call. */
export const REQUESTS: Readonly<Record<HostileServer, () => readonly HostileRequest[]>> = {
  intake: () =>
    hostileBodies()
      .map(({ name, lines, bytes }): HostileRequest => {
        const headers = { "content-type": lines ? "application/x-ndjson" : "application/json" };
        return { name, path: "/v1/transactions", headers, bytes };
      })
      .concat(
        compressed(MAX_BODY_BYTES).map(({ name, bytes, coding }) => ({
          name,
          path: "/v1/transactions",
          headers: { "content-type": "application/json", "content-encoding": coding },
          bytes,
        })),
        rawRequests("/v1/transactions", "/v1/accounts/a/decisions/t", "", MAX_BODY_BYTES),
      ),
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
      ...NEW_KINDS(),
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
          ...MANY_CALLS(),
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
    ]
      .map(({ name, text }): HostileRequest => ({
        name,
        path: "/api/verdicts",
        headers: OWN_ACTION,
        bytes: Buffer.from(text),
      }))
      .concat(
        compressed(DASHBOARD_BYTES).map(({ name, bytes, coding }) => ({
          name,
          path: "/api/verdicts",
          headers: { ...OWN_ACTION, "content-encoding": coding },
          bytes,
        })),
        rawRequests("/api/verdicts", "/api/state", "x-dashboard-action: 1\r\n", DASHBOARD_BYTES),
      ),
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
