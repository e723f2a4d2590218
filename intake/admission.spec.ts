import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { contentHash } from "../contract/content-hash.js";
import { transactionProblem } from "../functions/account-counter/validation.js";
import { FraudLabel, Transaction, Verdict } from "../protos/gen/fraud/v1/transaction.js";
import { admit, type Admitted, type InputKind } from "./admission.js";
import { reasonName, RefusedError } from "./problem.js";

const NOW_MS = 1_800_000_000_000;
const clock = { nowMs: NOW_MS, maxAheadMs: 300_000 };
const origin = { topic: "transactions", partition: 2, offset: 17n };

const transaction = {
  transactionId: "t",
  accountId: "a",
  merchantId: "m",
  amountMinor: 1999,
  currency: "EUR",
  eventTimeMs: NOW_MS - 1000,
};
const label = {
  labelId: "l",
  accountId: "a",
  transactionId: "t",
  merchantId: "m",
  verdict: "FRAUD",
  eventTimeMs: NOW_MS - 1000,
};
const protobuf = (fields: Partial<Transaction> = {}): Buffer =>
  Buffer.from(
    Transaction.encode(
      Transaction.fromPartial({ ...transaction, amountMinor: 1999n, eventTimeMs: BigInt(NOW_MS - 1000), ...fields }),
    ).finish(),
  );
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

const take = (kind: InputKind, bytes: Uint8Array, contentType?: string): Admitted =>
  admit(kind, bytes, contentType, { origin }, clock);
const taken = (bytes: Uint8Array, contentType?: string): Transaction =>
  Transaction.decode(take("transaction", bytes, contentType).value);
function refused(bytes: Uint8Array, contentType?: string, kind: InputKind = "transaction"): string {
  try {
    take(kind, bytes, contentType);
    return "admitted";
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return `${reasonName(error.reason)} ${error.field}`.trim();
  }
}

describe("a transaction", () => {
  it("comes out the same from JSON and from protobuf, stamped", () => {
    const fromJson = taken(json(transaction));
    expect(fromJson).toEqual(taken(protobuf()));
    expect(fromJson.origin).toMatchObject(origin);
    expect(fromJson.contentHash).toEqual(contentHash(fromJson));
  });

  it("is keyed by its account", () => {
    expect(take("transaction", json(transaction))).toMatchObject({ accountId: "a", id: "t" });
  });

  it("gets an id from its origin when it has none", () => {
    expect(taken(json({ ...transaction, transactionId: undefined })).transactionId).toBe("transactions-2-17");
    expect(taken(protobuf({ transactionId: "" })).transactionId).toBe("transactions-2-17");
  });

  it("gets an id from its origin that names the log, so that a topic that was made again gives different ids", () => {
    const idIn = (log: { topicId?: Buffer; leaderEpoch?: number }) =>
      admit(
        "transaction",
        json({ ...transaction, transactionId: undefined }),
        undefined,
        { origin: { ...origin, ...log } },
        clock,
      ).id;
    const topicId = Buffer.from("wdJ9Uo8hS0mKq0F3X0n7Xg", "base64url");
    expect(idIn({ topicId, leaderEpoch: 5 })).toBe("transactions-2-17@wdJ9Uo8hS0mKq0F3X0n7Xg.5");
    expect(
      new Set([
        idIn({}),
        idIn({ topicId, leaderEpoch: 5 }),
        idIn({ topicId, leaderEpoch: 6 }),
        idIn({ topicId: Buffer.alloc(16, 7), leaderEpoch: 5 }),
      ]).size,
    ).toBe(4);
  });

  it("loses what only the intake may stamp, and keeps the fields of a newer version", () => {
    const forged = Buffer.concat([
      protobuf({
        origin: { topic: "x", partition: 9, offset: 9n, topicId: Buffer.alloc(16, 0xff), leaderEpoch: 3 },
        contentHash: Buffer.from("forged"),
        modelHash: Buffer.alloc(32, 1),
        challengerHash: Buffer.alloc(32, 2),
      }),
      Buffer.from([0xa2, 0x06, 0x03, 0x6e, 0x65, 0x77]),
    ]);
    const stamped = taken(forged);
    expect(stamped.origin).toMatchObject({ ...origin, topicId: undefined, leaderEpoch: undefined });
    expect(stamped.contentHash).toEqual(contentHash(stamped));
    expect(stamped.modelHash).toHaveLength(0);
    expect(stamped.challengerHash).toHaveLength(0);
    expect(Object.values(stamped._unknownFields ?? {})).toHaveLength(1);
  });

  it("may use protobuf's other JSON: names from the proto file, integers in strings, null for nothing", () => {
    const { accountId, eventTimeMs, ...rest } = transaction;
    expect(
      taken(
        json({
          ...rest,
          account_id: accountId,
          event_time_ms: String(eventTimeMs),
          amountMinor: "1999",
          location: null,
          merchantName: null,
        }),
      ),
    ).toEqual(taken(json(transaction)));
    const location = { latitudeE6: 1, longitudeE6: -2, name: "x" };
    expect(taken(json({ ...transaction, location: { latitude_e6: 1, longitude_e6: -2, name: "x" } }))).toEqual(
      taken(json({ ...transaction, location })),
    );
  });

  it.each([
    { what: "by content", bytes: json(transaction), type: undefined },
    {
      what: "with white space around it",
      bytes: Buffer.from(`\n\t ${JSON.stringify(transaction, undefined, 2)}\r\n`),
      type: undefined,
    },
    {
      what: "with a byte order mark",
      bytes: Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), json(transaction)]),
      type: undefined,
    },
    { what: "by a header with a suffix", bytes: json(transaction), type: "application/x+json" },
    {
      what: "by a header with a suffix and more",
      bytes: json(transaction),
      type: 'application/vnd.bank.v2+JSON ; charset="UTF-8"',
    },
    { what: "by a header of another kind with a suffix", bytes: json(transaction), type: "text/x.shop+json" },
    { what: "by header", bytes: json(transaction), type: "Application/JSON; charset=utf-8" },
    { what: "protobuf by header", bytes: protobuf(), type: "application/x-protobuf" },
    { what: "protobuf by Google's header", bytes: protobuf(), type: "application/vnd.google.protobuf" },
    {
      what: "protobuf whose id has as many bytes as a brace",
      bytes: protobuf({ transactionId: "x".repeat(0x7b) }),
      type: undefined,
    },
  ])("is read $what", ({ bytes, type }) => {
    expect(taken(bytes, type).accountId).toBe("a");
  });

  const without = (field: keyof typeof transaction) => json({ ...transaction, [field]: undefined });
  const withText = (text: string, other: string) => Buffer.from(JSON.stringify(transaction).replace(text, other));
  const withField = (field: string, value: unknown) => json({ ...transaction, [field]: value });
  it.each([
    ["EMPTY", Buffer.alloc(0)],
    ["TOO_LARGE", Buffer.alloc(9_000, 0x20)],
    ["CONTENT_TYPE", json(transaction), "text/plain"],
    ["CONTENT_TYPE", json(transaction), "application/x-ndjson"],
    ["CONTENT_TYPE", json(transaction), "application/jsonx"],
    ["CONTENT_TYPE", json(transaction), "+json"],
    ["UNREADABLE", Buffer.from("hello")],
    ["UNREADABLE", json(transaction).subarray(0, 40)],
    ["UNREADABLE", json([transaction]), "application/json"],
    ["UNREADABLE", Buffer.from('{"amountMinor":NaN}')],
    ["UNREADABLE", json(transaction), "application/x-protobuf"],
    ["UNREADABLE", protobuf().subarray(0, 20)],
    // A number of more digits than 64 bits can hold.
    ["UNREADABLE", Buffer.concat([protobuf(), Buffer.from([0x30, ...Array.from({ length: 11 }, () => 0xff), 1])])],
    ["UNREADABLE", Buffer.concat([protobuf(), Buffer.alloc(1)])],
    ["ENCODING", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
    ["ENCODING accountId", withField("accountId", "a\ud800")],
    ["ENCODING accountId", Buffer.concat([protobuf(), Buffer.from([0x12, 0x01, 0xff])])],
    ["ENCODING accountId", withField("accountId", "M\ufffdller")],
    ["ENCODING transactionId", protobuf({ transactionId: "\ufffd" })],
    ["ENCODING merchantId", withText('"m"', '"\\ufffd"')],
    ["ENCODING merchantName", withField("merchantName", "\udc00")],
    ["ENCODING merchantName", Buffer.concat([protobuf(), Buffer.from([0x42, 0x02, 0xc3, 0x28])])],
    ["ENCODING merchantName", Buffer.concat([protobuf(), Buffer.from([0x42, 0x03, 0xed, 0xa0, 0x80])])],
    ["ENCODING location.name", Buffer.concat([protobuf(), Buffer.from([0x3a, 0x03, 0x1a, 0x01, 0xff])])],
    ["MISSING_FIELD accountId", without("accountId")],
    ["MISSING_FIELD accountId", withField("accountId", "")],
    ["MISSING_FIELD merchantId", without("merchantId")],
    ["MISSING_FIELD amountMinor", without("amountMinor")],
    ["MISSING_FIELD currency", without("currency")],
    ["MISSING_FIELD eventTimeMs", without("eventTimeMs")],
    ["MISSING_FIELD location.longitudeE6", withField("location", { latitudeE6: 1 })],
    ["UNKNOWN_FIELD amount", withField("amount", 1)],
    ["UNKNOWN_FIELD location.city", withField("location", { latitudeE6: 1, longitudeE6: 1, city: "x" })],
    ["UNKNOWN_FIELD account__id", withField("account__id", "x")],
    ["DUPLICATE_FIELD accountId", withField("account_id", "twice")],
    ["DUPLICATE_FIELD accountId", withField("account_id", null)],
    ["DUPLICATE_FIELD location.latitudeE6", withField("location", { latitudeE6: 1, latitude_e6: 1, longitudeE6: 1 })],
    ["DUPLICATE_FIELD amountMinor", withText('"amountMinor":1999', '"amountMinor":1999,"amountMinor":1999')],
    [
      "DUPLICATE_FIELD amountMinor",
      withText('"amountMinor":1999', '"amountMinor":1999,"\\u0061mountMinor":5'),
      "application/json",
    ],
    [
      "DUPLICATE_FIELD location.name",
      withText('"currency"', '"location":{"latitudeE6":1,"longitudeE6":1,"name":"a","name":"b"},"currency"'),
    ],
    // With a field that does not exist, too: one of the two faults is named.
    ["DUPLICATE_FIELD x", withText("{", '{"x":{},"x":{},')],
    ["WRONG_TYPE accountId", withField("accountId", 17)],
    ["WRONG_TYPE amountMinor", withField("amountMinor", 19.99)],
    ["WRONG_TYPE amountMinor", Buffer.from(JSON.stringify(transaction).replace("1999", "1e400"))],
    ["WRONG_TYPE amountMinor", withField("amountMinor", "twenty")],
    ["WRONG_TYPE eventTimeMs", withField("eventTimeMs", "2026-01-01T00:00Z")],
    ["WRONG_TYPE location", withField("location", "Lisbon")],
    ["WRONG_TYPE location.latitudeE6", withField("location", { latitudeE6: 1e12, longitudeE6: 1 })],
    [
      "WRONG_TYPE amountMinor",
      Buffer.from(
        FraudLabel.encode(
          FraudLabel.fromPartial({ labelId: "l", accountId: "a", transactionId: "t", merchantId: "m" }),
        ).finish(),
      ),
    ],
    ["INVALID_VALUE amountMinor", withField("amountMinor", -1)],
    ["INVALID_VALUE amountMinor", withField("amountMinor", "1000000000000001")],
    ["INVALID_VALUE currency", withField("currency", "EURO")],
    ["INVALID_VALUE currency", withField("currency", "eur")],
    ["INVALID_VALUE currency", withField("currency", "XXX")],
    ["INVALID_VALUE currency", withField("currency", "constructor")],
    ["INVALID_VALUE eventTimeMs", withField("eventTimeMs", 1_800_000_000)],
    ["INVALID_VALUE eventTimeMs", withField("eventTimeMs", -5)],
    ["TIME_AHEAD eventTimeMs", withField("eventTimeMs", NOW_MS + 300_001)],
    ["TIME_AHEAD eventTimeMs", withField("eventTimeMs", NOW_MS * 1000)],
    ["INVALID_VALUE location.latitudeE6", withField("location", { latitudeE6: 90_000_001, longitudeE6: 0 })],
    ["INVALID_VALUE location.longitudeE6", withField("location", { latitudeE6: 0, longitudeE6: -180_000_001 })],
    ["INVALID_VALUE accountId", withField("accountId", "x".repeat(129))],
    ["INVALID_VALUE accountId", withField("accountId", " a")],
    ["INVALID_VALUE accountId", withField("accountId", "a\u0000")],
    ["INVALID_VALUE accountId", withField("accountId", "a\u202eb")],
    ["INVALID_VALUE merchantName", withField("merchantName", "é".repeat(129))],
  ])("is refused as %s", (expected, bytes, type?: string) => {
    expect(refused(bytes, type)).toBe(expected);
  });

  it.each(["חשבון-١٧", "👩‍👩‍👧‍👦💳", "a b", "x".repeat(128)])("may have the account id %s", (accountId) => {
    expect(taken(withField("accountId", accountId)).accountId).toBe(accountId);
  });

  it("may have replacement characters in its names, from JSON, escaped or not, and from protobuf", () => {
    const [merchantName, location] = ["Caf\ufffd", { latitudeE6: 1, longitudeE6: 1, name: "\ufffdvora" }];
    const written = withText(
      '"merchantId"',
      '"location":{"latitudeE6":1,"longitudeE6":1,"name":"\\ufffdvora"},"merchantName":"Caf\\uFFFD","merchantId"',
    );
    for (const bytes of [
      json({ ...transaction, merchantName, location }),
      protobuf({ merchantName, location }),
      written,
    ])
      expect(taken(bytes)).toMatchObject({ merchantName, location });
  });

  it.each(["VED", "SLE", "XCG", "ZWG", "JPY", "KWD", "CLF", "UYW", "MRU"])(
    "may be in %s, whatever Node's ICU knows",
    (currency) => {
      expect(taken(withField("currency", currency)).currency).toBe(currency);
    },
  );

  it("may be zero, which verifies a card, or ten million million rials", () => {
    for (const amountMinor of [0n, 1_000_000_000_000_000n]) {
      expect(taken(protobuf({ amountMinor }))).toMatchObject({ amountMinor });
      expect(taken(json({ ...transaction, amountMinor: String(amountMinor) }))).toMatchObject({ amountMinor });
      expect(taken(json({ ...transaction, amountMinor: Number(amountMinor) }))).toMatchObject({ amountMinor });
      // What the intake takes, the account counter takes.
      expect(transactionProblem(taken(protobuf({ amountMinor, currency: "IRR" })))).toBeUndefined();
    }
    expect(
      transactionProblem(Transaction.fromPartial({ ...taken(protobuf()), amountMinor: 1_000_000_000_000_001n })),
    ).toContain("amount_minor");
  });

  it("may be as far ahead as the default allows, or as an intake is told", () => {
    expect(refused(withField("eventTimeMs", NOW_MS + 300_000))).toBe("admitted");
    const later = withField("eventTimeMs", NOW_MS + 10_000_000);
    expect(admit("transaction", later, undefined, { origin }, { ...clock, maxAheadMs: 20_000_000 }).accountId).toBe(
      "a",
    );
  });

  it("that is too far ahead says by which clock, by how much, and what the cause may be", () => {
    const send = (eventTimeMs: bigint) => () =>
      take("transaction", protobuf({ eventTimeMs }), "application/x-protobuf");
    expect(send(BigInt(NOW_MS + 421_000))).toThrow(
      "eventTimeMs is 2027-01-15T08:07:01.000Z, more than 300 s ahead of the clock here, which said 2027-01-15T08:00:00.000Z: by 421 s. If the time sent is right, the clock of this machine, or of its containers, is behind (it may have slept): set it.",
    );
    expect(send(9_223_372_036_854_775_807n)).toThrow(
      "eventTimeMs is 9223372036854775807 ms since 1970, more than 300 s ahead",
    );
  });

  it("says what units a time seems to have", () => {
    expect(() => take("transaction", withField("eventTimeMs", 1_800_000_000))).toThrow("look like seconds");
    expect(() => take("transaction", withField("eventTimeMs", NOW_MS * 1000))).toThrow("look like microseconds");
  });

  it("nested hundreds deep is refused like anything else", () => {
    const deep = `${'{"location":'.repeat(500)}1${"}".repeat(500)}`;
    expect(refused(Buffer.from(JSON.stringify({ ...transaction, location: "deep" }).replace('"deep"', deep)))).toBe(
      "MISSING_FIELD location.latitudeE6",
    );
  });
});

describe("a label", () => {
  it("comes out without what only the account counter knows", () => {
    const { value } = take("label", json({ ...label, labelId: undefined }));
    expect(FraudLabel.decode(value)).toMatchObject({
      labelId: "transactions-2-17",
      revision: undefined,
      verdict: Verdict.FRAUD,
      effectiveAtMs: undefined,
      origin,
    });
    expect(
      FraudLabel.decode(take("label", json({ ...label, revision: 3, effectiveAtMs: NOW_MS - 500 })).value),
    ).toMatchObject({ revision: 3, effectiveAtMs: BigInt(NOW_MS - 500) });
    expect(FraudLabel.decode(value)).toMatchObject({ note: undefined, analyst: undefined });
  });

  it("keeps who gave the verdict and why, from JSON and from protobuf", () => {
    const { value } = take("label", json({ ...label, note: "called the customer <b>", analyst: "ada" }));
    expect(FraudLabel.decode(value)).toMatchObject({ note: "called the customer <b>", analyst: "ada" });
    expect(FraudLabel.decode(take("label", value).value)).toMatchObject({
      note: "called the customer <b>",
      analyst: "ada",
    });
    expect(
      refused(
        Buffer.from(FraudLabel.encode({ ...FraudLabel.decode(value), note: "n".repeat(1025) }).finish()),
        undefined,
        "label",
      ),
    ).toBe("INVALID_VALUE note");
  });

  it("may have replacement characters in text for people", () => {
    expect(
      FraudLabel.decode(take("label", json({ ...label, note: "said \ufffd", analyst: "J\ufffdrg" })).value),
    ).toMatchObject({ note: "said \ufffd", analyst: "J\ufffdrg" });
  });

  it.each([
    ["ENCODING labelId", { labelId: "l\ufffd" }],
    ["MISSING_FIELD verdict", { verdict: undefined }],
    ["WRONG_TYPE verdict", { verdict: "MAYBE" }],
    ["INVALID_VALUE revision", { revision: 0 }],
    ["INVALID_VALUE revision", { revision: -1 }],
    ["MISSING_FIELD effectiveAtMs", { effectiveAtMs: 0 }],
    ["MISSING_FIELD transactionId", { transactionId: undefined }],
    ["UNKNOWN_FIELD amountMinor", { amountMinor: 1 }],
    ["TIME_AHEAD effectiveAtMs", { effectiveAtMs: NOW_MS + 1e9 }],
    ["INVALID_VALUE note", { note: "é".repeat(513) }],
    ["INVALID_VALUE note", { note: "two\nlines" }],
    ["WRONG_TYPE note", { note: 7 }],
    ["INVALID_VALUE analyst", { analyst: "a".repeat(257) }],
    ["ENCODING analyst", { analyst: "\ud800" }],
  ])("is refused as %s", (expected, fields) => {
    expect(refused(json({ ...label, ...fields }), undefined, "label")).toBe(expected);
  });
});

describe("any bytes", () => {
  const kind = fc.constantFrom<InputKind>("transaction", "label");
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.json().map((text) => new TextEncoder().encode(text)),
    fc.tuple(fc.nat(100), fc.uint8Array({ minLength: 1, maxLength: 6 })).map(([at, patch]) => {
      const changed = Buffer.from(protobuf());
      changed.set(patch.slice(0, Math.max(0, changed.length - (at % changed.length))), at % changed.length);
      return changed;
    }),
  );

  it("are either admitted or refused", () => {
    fc.assert(
      fc.property(
        kind,
        bytes,
        fc.option(fc.constantFrom("application/json", "application/x-protobuf"), { nil: undefined }),
        (what, input, type) => {
          expect(typeof refused(input, type, what)).toBe("string");
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("that are admitted come out the same when they are admitted again", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" }),
        fc.integer({ min: 0, max: 1e15 }),
        (accountId, amountMinor) => {
          const input = json({ ...transaction, accountId, amountMinor });
          if (refused(input) !== "admitted") return;
          const once = take("transaction", input);
          expect(take("transaction", once.value).value).toEqual(once.value);
          expect(taken(input)).toMatchObject({ accountId, amountMinor: BigInt(amountMinor) });
        },
      ),
    );
  });
});
