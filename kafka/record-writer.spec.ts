import fc from "fast-check";
import type { ProducerBatch } from "kafkajs";
import { describe, expect, it } from "vitest";

import { type BatchProducer, type OutgoingRecord, RecordWriter } from "./record-writer.js";

const BATCH_BYTES = 1_000;
const record = (partition: number, n: number, bytes = 10): OutgoingRecord => ({
  topic: "t",
  partition,
  key: null,
  value: Buffer.from(String(n).padEnd(bytes, ".")),
});
const numberOf = (value: Buffer | string | null): number => parseInt(String(value), 10);

/** A broker that keeps what each producer sent, and fails when told to. */
class Broker {
  readonly log: { readonly producer: number; readonly partition: number; readonly n: number }[] = [];
  readonly requests: number[][] = [];
  producers = 0;
  failing = 0;
  away = false;
  /** Requests wait for it. */
  gate: Promise<void> = Promise.resolve();

  readonly connect = (): Promise<BatchProducer> => {
    if (this.away) return Promise.reject(new Error("away"));
    const producer = ++this.producers;
    return Promise.resolve({
      disconnect: () => Promise.resolve(),
      sendBatch: async ({ topicMessages }: ProducerBatch) => {
        await this.gate;
        if (this.failing > 0) {
          this.failing--;
          throw new Error("failed");
        }
        const messages = topicMessages?.flatMap((topic) => topic.messages) ?? [];
        this.requests.push(messages.map(({ value }) => numberOf(value as Buffer)));
        for (const { partition, value } of messages)
          this.log.push({ producer, partition: partition!, n: numberOf(value) });
        return [];
      },
    });
  };
}
const writerTo = (broker: Broker): RecordWriter =>
  new RecordWriter({ connect: broker.connect, batchBytes: () => BATCH_BYTES });

describe("RecordWriter", () => {
  it("sends together what comes together, and what comes meanwhile in the next request", async () => {
    const broker = new Broker();
    const writer = writerTo(broker);
    let open: () => void = () => undefined;
    broker.gate = new Promise((resolve) => (open = resolve));
    const writes = [writer.write([record(0, 1)]), writer.write([record(1, 2)])];
    // Past the turn in which the first request is put together.
    await new Promise(setImmediate);
    writes.push(writer.write([record(0, 3)]), writer.write([record(0, 4)]));
    expect(writer.queuedBytes).toBeGreaterThan(0);
    open();
    await Promise.all(writes);
    expect(broker.requests).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect([writer.queuedBytes, writer.stalledMs]).toEqual([0, 0]);
  });

  it("keeps every partition's order and batches within bounds", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 10, max: 1_500 })), { maxLength: 20 }), {
          maxLength: 10,
        }),
        async (calls) => {
          const broker = new Broker();
          const writer = writerTo(broker);
          let n = 0;
          const sizes = new Map<number, number>();
          await Promise.all(
            calls.map((call) =>
              writer.write(call.map(([partition, bytes]) => (sizes.set(++n, bytes), record(partition, n, bytes)))),
            ),
          );
          expect(broker.log.map((entry) => entry.n)).toEqual(Array.from({ length: n }, (_, at) => at + 1));
          for (const request of broker.requests) {
            const partitionOf = (one: number) => broker.log.find((entry) => entry.n === one)!.partition;
            for (const batch of [0, 1, 2, 3].map((partition) =>
              request.filter((one) => partitionOf(one) === partition),
            ))
              if (batch.length > 1)
                expect(batch.reduce((sum, one) => sum + sizes.get(one)!, 0)).toBeLessThanOrEqual(BATCH_BYTES);
          }
        },
      ),
    );
  });

  it("fails all that waits when a request fails, and goes on with another producer", async () => {
    const broker = new Broker();
    const writer = writerTo(broker);
    broker.failing = 1;
    // More than one request's worth: the second half must not overtake the first.
    const results = await Promise.allSettled([
      writer.write(Array.from({ length: 5 }, (_, at) => record(0, at, 400))),
      writer.write([record(0, 9)]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(broker.log).toEqual([]);
    await writer.write([record(0, 10)]);
    expect(broker.log).toEqual([{ producer: 2, partition: 0, n: 10 }]);
    expect([writer.queuedBytes, writer.stalledMs]).toEqual([0, 0]);
  });

  it("tells for how long nothing has worked, and finds by itself that the broker is back", async () => {
    const broker = new Broker();
    const writer = writerTo(broker);
    await writer.connect();
    broker.failing = 1;
    broker.away = true;
    await expect(writer.write([record(0, 1)])).rejects.toThrow("failed");
    await expect(writer.write([record(0, 2)])).rejects.toThrow("away");
    await expect.poll(() => writer.stalledMs).toBeGreaterThan(5);
    broker.away = false;
    await expect.poll(() => writer.stalledMs).toBe(0);
    expect(broker.producers).toBe(2);
    await writer.close();
  });

  it("disconnects after what was handed in", async () => {
    const broker = new Broker();
    const writer = writerTo(broker);
    const write = writer.write([record(0, 1)]);
    await writer.close();
    await write;
    expect(broker.log).toHaveLength(1);
  });
});
