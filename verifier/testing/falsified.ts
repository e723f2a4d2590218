import { Any } from "../../protos/gen/google/protobuf/any.js";
import type { StoredRecord } from "../records.js";

/*
 * Records as they must not be: for negative controls of the verifier.
 */

export const without = (records: readonly StoredRecord[], at: number) => records.filter((_, n) => n !== at);
export const twice = (records: readonly StoredRecord[], at: number) => [
  ...records,
  { ...records[at]!, offset: BigInt(records.length) },
];
export const swapped = (records: readonly StoredRecord[], a: number, b: number) =>
  records.map((record, n) => ({ ...record, value: records[n === a ? b : n === b ? a : n]!.value }));
export const edited = <T>(
  records: readonly StoredRecord[],
  at: number,
  type: { readonly $type: string; decode(bytes: Uint8Array): T; encode(message: T): { finish(): Uint8Array } },
  edit: (message: T) => void,
): StoredRecord[] =>
  records.map((record, n) => {
    if (n !== at) return record;
    const { typeUrl, value } = Any.decode(record.value!);
    const message = type.decode(value);
    edit(message);
    return { ...record, value: Any.encode({ typeUrl, value: Buffer.from(type.encode(message).finish()) }).finish() };
  });
