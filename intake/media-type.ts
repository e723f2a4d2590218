const JSON_TYPE = /^(?:application\/json|[a-z0-9][\w!#$&^.+-]*\/[a-z0-9][\w!#$&^.+-]*\+json)$/;
const PROTOBUF_TYPE = /^application\/(?:x-|vnd\.google\.)?protobuf$/;
const LINES_TYPE = /^application\/(?:x-ndjson|ndjson|jsonl)$/;

/** What a content type says about a body; `lines`: JSON, one input per line. */
export type Format = "json" | "lines" | "protobuf" | "unknown";

/** For both doors: names in any case, whatever parameters follow, and everything that ends in `+json` (RFC 6839). */
export function formatOf(contentType: string): Format {
  const name = mediaType(contentType);
  if (JSON_TYPE.test(name)) return "json";
  if (LINES_TYPE.test(name)) return "lines";
  return PROTOBUF_TYPE.test(name) ? "protobuf" : "unknown";
}

/** The name alone, such as `application/json` from `Application/JSON; charset=utf-8`. */
export const mediaType = (contentType: string): string => contentType.split(";", 1)[0]!.trim().toLowerCase();
