import { join } from "node:path";

import { WireType } from "@bufbuild/protobuf/wire";
import protobuf from "protobufjs";
import { describe, expect, it } from "vitest";

import { contentHash } from "../contract/content-hash.js";
import { labelFromJson, labelJson, transactionFromJson, transactionJson } from "../intake/json-input.js";
import { type Fields, KNOWN_FIELDS } from "../intake/protobuf-input.js";
import { REPOSITORY_ROOT } from "../process/repository-root.js";
import { FraudLabel, Transaction } from "../protos/gen/fraud/v1/transaction.js";
import { resolveImport } from "../protos/resolve-import.mjs";

/*
 * A field that is added to the proto file must not be forgotten where fields are listed by hand.
 */

const root = new protobuf.Root();
root.resolvePath = (_, target) => resolveImport(target, join(REPOSITORY_ROOT, "protos"));
root.loadSync("fraud/v1/transaction.proto", { keepCase: false });
root.resolveAll();
/** What the intake stamps; no client sends it. */
const STAMPED: readonly string[] = ["origin", "contentHash", "modelHash", "challengerHash"];
const typeOf = (name: string): protobuf.Type => root.lookupType(`fraud.v1.${name}`);
const sentFields = (name: string): protobuf.Field[] =>
  typeOf(name).fieldsArray.filter((field) => !STAMPED.includes(field.name));

function fieldsOf(type: protobuf.Type): Fields {
  return Object.fromEntries(
    type.fieldsArray.map(({ id, name, type: kind, resolvedType }) => {
      const delimited = resolvedType instanceof protobuf.Type || kind === "string" || kind === "bytes";
      return [
        id,
        {
          name,
          wireType: delimited ? WireType.LengthDelimited : WireType.Varint,
          ...(kind === "string" && { text: true as const }),
          ...(resolvedType instanceof protobuf.Type && { fields: fieldsOf(resolvedType) }),
        },
      ];
    }),
  );
}

/** A value that is not the default of its type. */
function anyValue({ type: kind, resolvedType }: protobuf.Field): unknown {
  if (resolvedType instanceof protobuf.Type)
    return Object.fromEntries(resolvedType.fieldsArray.map((field) => [field.name, anyValue(field)]));
  if (resolvedType instanceof protobuf.Enum) return 1;
  if (kind === "string") return "x";
  if (kind === "bytes") return Buffer.from("x");
  return kind.endsWith("64") ? 7n : 7;
}

describe("every field of the proto file", () => {
  it.each(["Transaction", "FraudLabel"] as const)("of %s is known to the check of what comes as protobuf", (name) => {
    expect(KNOWN_FIELDS[name]).toEqual(fieldsOf(typeOf(name)));
  });

  it.each([
    ["Transaction", transactionJson],
    ["FraudLabel", labelJson],
  ] as const)("of %s may be sent as JSON, except for what the intake stamps", (name, schema) => {
    expect(Object.keys(schema.shape).sort()).toEqual(
      sentFields(name)
        .map((field) => field.name)
        .sort(),
    );
  });

  it.each([
    ["Transaction", transactionFromJson, Transaction],
    ["FraudLabel", labelFromJson, FraudLabel],
  ] as const)("of %s arrives when it is sent as JSON", (name, fromJson, type) => {
    const all = Object.fromEntries(sentFields(name).map((field) => [field.name, anyValue(field)]));
    // As in JSON: 64-bit integers as digits, a verdict by its name.
    const json = JSON.parse(
      JSON.stringify(all, (key, value: unknown) =>
        typeof value === "bigint" ? String(value) : key === "verdict" ? "FRAUD" : value,
      ),
    ) as unknown;
    expect(fromJson(json)).toEqual((type as { fromPartial(object: object): unknown }).fromPartial(all));
  });

  it.each(sentFields("Transaction").map((field) => [field.name, field] as const))(
    "%s makes a different transaction, by its content hash",
    (name, field) => {
      const with_ = (value: unknown): Transaction => Transaction.fromPartial({ [name]: value });
      expect(contentHash(with_(anyValue(field)))).not.toEqual(contentHash(with_(undefined)));
      if (!(field.resolvedType instanceof protobuf.Type)) return;
      for (const part of field.resolvedType.fieldsArray)
        expect(contentHash(with_({ [part.name]: anyValue(part) })), `${name}.${part.name}`).not.toEqual(
          contentHash(with_({})),
        );
    },
  );
});
