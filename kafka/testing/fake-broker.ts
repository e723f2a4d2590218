import { randomBytes } from "node:crypto";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

import { FETCH_VERSION } from "../fetch-answer.js";
import { WireReader } from "../wire-reader.js";

const NODE_ID = 1;
const OFFSET_OUT_OF_RANGE = 1;

/** The first version of the request that tells topics' ids; kafkajs sends one that does not. */
const IDS_VERSION = 10;
/**
 * What this broker speaks, by Kafka's numbers: of each request the first version that holds what kafkajs needs. Of one
 * there are two.
 */
const VERSIONS = {
  fetch: [1, FETCH_VERSION],
  listOffsets: [2, 1],
  metadata: [3, 6],
  offsetCommit: [8, 2],
  offsetFetch: [9, 1],
  findCoordinator: [10, 0],
  joinGroup: [11, 0],
  heartbeat: [12, 0],
  leaveGroup: [13, 0],
  syncGroup: [14, 0],
  apiVersions: [18, 2],
} as const;
type Request = keyof typeof VERSIONS;
const latest = (name: string, version: number): number => (name === "metadata" ? IDS_VERSION : version);
const NAMES = new Map<number, Request>(Object.entries(VERSIONS).map(([name, [key]]) => [key, name as Request]));
const NOT_COMMITTED = { offset: -1n, metadata: "" };

/** One partition's batches as they were written, and where its next record goes. */
interface Log {
  readonly batches: { readonly bytes: Buffer; readonly lastOffset: number }[];
  end: number;
}

/**
 * As much of a Kafka broker as kafkajs's consumers need, in this process: topics that a spec fills with batches of its
 * own, groups of one member, and errors on demand. For specs, and for measuring what a consumer takes that has nothing
 * to do.
 */
export class FakeBroker {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #logs = new Map<string, Log[]>();
  readonly #ids = new Map<string, Buffer>();
  readonly #committed = new Map<string, { readonly offset: bigint; readonly metadata: string }>();
  #fetchError: { readonly code: number; left: number } | undefined;
  #silent = false;
  /** How often each was asked. */
  readonly asked = new Map<Request, number>();
  /** How each fetch wanted to wait. */
  readonly fetches: { readonly minBytes: number; readonly maxWaitMs: number }[] = [];
  /** The group of each that joined one. */
  readonly joined: string[] = [];

  private constructor() {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /**
   * @param topics - with their numbers of partitions
   * @param port - default: any that is free
   */
  static async start(topics: Readonly<Record<string, number>>, port = 0): Promise<FakeBroker> {
    const broker = new FakeBroker();
    for (const [topic, partitions] of Object.entries(topics)) broker.make(topic, partitions);
    await new Promise<void>((resolve) => broker.#server.listen(port, "127.0.0.1", resolve));
    return broker;
  }

  /** `host:port` */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Makes a topic; one that is there already, again: with nothing in it, and another id. */
  make(topic: string, partitions: number): void {
    this.#logs.set(
      topic,
      Array.from({ length: partitions }, () => ({ batches: [], end: 0 })),
    );
    this.#ids.set(topic, randomBytes(16));
  }

  /** Adds a batch, whose last offset its header tells. */
  append(topic: string, partition: number, bytes: Buffer): void {
    const log = this.#logs.get(topic)![partition]!;
    const lastOffset = Number(bytes.readBigInt64BE(0)) + bytes.readInt32BE(23);
    log.batches.push({ bytes, lastOffset });
    log.end = lastOffset + 1;
  }

  /** Where a partition's next record goes. */
  end(topic: string, partition: number): number {
    return this.#logs.get(topic)![partition]!.end;
  }

  /** What a group has committed; undefined: nothing. */
  committed(group: string, topic: string, partition: number): number | undefined {
    const position = this.#committed.get(`${group} ${topic} ${partition}`);
    return position === undefined ? undefined : Number(position.offset);
  }

  /** The next fetches are answered with an error, such as 43: one that kafkajs does not repeat. */
  failFetches(code: number, times: number): void {
    this.#fetchError = { code, left: times };
  }

  /** Takes requests, and answers none any more; or again. */
  silence(silent: boolean): void {
    this.#silent = silent;
  }

  disconnectAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.disconnectAll();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => undefined);
    let pending = Buffer.alloc(0);
    socket.on("data", (piece) => {
      pending = Buffer.concat([pending, piece]);
      while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
        const end = 4 + pending.readInt32BE(0);
        const request = new WireReader(pending.subarray(4, end));
        pending = pending.subarray(end);
        const name = NAMES.get(request.int16())!;
        const version = request.int16();
        const correlation = int32(request.int32());
        request.string();
        this.asked.set(name, (this.asked.get(name) ?? 0) + 1);
        if (this.#silent) continue;
        void Promise.resolve(this.#answer[name](request, version)).then((body) => {
          if (!socket.destroyed) socket.write(Buffer.concat([int32(4 + body.length), correlation, body]));
        });
      }
    });
  }

  readonly #answer: Readonly<Record<Request, (request: WireReader, version: number) => Buffer | Promise<Buffer>>> = {
    apiVersions: () =>
      Buffer.concat([
        int16(0),
        array(Object.entries(VERSIONS), ([name, [key, version]]) => [
          int16(key),
          int16(version),
          int16(latest(name, version)),
        ]),
        int32(0),
      ]),
    metadata: (_, version) => (version === IDS_VERSION ? this.#metadataWithIds() : this.#metadata()),
    findCoordinator: () => Buffer.concat([int16(0), this.#node()]),
    joinGroup: (request) => {
      this.joined.push(request.string());
      request.int32();
      const member = request.string() || `member-${Math.random()}`;
      request.string();
      const [protocol] = request.array(() => ({ name: request.string(), metadata: request.bytes()! }));
      return Buffer.concat([
        int16(0),
        int32(1),
        string(protocol!.name),
        string(member),
        string(member),
        array([0], () => [string(member), bytes(protocol!.metadata)]),
      ]);
    },
    syncGroup: (request) => {
      request.string();
      request.int32();
      request.string();
      const [mine] = request.array(() => ({ member: request.string(), assignment: request.bytes()! }));
      return Buffer.concat([int16(0), bytes(mine!.assignment)]);
    },
    heartbeat: () => int16(0),
    leaveGroup: () => int16(0),
    offsetFetch: (request) => {
      const group = request.string();
      const topics = request.array(() => ({
        topic: request.string(),
        partitions: request.array(() => request.int32()),
      }));
      return array(topics, ({ topic, partitions }) => [
        string(topic),
        array(partitions, (partition) => {
          const { offset, metadata } = this.#committed.get(`${group} ${topic} ${partition}`) ?? NOT_COMMITTED;
          return [int32(partition), int64(offset), string(metadata), int16(0)];
        }),
      ]);
    },
    offsetCommit: (request) => {
      const group = request.string();
      request.int32();
      request.string();
      request.int64();
      const topics = request.array(() => ({
        topic: request.string(),
        partitions: request.array(() => {
          const partition = request.int32();
          const offset = request.int64();
          return { partition, offset, metadata: request.string() };
        }),
      }));
      for (const { topic, partitions } of topics)
        for (const { partition, ...position } of partitions)
          this.#committed.set(`${group} ${topic} ${partition}`, position);
      return array(topics, ({ topic, partitions }) => [
        string(topic),
        array(partitions, ({ partition }) => [int32(partition), int16(0)]),
      ]);
    },
    listOffsets: (request) => {
      request.int32();
      const topics = request.array(() => ({
        topic: request.string(),
        partitions: request.array(() => ({ partition: request.int32(), timestamp: request.int64() })),
      }));
      return array(topics, ({ topic, partitions }) => [
        string(topic),
        array(partitions, ({ partition, timestamp }) => [
          int32(partition),
          int16(0),
          int64(-1n),
          int64(timestamp === -2n ? 0n : BigInt(this.end(topic, partition))),
        ]),
      ]);
    },
    fetch: (request) => this.#fetch(request),
  };

  #metadata(): Buffer {
    const nodes = array([NODE_ID], (id) => [int32(id)]);
    const partitions = (logs: readonly Log[]): Buffer =>
      array([...logs.keys()], (partition) => [int16(0), int32(partition), int32(NODE_ID), nodes, nodes, int32(0)]);
    // Each broker has a rack, which is none; so has the cluster a name. A topic is not one of the broker's own.
    return Buffer.concat([
      int32(0),
      array([0], () => [this.#node(), int16(-1)]),
      int16(-1),
      int32(NODE_ID),
      array([...this.#logs], ([topic, logs]) => [int16(0), string(topic), FALSE, partitions(logs)]),
    ]);
  }

  /**
   * As `topicIdsIn` reads it: lengths are one more than they are, in a byte, and after each thing stands the number of
   * its tagged fields.
   */
  #metadataWithIds(): Buffer {
    const [none, length] = [Buffer.alloc(1), (value: number): Buffer => Buffer.from([value + 1])];
    const topics = [...this.#ids].map(([topic, id]) =>
      Buffer.concat([int16(0), length(topic.length), Buffer.from(topic), id, FALSE, length(0), int32(0), none]),
    );
    return Buffer.concat([
      none,
      int32(0),
      length(0),
      none,
      int32(NODE_ID),
      length(topics.length),
      ...topics,
      int32(0),
      none,
    ]);
  }

  #node(): Buffer {
    return Buffer.concat([int32(NODE_ID), string("127.0.0.1"), int32((this.#server.address() as AddressInfo).port)]);
  }

  async #fetch(request: WireReader): Promise<Buffer> {
    request.int32();
    const maxWaitMs = request.int32();
    this.fetches.push({ minBytes: request.int32(), maxWaitMs });
    // Bytes at most, isolation, session and its epoch.
    request.skip(4 + 1 + 4 + 4);
    const topics = request.array(() => ({
      topic: request.string(),
      partitions: request.array(() => {
        const partition = request.int32();
        request.int32();
        const offset = request.int64();
        request.skip(8 + 4);
        return { partition, offset };
      }),
    }));
    const failing = this.#fetchError !== undefined && this.#fetchError.left-- > 0 ? this.#fetchError.code : 0;
    const found = (topic: string, partition: number, offset: bigint): Buffer => {
      const { batches } = this.#logs.get(topic)![partition]!;
      return Buffer.concat(
        batches.filter(({ lastOffset }) => BigInt(lastOffset) >= offset).map((batch) => batch.bytes),
      );
    };
    const deadline = performance.now() + maxWaitMs;
    const nothing = (): boolean =>
      topics.every(({ topic, partitions }) =>
        partitions.every(({ partition, offset }) => found(topic, partition, offset).length === 0),
      );
    while (failing === 0 && nothing() && performance.now() < deadline)
      await new Promise((resolve) =>
        setTimeout(resolve, Math.max(0, Math.min(10, deadline - performance.now()))).unref(),
      );
    const part = (topic: string, partition: number, offset: bigint): Buffer[] => {
      const end = BigInt(this.end(topic, partition));
      const error = failing === 0 && offset > end ? OFFSET_OUT_OF_RANGE : failing;
      return [
        int32(partition),
        int16(error),
        int64(end),
        int64(end),
        int64(0n),
        int32(0),
        int32(-1),
        bytes(error === 0 ? found(topic, partition, offset) : Buffer.alloc(0)),
      ];
    };
    return Buffer.concat([
      int32(0),
      int16(0),
      int32(0),
      array(topics, ({ topic, partitions }) => [
        string(topic),
        array(partitions, ({ partition, offset }) => part(topic, partition, offset)),
      ]),
    ]);
  }
}

function written(size: number, write: (buffer: Buffer) => void): Buffer {
  const buffer = Buffer.alloc(size);
  write(buffer);
  return buffer;
}
const FALSE = Buffer.alloc(1);
const int16 = (value: number): Buffer => written(2, (buffer) => buffer.writeInt16BE(value));
const int32 = (value: number): Buffer => written(4, (buffer) => buffer.writeInt32BE(value));
const int64 = (value: bigint): Buffer => written(8, (buffer) => buffer.writeBigInt64BE(value));
const string = (text: string): Buffer => Buffer.concat([int16(Buffer.byteLength(text)), Buffer.from(text)]);
const bytes = (value: Buffer): Buffer => Buffer.concat([int32(value.length), value]);
const array = <T>(items: readonly T[], one: (item: T) => Buffer[]): Buffer =>
  Buffer.concat([int32(items.length), ...items.flatMap(one)]);
