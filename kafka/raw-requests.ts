import { createRequire } from "node:module";

import type { Kafka } from "kafkajs";

/*
 * Requests that kafkajs 2.2.4 does not know, or knows in an older version, sent by its own connections (with their
 * encryption, names and passwords).
 */

/**
 * What kafkajs 2.2.4 has for making a request, as far as it is used here: `src/protocol/encoder.js`,
 * `src/protocol/decoder.js`.
 */
export interface Encoder {
  writeInt8(value: number): Encoder;
  writeBoolean(value: boolean): Encoder;
  writeUVarInt(value: number): Encoder;
  writeUVarIntString(value: string): Encoder;
  writeUVarIntArray(items: readonly Encoder[]): Encoder;
  writeEncoder(value: Encoder): Encoder;
  writeBufferInternal(bytes: Buffer): void;
}
export interface Decoder {
  readonly buffer: Buffer;
  offset: number;
  readInt16(): number;
  readInt32(): number;
  readInt64(): { toString(): string };
  readBoolean(): boolean;
  readUVarInt(): number;
  readUVarIntString(): string | null;
}
interface Protocol<T> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    readonly encode: () => Promise<Encoder>;
  };
  readonly response: { readonly decode: (bytes: Buffer) => Promise<T>; readonly parse: (answer: T) => Promise<T> };
}
/** kafkajs' own, `src/cluster`: the connections to the brokers of one client. */
export interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  readonly brokerPool: {
    findConnectedBroker(): Promise<{
      readonly versions: Readonly<Record<number, { readonly maxVersion: number }>>;
      readonly connectionPool: { send<T>(protocol: Protocol<T>): Promise<T> };
    }>;
  };
}

/** The connections of a client: kafkajs keeps what makes them under a symbol of its own. */
export function clusterOf(kafka: Kafka): Cluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === "private:Kafka:createCluster",
  );
  if (symbol === undefined)
    throw new Error("kafka/raw-requests.ts needs kafkajs 2.2.4: it makes its connections elsewhere now");
  const create = (kafka as unknown as Record<symbol, (options: object) => Cluster>)[symbol]!;
  return create({ metadataMaxAge: 300_000, allowAutoTopicCreation: false });
}

const require = createRequire(import.meta.url);
export const encoder = (): Encoder => new (require("kafkajs/src/protocol/encoder") as new () => Encoder)();
export const decoder = (bytes: Buffer): Decoder =>
  new (require("kafkajs/src/protocol/decoder") as new (bytes: Buffer) => Decoder)(bytes);

/** Reads over the tagged fields of a message. */
export function skipTags(from: Decoder): void {
  for (let left = from.readUVarInt(); left > 0; left--) {
    from.readUVarInt();
    const length = from.readUVarInt();
    from.offset += length;
  }
}

/** Reads a compact array. */
export function readEach(from: Decoder, read: () => void): void {
  for (let left = from.readUVarInt() - 1; left > 0; left--) read();
}
