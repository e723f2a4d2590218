import { StateFun, type Type } from "apache-flink-statefun";

import { type MessageType, typeUrlOf } from "../../../statefun/index.js";

const types = new Map<string, Type<unknown>>();

/** A message type as Apache's SDK wants it; the same one each time. */
export function officialType<T>(message: MessageType<T>): Type<T> {
  let type = types.get(message.$type);
  if (type === undefined) {
    const made = StateFun.customType<T>(
      typeUrlOf(message),
      (value) => {
        const bytes = message.encode(value).finish();
        return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      },
      (bytes) => message.decode(bytes),
    );
    type = made;
    types.set(message.$type, type);
  }
  return type as Type<T>;
}
