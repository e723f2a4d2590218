import { BinaryWriter } from "@bufbuild/protobuf/wire";

import { LIMITS } from "../../contract/limits.js";
import { hostileBodies } from "../../intake/http/testing/hostile-bodies.js";
import {
  ToFunction,
  type ToFunction_Invocation,
  ToFunction_InvocationBatchRequest,
} from "../../statefun/gen/io/statefun/reqreply.js";

/** The servers that are attacked. */
export const HOSTILE_SERVERS = ["intake", "functions", "dashboard"] as const;
export type HostileServer = (typeof HOSTILE_SERVERS)[number];

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
    ].map((request) => ({ ...request, path: "/statefun", headers: { "content-type": "application/octet-stream" } })),
  dashboard: () =>
    [
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
