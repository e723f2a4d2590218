import { readdirSync } from "node:fs";
import { join } from "node:path";

import protobuf from "protobufjs";

import { TOPICS } from "../contract/topics.js";
import { REPOSITORY_ROOT } from "../process/repository-root.js";
import { resolveImport } from "../protos/resolve-import.mjs";

/** JSON as printed: 64-bit integers are strings, enums are names, bytes are base64. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** What a record's bytes say. */
export interface Decoded {
  /** The message's full name, such as `fraud.v1.Decision`, or `JSON`; `undefined` for bytes of no known type. */
  readonly type: string | undefined;
  readonly value: Json;
  /** Why the value is shown as base64 only. */
  readonly problem?: string;
}

/** google.protobuf.Any as protobufjs reads it. */
interface AnyFields {
  readonly type_url: string;
  readonly value: Uint8Array;
}

/** An Any as it is shown: its type and its message's fields, or why they cannot be read. */
type UnpackedAny = { readonly "@type": string; readonly "@base64"?: string; readonly "@problem"?: string } & JsonObject;

/** Topics whose values are bare messages; everywhere else a value is a `google.protobuf.Any`. */
const BARE: ReadonlyMap<string, string> = new Map([
  [TOPICS.transactionsValid.name, "fraud.v1.Transaction"],
  [TOPICS.labelsValid.name, "fraud.v1.FraudLabel"],
  [TOPICS.transactions.name, "fraud.v1.Transaction"],
  [TOPICS.labels.name, "fraud.v1.FraudLabel"],
]);
/** Topics that anyone may write to: JSON, the bare message, or anything. */
const PUBLIC: ReadonlySet<string> = new Set([TOPICS.transactions.name, TOPICS.labels.name]);

const ANY = "google.protobuf.Any";
const CONVERSION: protobuf.IConversionOptions = {
  longs: String,
  enums: String,
  bytes: String,
  defaults: true,
  arrays: true,
  oneofs: false,
};

/**
 * Reads any record of any topic by reflection over `protos/`, so that a message type needs no code here. Any messages
 * are unpacked, nested ones too, with their type as `@type`.
 */
export class RecordDecoder {
  readonly #root: protobuf.Root;

  constructor(folder = join(REPOSITORY_ROOT, "protos")) {
    this.#root = new protobuf.Root();
    this.#root.resolvePath = (_origin, target) => resolveImport(target, folder);
    this.#root.loadSync(protoFiles(folder, "fraud"), { keepCase: true });
    this.#root.resolveAll();
  }

  /** Never throws: what cannot be read is shown as base64, with the reason. */
  decode(topic: string, value: Uint8Array | null): Decoded {
    if (value === null) return { type: undefined, value: null };
    const text = PUBLIC.has(topic) ? jsonObject(value) : undefined;
    if (text !== undefined) return { type: "JSON", value: text };
    const type = BARE.get(topic) ?? ANY;
    try {
      const json = this.#toJson(this.#root.lookupType(type), value);
      if (type !== ANY) return { type, value: json };
      const { "@type": packed, "@base64": base64, "@problem": problem, ...fields } = json as unknown as UnpackedAny;
      return base64 === undefined
        ? { type: packed, value: fields }
        : { type: packed, value: base64, ...(problem !== undefined && { problem }) };
    } catch (error) {
      return {
        type: undefined,
        value: Buffer.from(value).toString("base64"),
        problem: `not a ${type}: ${error instanceof Error ? error.message : String(error)}`,
      };
    }
  }

  #toJson(type: protobuf.Type, bytes: Uint8Array): JsonObject {
    const message = type.decode(bytes);
    if (type.fullName === `.${ANY}`) return this.#unpacked(message as unknown as AnyFields);
    const json = type.toObject(message, CONVERSION);
    this.#unpackFields(type, message, json);
    return json;
  }

  /** toObject has shown nested Any messages as their two fields; shows them as what they hold. */
  #unpackFields(type: protobuf.Type, message: Record<string, unknown>, json: JsonObject): void {
    for (const field of type.fieldsArray) {
      const value = message[field.name];
      if (!(field.resolvedType instanceof protobuf.Type) || value === null || value === undefined || field.map)
        continue;
      const nested = field.resolvedType;
      const show = (item: unknown, shown: Json): Json => {
        if (nested.fullName === `.${ANY}`) return this.#unpacked(item as AnyFields);
        this.#unpackFields(nested, item as Record<string, unknown>, shown as JsonObject);
        return shown;
      };
      json[field.name] = Array.isArray(value)
        ? value.map((item, n) => show(item, (json[field.name] as Json[])[n]!))
        : show(value, json[field.name]!);
    }
  }

  #unpacked({ type_url: typeUrl, value }: AnyFields): JsonObject {
    const name = typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
    const base64 = Buffer.from(value).toString("base64");
    try {
      return { "@type": name, ...this.#toJson(this.#root.lookupType(name), value) };
    } catch (error) {
      return { "@type": name, "@base64": base64, "@problem": error instanceof Error ? error.message : String(error) };
    }
  }
}

function jsonObject(value: Uint8Array): JsonObject | undefined {
  try {
    const json = JSON.parse(Buffer.from(value).toString()) as Json;
    return typeof json === "object" && json !== null && !Array.isArray(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

function protoFiles(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? protoFiles(root, join(folder, entry.name))
      : entry.name.endsWith(".proto")
        ? [join(folder, entry.name)]
        : [],
  );
}
