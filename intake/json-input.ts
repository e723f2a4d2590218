import { z } from "zod";

import { IntakeReason } from "../protos/gen/fraud/v1/intake.js";
import { FraudLabel, Transaction, Verdict } from "../protos/gen/fraud/v1/transaction.js";
import { RefusedError } from "./problem.js";

// Protobuf's own JSON: camel case, 64-bit integers as numbers or strings.
const int64 = z
  .union([z.int(), z.string().regex(/^-?\d{1,18}$/)])
  .meta({ description: "a whole number, or its digits in a string" });
const millionths = z.int32();
const text = z.string();

const locationJson = z.strictObject({ latitudeE6: millionths, longitudeE6: millionths, name: text.nullish() });

/** A transaction in JSON. What the intake stamps is not part of it. */
export const transactionJson = z.strictObject({
  transactionId: text.nullish().meta({
    description:
      "default: made from the record's position in its topic; over HTTP a random one, which the answer names",
  }),
  accountId: text,
  merchantId: text,
  amountMinor: int64.meta({
    description:
      "minor units of the currency, as ISO 4217 counts them (cents of EUR, whole JPY, thousandths of KWD), from 0 to 10^15; a whole number, or its digits in a string",
  }),
  currency: text.meta({ description: "ISO 4217 code of a currency in use" }),
  eventTimeMs: int64.meta({ description: "milliseconds since 1970" }),
  location: locationJson.nullish().meta({ description: "millionths of a degree; exactly 0, 0 counts as unknown" }),
  merchantName: text.nullish(),
});

/** A label in JSON. */
export const labelJson = z.strictObject({
  labelId: text.nullish().meta({ description: "default: as for transactionId" }),
  accountId: text,
  transactionId: text,
  merchantId: text,
  verdict: z.enum(["FRAUD", "LEGITIMATE", "VERDICT_FRAUD", "VERDICT_LEGITIMATE"]),
  revision: z.int().nullish().meta({
    description:
      "1 for the first verdict on a transaction, then 2, 3, …: the highest holds; default: the next one. A revision more than 16 above the current one is refused",
  }),
  eventTimeMs: int64.meta({ description: "the transaction's, in milliseconds since 1970" }),
  effectiveAtMs: int64
    .nullish()
    .meta({ description: "from when the verdict counts; default: from now on, by the account's event times" }),
  note: text.nullish().meta({ description: "why, for people" }),
  analyst: text.nullish().meta({ description: "who gave the verdict, for people" }),
});

/** @throws {RefusedError} when the shape is wrong; rules about values are in `rules.ts` */
export function transactionFromJson(json: unknown): Transaction {
  const { transactionId, accountId, merchantId, amountMinor, currency, eventTimeMs, location, merchantName } = parse(
    transactionJson,
    json,
  );
  return Transaction.fromPartial({
    transactionId: transactionId ?? "",
    accountId,
    merchantId,
    amountMinor: BigInt(amountMinor),
    currency,
    eventTimeMs: BigInt(eventTimeMs),
    ...(location && {
      location: { latitudeE6: location.latitudeE6, longitudeE6: location.longitudeE6, name: location.name ?? "" },
    }),
    merchantName: merchantName ?? "",
  });
}

/** @throws {RefusedError} when the shape is wrong */
export function labelFromJson(json: unknown): FraudLabel {
  const {
    labelId,
    accountId,
    transactionId,
    merchantId,
    verdict,
    revision,
    eventTimeMs,
    effectiveAtMs,
    note,
    analyst,
  } = parse(labelJson, json);
  return FraudLabel.fromPartial({
    labelId: labelId ?? "",
    accountId,
    transactionId,
    merchantId,
    verdict: verdict.endsWith("FRAUD") ? Verdict.FRAUD : Verdict.LEGITIMATE,
    eventTimeMs: BigInt(eventTimeMs),
    // Fields left out stay absent.
    ...(typeof revision === "number" && { revision }),
    ...(effectiveAtMs !== undefined && effectiveAtMs !== null && { effectiveAtMs: BigInt(effectiveAtMs) }),
    ...(typeof note === "string" && { note }),
    ...(typeof analyst === "string" && { analyst }),
  });
}

function parse<S extends z.ZodObject>(schema: S, json: unknown): z.output<S> {
  const named = withCamelCase(schema, json);
  const parsed = schema.safeParse(named);
  if (parsed.success) return parsed.data;
  throw refusal(parsed.error.issues[0]!, named);
}

function refusal(issue: z.core.$ZodIssue, json: unknown): RefusedError {
  const field = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    const unknown = [field, issue.keys[0]!.slice(0, 64)].filter((part) => part !== "").join(".");
    return new RefusedError(IntakeReason.UNKNOWN_FIELD, `there is no field ${unknown}`, unknown);
  }
  if (field === "") return new RefusedError(IntakeReason.UNREADABLE, "the JSON is not an object");
  if (valueAt(json, issue.path) === undefined)
    return new RefusedError(IntakeReason.MISSING_FIELD, `${field} is missing`, field);
  const expected = {
    amountMinor: "a whole number",
    eventTimeMs: "a whole number",
    effectiveAtMs: "a whole number",
    revision: "a whole number",
    verdict: "FRAUD or LEGITIMATE",
    location: "an object",
  }[field];
  return new RefusedError(
    IntakeReason.WRONG_TYPE,
    `${field} must be ${expected ?? (field.endsWith("E6") ? "a whole number of 32 bits" : "a string")}`,
    field,
  );
}

function valueAt(json: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    json,
  );
}

/**
 * Protobuf's JSON may also use the names in the proto file, such as `account_id`.
 *
 * @throws {RefusedError} when both names of a field are used
 */
function withCamelCase(schema: z.ZodObject, json: unknown): unknown {
  const named = renamed(schema, json, "");
  if (schema !== transactionJson || !isObject(named) || !isObject(named["location"])) return named;
  const location = renamed(locationJson, named["location"], "location.");
  return location === named["location"] ? named : { ...named, location };
}

function renamed(schema: z.ZodObject, json: unknown, path: string): unknown {
  if (!isObject(json) || !Object.keys(json).some((key) => key.includes("_"))) return json;
  const protoNames = protoNamesOf(schema);
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => {
      const camel = protoNames.get(key);
      if (camel === undefined || camel === key) return [key, value];
      if (Object.hasOwn(json, camel))
        throw new RefusedError(
          IntakeReason.DUPLICATE_FIELD,
          `${path}${camel} stands twice, also as ${key}: it must be said which value holds`,
          path + camel,
        );
      return [camel, value];
    }),
  );
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const PROTO_NAMES = new Map<z.ZodObject, ReadonlyMap<string, string>>();

/** For a schema's fields: the names in the proto file, and those in camel case. */
function protoNamesOf(schema: z.ZodObject): ReadonlyMap<string, string> {
  let names = PROTO_NAMES.get(schema);
  if (names === undefined)
    PROTO_NAMES.set(
      schema,
      (names = new Map(
        Object.keys(schema.shape).map((name) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), name]),
      )),
    );
  return names;
}
