import type { IHeaders } from "kafkajs";

import { Random } from "../../ingress-generator/random.js";
import { Alert } from "../../protos/gen/fraud/v1/evidence.js";
import { FraudLabel, Transaction, Verdict } from "../../protos/gen/fraud/v1/transaction.js";
import { Any } from "../../protos/gen/google/protobuf/any.js";

export type FuzzedKind = "transaction" | "label";

/** A record for a public topic, and what must become of it. */
export interface HostileRecord {
  readonly kind: FuzzedKind;
  /** What was done to it, for reports. */
  readonly name: string;
  /** `undefined` where chance decides, as when bits are flipped. */
  readonly expected: "valid" | "rejected" | undefined;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: IHeaders;
  /**
   * Records of one account that are sent in order, as a client with one key sends them: a repetition comes soon after
   * its original.
   */
  readonly account?: string;
}

/** The broker's limit for a batch of one record, minus what a batch adds to it. */
const LARGEST_VALUE_BYTES = 1_048_588 - 200;

const DAY_MS = 86_400_000;
const BURST_RECORDS = 200;
const ACCOUNTS = 200;
/**
 * Repeats and conflicts are drawn from this many last records: an account recognises its last few dozen transactions.
 */
const REMEMBERED = 200;
const MERCHANTS = 40;

type JsonObject = Record<string, unknown>;
type Change = readonly [name: string, change: (json: JsonObject, random: Random) => void];

const set =
  (field: string, value: unknown) =>
  (json: JsonObject): void => {
    json[field] = value;
  };

/** Fields that both kinds have; each change must be refused. */
const BAD_COMMON: readonly Change[] = [
  ["account missing", (json) => delete json["accountId"]],
  ["account empty", set("accountId", "")],
  ["account null", set("accountId", null)],
  ["account a number", set("accountId", 17)],
  ["account of 10,000 characters", set("accountId", "x".repeat(10_000))],
  ["account with a control character", set("accountId", "a\u0000b")],
  ["account with a lone surrogate", set("accountId", "a\ud800")],
  ["account with a direction override", set("accountId", "a\u202eb")],
  ["account with a replacement character", set("accountId", "M\ufffdller")],
  ["account under both names", (json) => (json["account_id"] = json["accountId"])],
  ["account of white space", set("accountId", " \t")],
  ["merchant missing", (json) => delete json["merchantId"]],
  ["time missing", (json) => delete json["eventTimeMs"]],
  ["time in 1970", set("eventTimeMs", 86_400_000)],
  ["time in seconds", (json) => (json["eventTimeMs"] = Math.floor(Number(json["eventTimeMs"]) / 1000))],
  ["time in microseconds", (json) => (json["eventTimeMs"] = String(BigInt(Number(json["eventTimeMs"])) * 1000n))],
  ["time in 2200", set("eventTimeMs", 7_258_118_400_000)],
  ["time negative", set("eventTimeMs", -1)],
  ["time a fraction", (json) => (json["eventTimeMs"] = Number(json["eventTimeMs"]) + 0.5)],
  ["time a date", set("eventTimeMs", "2026-01-01T00:00:00Z")],
  ["extra field", set("extra", true)],
  ["prototype", set("__proto__x", {})],
  ["deep nesting", set("location", nested(200))],
];
const BAD_TRANSACTION: readonly Change[] = [
  ...BAD_COMMON,
  ["amount missing", (json) => delete json["amountMinor"]],
  ["amount negative", set("amountMinor", -1)],
  ["amount enormous", set("amountMinor", "999999999999999999")],
  ["amount beyond doubles", set("amountMinor", 1e300)],
  ["amount a fraction", set("amountMinor", 10.5)],
  ["amount not a number", set("amountMinor", "NaN")],
  ["currency unknown", set("currency", "QQQ")],
  ["currency in lower case", set("currency", "eur")],
  ["currency of gold", set("currency", "XAU")],
  ["latitude beyond the pole", set("location", { latitudeE6: 90_000_001, longitudeE6: 0 })],
  ["location a string", set("location", "Lisbon")],
  ["name too long", set("merchantName", "é".repeat(200))],
];
const BAD_LABEL: readonly Change[] = [
  ...BAD_COMMON,
  ["transaction missing", (json) => delete json["transactionId"]],
  ["verdict unknown", set("verdict", "MAYBE")],
  ["verdict missing", (json) => delete json["verdict"]],
  ["revision zero", set("revision", 0)],
  ["revision enormous", set("revision", 4_000_000_000)],
];
/** Odd but valid. */
const GOOD: readonly Change[] = [
  ["amount zero", (json) => json["amountMinor"] !== undefined && (json["amountMinor"] = 0)],
  [
    "amount of rials",
    (json) => json["amountMinor"] !== undefined && Object.assign(json, { amountMinor: 1e15, currency: "IRR" }),
  ],
  [
    "replacement character in a name",
    (json) => (json[json["amountMinor"] === undefined ? "analyst" : "merchantName"] = "Caf\ufffd"),
  ],
  ["account right to left", set("accountId", "חשבון-١٧")],
  ["account of emoji", set("accountId", "👩‍👩‍👧‍👦💳")],
  ["numbers in strings", (json) => (json["eventTimeMs"] = String(json["eventTimeMs"]))],
  [
    "names from the proto file",
    (json) => {
      json["account_id"] = json["accountId"];
      delete json["accountId"];
    },
  ],
];

function nested(depth: number): unknown {
  let value: unknown = {};
  for (let n = 0; n < depth; n++) value = { location: value };
  return value;
}

/**
 * An endless, seeded stream of records as a hostile world would send them: valid ones, valid ones in odd forms, every
 * kind of broken one, repeats and conflicts of earlier ones, bursts of one account and one merchant, and noise.
 *
 * @param runId - begins ids, so that no run meets another
 * @param nowMs - event times lie before it
 */
export function* hostileRecords({
  seed,
  runId,
  nowMs,
}: {
  readonly seed: number;
  readonly runId: string;
  readonly nowMs: number;
}): Generator<HostileRecord, never> {
  const random = new Random(seed);
  const earlier: JsonObject[] = [];
  let next = 0;
  let burst = 0;
  for (;;) {
    const kind: FuzzedKind = random.chance(0.2) ? "label" : "transaction";
    const json = goodJson(kind, runId, ++next, random, nowMs);
    if (burst > 0) {
      burst--;
      yield {
        ...asRecord("transaction", goodJson("transaction", `${runId}-burst`, next, random, nowMs, true), random),
        name: "burst",
        expected: "valid",
      };
      continue;
    }
    const choice = random.fraction();
    if (choice < 0.000_5) {
      burst = BURST_RECORDS;
    } else if (choice < 0.25) {
      if (kind === "transaction") earlier.push(json);
      if (earlier.length > REMEMBERED) earlier.shift();
      yield { ...asRecord(kind, json, random), name: "good", expected: "valid", account: String(json["accountId"]) };
    } else if (choice < 0.3) {
      const [name, change] = random.pick(GOOD);
      change(json, random);
      yield { ...asJson(kind, json, random), name, expected: "valid" };
    } else if (choice < 0.35 && earlier.length > 0) {
      const repeated = { ...random.pick(earlier) };
      const conflict = random.chance(0.5);
      if (conflict) repeated["amountMinor"] = Number(repeated["amountMinor"]) + 1;
      yield {
        ...asRecord("transaction", repeated, random),
        name: conflict ? "conflict" : "repeat",
        expected: "valid",
        account: String(repeated["accountId"]),
      };
    } else if (choice < 0.38) {
      delete json[kind === "transaction" ? "transactionId" : "labelId"];
      yield { ...asJson(kind, json, random), name: "no id", expected: "valid" };
    } else if (choice < 0.7) {
      const [name, change] = random.pick(kind === "transaction" ? BAD_TRANSACTION : BAD_LABEL);
      change(json, random);
      yield { ...asJson(kind, json, random), name, expected: "rejected" };
    } else if (choice < 0.85) {
      yield broken(kind, json, random);
    } else {
      yield mutated(kind, json, random);
    }
  }
}

/** As large as the broker takes, and larger: sent separately, since the broker refuses the whole request. */
export function oversized(random: Random): { readonly atLimit: HostileRecord; readonly beyond: HostileRecord } {
  const record = (name: string, bytes: number): HostileRecord => ({
    kind: random.chance(0.5) ? "transaction" : "label",
    name,
    expected: "rejected",
    key: null,
    headers: {},
    value: Buffer.alloc(bytes, "{"),
  });
  return {
    atLimit: record("at the broker's limit", LARGEST_VALUE_BYTES),
    beyond: record("beyond the broker's limit", LARGEST_VALUE_BYTES + 1_000),
  };
}

function goodJson(
  kind: FuzzedKind,
  runId: string,
  n: number,
  random: Random,
  nowMs: number,
  burst = false,
): JsonObject {
  const accountId = burst ? runId : `${runId}-a${random.int(1, ACCOUNTS)}`;
  const merchantId = burst ? `${runId}-m` : `${runId}-m${random.int(1, MERCHANTS)}`;
  const eventTimeMs = nowMs - random.int(0, 30 * DAY_MS);
  if (kind === "label")
    return {
      labelId: `${runId}-l${n}`,
      accountId,
      transactionId: `${runId}-t${random.int(1, n)}`,
      merchantId,
      verdict: random.pick(["FRAUD", "LEGITIMATE"]),
      revision: random.int(1, 3),
      eventTimeMs,
    };
  return {
    transactionId: `${runId}-t${n}`,
    accountId,
    merchantId,
    amountMinor: random.int(1, 1_000_000),
    currency: random.pick(["EUR", "USD", "JPY"]),
    eventTimeMs,
    ...(random.chance(0.5) && {
      location: {
        latitudeE6: random.int(-90_000_000, 90_000_000),
        longitudeE6: random.int(-180_000_000, 180_000_000),
        name: "somewhere",
      },
    }),
    ...(random.chance(0.5) && { merchantName: "Ünïcode & Söns" }),
  };
}

const asRecord = (kind: FuzzedKind, json: JsonObject, random: Random): Omit<HostileRecord, "name" | "expected"> =>
  random.chance(0.5) ? asJson(kind, json, random) : asProtobuf(kind, json, random);

const keyOf = (json: JsonObject, random: Random): Buffer | null =>
  random.pick<() => Buffer | null>([
    () => null,
    () => Buffer.from(String(json["accountId"])),
    () => Buffer.alloc(0),
    () => Buffer.from("another key"),
    () => Buffer.from([0xff, 0xfe, 0x00]),
  ])();

function asJson(kind: FuzzedKind, json: JsonObject, random: Random): Omit<HostileRecord, "name" | "expected"> {
  const text = JSON.stringify(json, undefined, random.chance(0.1) ? 2 : undefined);
  const dressed = random.pick([text, text, text, ` ${text}\n`, `\ufeff${text}`]);
  return {
    kind,
    key: keyOf(json, random),
    value: Buffer.from(dressed),
    headers: random.pick<IHeaders>([
      {},
      {},
      { "content-type": "application/json" },
      { "Content-Type": "application/json; charset=utf-8", trace: "17" },
    ]),
  };
}

function encode(kind: FuzzedKind, json: JsonObject): Buffer {
  const times = { eventTimeMs: BigInt(json["eventTimeMs"] as number) };
  if (kind === "label")
    return Buffer.from(
      FraudLabel.encode(
        FraudLabel.fromPartial({
          ...json,
          ...times,
          effectiveAtMs: times.eventTimeMs,
          verdict: json["verdict"] === "FRAUD" ? Verdict.FRAUD : Verdict.LEGITIMATE,
        }),
      ).finish(),
    );
  return Buffer.from(
    Transaction.encode(
      Transaction.fromPartial({ ...json, ...times, amountMinor: BigInt(json["amountMinor"] as number) }),
    ).finish(),
  );
}

const asProtobuf = (kind: FuzzedKind, json: JsonObject, random: Random): Omit<HostileRecord, "name" | "expected"> => ({
  kind,
  key: keyOf(json, random),
  value: encode(kind, json),
  headers: random.pick<IHeaders>([
    {},
    {},
    { "content-type": "application/x-protobuf" },
    { "content-type": "application/vnd.google.protobuf" },
  ]),
});

/** Broken as a whole: always refused. */
function broken(kind: FuzzedKind, json: JsonObject, random: Random): HostileRecord {
  const bytes = encode(kind, json);
  const record = (name: string, value: Buffer | null, headers: IHeaders = {}): HostileRecord => ({
    kind,
    name,
    expected: "rejected",
    key: keyOf(json, random),
    value,
    headers,
  });
  return random.pick<() => HostileRecord>([
    () => record("tombstone", null),
    () => record("empty", Buffer.alloc(0)),
    () =>
      record("truncated protobuf", bytes.subarray(0, bytes.length - 1), { "content-type": "application/x-protobuf" }),
    () => record("over-long protobuf", Buffer.concat([bytes, Buffer.alloc(8)])),
    () =>
      record(
        "another message",
        Buffer.from(
          Alert.encode(Alert.fromPartial({ alertId: "a/1", accountId: "a", alertSeq: 1n, episode: 1n })).finish(),
        ),
      ),
    () =>
      record(
        "an Any of a transaction",
        Buffer.from(Any.encode({ typeUrl: `type.googleapis.com/${Transaction.$type}`, value: bytes }).finish()),
      ),
    () =>
      record(
        "the other kind",
        encode(kind === "transaction" ? "label" : "transaction", {
          ...json,
          amountMinor: 1,
          transactionId: "t",
          labelId: "l",
          revision: 1,
        }),
        { "content-type": "application/x-protobuf" },
      ),
    () => record("an id that is not UTF-8", Buffer.concat([bytes, Buffer.from([0x12, 3, 0xff, 0xfe, 0x41])])),
    () => record("truncated JSON", Buffer.from(JSON.stringify(json).slice(0, -5))),
    () =>
      record(
        "JSON that is not UTF-8",
        Buffer.concat([Buffer.from('{"accountId":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]),
      ),
    () => record("a key twice", Buffer.from(`${JSON.stringify(json).slice(0, -1)},"merchantId":"another"}`)),
    () =>
      record("a key twice, escaped", Buffer.from(`${JSON.stringify(json).slice(0, -1)},"\\u006derchantId":"another"}`)),
    () => record("NaN in JSON", Buffer.from(`${JSON.stringify(json).slice(0, -1)},"amountMinor":NaN}`)),
    () => record("an array", Buffer.from(`[${JSON.stringify(json)}]`), { "content-type": "application/json" }),
    () => record("another content type", Buffer.from(JSON.stringify(json)), { "content-type": "text/xml" }),
    () =>
      record("JSON called protobuf", Buffer.from(JSON.stringify(json)), { "content-type": "application/x-protobuf" }),
    () => record("thousands of levels", Buffer.from(`${'{"a":'.repeat(1_300)}1${"}".repeat(1_300)}`)),
    () =>
      record(
        "more bytes than a record may have",
        Buffer.from(JSON.stringify({ ...json, merchantName: "x".repeat(20_000) })),
      ),
    () =>
      record(
        "an unknown field of many bytes",
        Buffer.concat([bytes, Buffer.from([0xf2, 0x07, 0x80, 0x80, 0x01]), Buffer.alloc(16_384)]),
      ),
  ])();
}

/** Randomly changed bytes: whatever they have become, they must be found in exactly one place. */
function mutated(kind: FuzzedKind, json: JsonObject, random: Random): HostileRecord {
  const { value, ...record } = asRecord(kind, json, random);
  const bytes = Buffer.from(value!);
  const name = random.pick(["flipped bits", "bytes removed", "bytes inserted", "noise"]);
  const at = random.int(0, bytes.length - 1);
  const result = {
    "flipped bits": () => flipped(bytes, random),
    "bytes removed": () => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.int(1, 8))]),
    "bytes inserted": () => Buffer.concat([bytes.subarray(0, at), noise(random, 8), bytes.subarray(at)]),
    noise: () => noise(random, 300),
  }[name]!();
  return { ...record, name, expected: undefined, value: result };
}

function flipped(bytes: Buffer, random: Random): Buffer {
  for (let n = random.int(1, 4); n > 0; n--) bytes[random.int(0, bytes.length - 1)]! ^= 1 << random.int(0, 7);
  return bytes;
}

const noise = (random: Random, most: number): Buffer =>
  Buffer.from(Array.from({ length: random.int(1, most) }, () => random.int(0, 255)));
