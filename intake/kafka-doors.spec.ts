import { afterEach, describe, expect, it } from "vitest";

import { INTAKE_GROUP } from "../contract/topics.js";
import { type OutgoingRecord, RecordWriter } from "../kafka/record-writer.js";
import { batchOf, type BatchOptions, type BatchRecord } from "../kafka/testing/batch.js";
import { FakeBroker } from "../kafka/testing/fake-broker.js";
import { PACKERS } from "../kafka/testing/packers.js";
import { IntakeReason, RefusedInput } from "../protos/gen/fraud/v1/intake.js";
import { Transaction } from "../protos/gen/fraud/v1/transaction.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import { KafkaDoors } from "./kafka-doors.js";
import { intakeMetrics } from "./metrics.js";
import { UNSTAMPED } from "./models-in-force.js";
import { DOORS, largestRecordBytes } from "./topics.js";

const LIMIT = { timeout: 30_000, interval: 20 };
const NOW = 1_790_000_000_000;
const MEGABYTE = 1024 * 1024;

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** The doors at a broker in this process; what they write is recorded, or refused as long as `broken` says so. */
async function opened() {
  const broker = await FakeBroker.start({ transactions: 4, labels: 4 });
  ends.push(() => broker.stop());
  const written: OutgoingRecord[] = [];
  const state = { broken: undefined as string | undefined, behind: false, noRoom: false, looked: 0, stamps: UNSTAMPED };
  const take = (records: readonly OutgoingRecord[]): Promise<void> => {
    if (state.broken !== undefined) return Promise.reject(new Error(state.broken));
    written.push(...records);
    return Promise.resolve();
  };
  const writer = Object.assign(Object.create(RecordWriter.prototype) as RecordWriter, { write: take });
  const { metrics, registry } = intakeMetrics({
    queuedBytes: () => 0,
    lag: () => Promise.resolve([]),
    backlogSeconds: () => undefined,
    room: () => undefined,
    consumers: () => [doors.health],
  });
  const doors: KafkaDoors = new KafkaDoors({
    brokers: broker.address,
    writer,
    behind: () => state.behind,
    noRoom: () => {
      state.looked++;
      return state.noRoom;
    },
    maxAheadMs: 300_000,
    models: {
      get stamps() {
        return state.stamps;
      },
    },
    metrics,
    onError: () => undefined,
  });
  ends.push(() => doors.stop());
  await doors.start();
  let next = 0;
  return {
    broker,
    doors,
    state,
    registry,
    written,
    append: (partition: number, records: readonly BatchRecord[], options: Partial<BatchOptions> = {}) =>
      broker.append(
        "transactions",
        partition,
        batchOf(records, { firstOffset: broker.end("transactions", partition), timestampMs: NOW, ...options }),
      ),
    appendLabel: (partition: number) =>
      broker.append(
        "labels",
        partition,
        batchOf(
          [
            {
              value: JSON.stringify({
                labelId: "l",
                accountId: "a",
                transactionId: "t",
                merchantId: "m",
                verdict: "FRAUD",
                eventTimeMs: NOW,
              }),
            },
          ],
          { firstOffset: broker.end("labels", partition), timestampMs: NOW },
        ),
      ),
    committed: (partition: number) => broker.committed(INTAKE_GROUP, "transactions", partition),
    valid: () =>
      written
        .filter(({ topic }) => topic === "transactions.valid")
        .map(({ value }) => Transaction.decode(value!).transactionId),
    refused: () =>
      written
        .filter(({ topic }) => topic === "transactions.rejected")
        .map(({ value }) => RefusedInput.decode(Any.decode(value!).value)),
    transaction: (id = `t${next++}`) =>
      JSON.stringify({
        transactionId: id,
        accountId: "a",
        merchantId: "m",
        amountMinor: 1_999,
        currency: "EUR",
        eventTimeMs: NOW,
      }),
  };
}

describe("the Kafka doors", () => {
  it("take what any producer has packed", async () => {
    const { append, valid, transaction, doors } = await opened();
    append(1, [{ value: transaction("plain") }]);
    for (const [name, how] of Object.entries(PACKERS))
      append(0, [{ value: transaction(name) }, { value: transaction(`${name}, again`) }], how);
    await expect
      .poll(() => valid().sort(), LIMIT)
      .toEqual(["plain", ...Object.keys(PACKERS).flatMap((name) => [name, `${name}, again`])].sort());
    expect(doors.health).toMatchObject({ failing: undefined, restarts: 0 });
  });

  it("stamp each transaction with the models that hold when it is taken", async () => {
    const { append, valid, written, transaction, state } = await opened();
    append(0, [{ value: transaction("before") }]);
    await expect.poll(valid, LIMIT).toEqual(["before"]);
    state.stamps = { modelHash: Buffer.alloc(32, 1), challengerHash: Buffer.alloc(32, 2) };
    append(0, [{ value: transaction("after") }]);
    await expect.poll(valid, LIMIT).toEqual(["before", "after"]);
    expect(written.map(({ value }) => Transaction.decode(value!))).toMatchObject([UNSTAMPED, state.stamps]);
  });

  it("leave transactions where they are while the pipeline is behind, take labels, and go on in order", async () => {
    const { append, appendLabel, valid, written, transaction, state, committed, doors } = await opened();
    append(0, [{ value: transaction("first") }]);
    await expect.poll(valid, LIMIT).toEqual(["first"]);
    await expect.poll(() => committed(0), LIMIT).toBe(1);
    state.behind = true;
    for (const id of ["second", "third"]) append(0, [{ value: transaction(id) }]);
    append(1, [{ value: transaction("elsewhere") }]);
    appendLabel(0);
    await expect.poll(() => written.map(({ topic }) => topic), LIMIT).toEqual(["transactions.valid", "labels.valid"]);
    expect([valid(), committed(0), doors.health.failing]).toEqual([["first"], 1, undefined]);
    state.behind = false;
    await expect.poll(() => valid().length, LIMIT).toBe(4);
    expect(valid().filter((id) => id !== "elsewhere")).toEqual(["first", "second", "third"]);
    await expect.poll(() => committed(0), LIMIT).toBe(3);
  });

  it("tell how far they have come, but not in a log that is gone", async () => {
    const { broker, append, transaction, committed, doors, state, valid } = await opened();
    append(0, [{ value: transaction() }, { value: transaction() }]);
    append(3, [{ value: transaction() }]);
    await expect.poll(() => [committed(0), committed(3)], LIMIT).toEqual([2, 1]);
    expect([...(await doors.taken())].sort()).toEqual([
      ["transactions/0", 2n],
      ["transactions/3", 1n],
    ]);
    // What is written next they leave where it is: an offset of the old log would have it removed.
    state.noRoom = true;
    broker.make("transactions", 4);
    append(0, [{ value: transaction() }, { value: transaction() }, { value: transaction("new") }]);
    expect([committed(0), [...(await doors.taken())]]).toEqual([2, []]);
    state.noRoom = false;
    await expect.poll(valid, LIMIT).toContain("new");
    await expect.poll(async () => [...(await doors.taken())], LIMIT).toEqual([["transactions/0", 3n]]);
  });

  it("leave everything where it is while Kafka has no room, and labels no longer than that", async () => {
    const { append, appendLabel, valid, written, transaction, state } = await opened();
    state.noRoom = true;
    state.behind = true;
    append(0, [{ value: transaction("first") }]);
    appendLabel(0);
    state.noRoom = false;
    await expect.poll(() => written.map(({ topic }) => topic), LIMIT).toEqual(["labels.valid"]);
    state.behind = false;
    await expect.poll(valid, LIMIT).toEqual(["first"]);
    state.noRoom = true;
    state.looked = 0;
    append(0, [{ value: transaction("second") }]);
    appendLabel(0);
    append(1, [{ value: transaction("elsewhere") }]);
    await expect.poll(() => state.looked, LIMIT).toBeGreaterThan(20);
    expect(written.length).toBe(2);
    state.noRoom = false;
    await expect.poll(() => written.length, LIMIT).toBe(5);
  });

  it("refuse a bomb by its position, once, and go on behind it", async () => {
    const { append, valid, refused, committed, transaction } = await opened();
    const bomb = Buffer.alloc(17 * MEGABYTE);
    for (const [name, how] of Object.entries(PACKERS)) {
      append(2, [{ value: bomb }], how);
      append(2, [{ value: transaction(name) }], how);
    }
    append(2, [{ value: transaction() }, { value: bomb }, { value: transaction() }], PACKERS.lz4);
    append(2, [{ value: "x" }], { codec: "zstd" });
    append(2, [{ value: transaction("last") }]);
    await expect.poll(() => valid(), { ...LIMIT, timeout: 60_000 }).toEqual([...Object.keys(PACKERS), "last"]);
    expect(
      refused().map(({ reason, origin }) => [reason, origin!.topic, origin!.partition, Number(origin!.offset)]),
    ).toEqual([
      ...[0, 2, 4, 6, 8, 10].map((offset) => [IntakeReason.TOO_LARGE, "transactions", 2, offset]),
      [IntakeReason.UNREADABLE, "transactions", 2, 13],
    ]);
    expect(refused().at(-2)!.message).toBe(
      "the batch of 3 records, to offset 12, was not unpacked (lz4): it unpacks to more than 16777216 bytes",
    );
    await expect.poll(() => committed(2), LIMIT).toBe(15);
  });

  it("refuse a record that is larger than what may be set aside, without its bytes", async () => {
    const { append, written, valid, refused, transaction } = await opened();
    append(
      0,
      [
        { key: "k", value: Buffer.alloc(5 * MEGABYTE) },
        { key: "k".repeat(3 * MEGABYTE), value: "small" },
        { value: "large enough to be kept" },
        { value: transaction("after") },
      ],
      PACKERS.gzip,
    );
    await expect.poll(() => valid(), LIMIT).toEqual(["after"]);
    expect(refused().map(({ reason, value }) => [reason, value?.toString()])).toEqual([
      [IntakeReason.TOO_LARGE, undefined],
      [IntakeReason.UNREADABLE, undefined],
      [IntakeReason.UNREADABLE, "large enough to be kept"],
    ]);
    expect(refused()[0]!.message).toContain(`${5 * MEGABYTE} of value`);
    for (const record of written)
      expect((record.value?.length ?? 0) + (record.key?.length ?? 0)).toBeLessThan(
        largestRecordBytes(DOORS.transaction.rejected),
      );
  });

  it("are not stopped by a header's name", async () => {
    const { append, refused, valid, transaction, doors } = await opened();
    const headers = ["constructor", "__proto__", "toString"].map((name) => [name, "v"] as const);
    append(0, [
      { value: "no transaction", headers },
      { value: transaction("t"), headers },
    ]);
    await expect.poll(() => valid(), LIMIT).toEqual(["t"]);
    expect(refused()[0]!.headers.map(({ name, value }) => [name, value.toString()])).toEqual(headers);
    expect(doors.health.restarts).toBe(0);
  });

  it("say why they do not read, in health and metrics, until they do", async () => {
    const { append, valid, transaction, doors, state, registry } = await opened();
    const failing = async (): Promise<string | undefined> =>
      /^kafka_consumer_failing\{consumer="Kafka doors"\} (\d)$/m.exec(await registry.metrics())?.[1];
    expect(await failing()).toBe("0");
    state.broken = "nobody takes it";
    append(3, [{ value: transaction("late") }]);
    await expect.poll(() => doors.health.failing, LIMIT).toBe("transactions-3: nobody takes it");
    expect(await failing()).toBe("1");
    state.broken = undefined;
    await expect.poll(() => [valid(), doors.health.failing], LIMIT).toEqual([["late"], undefined]);
    expect(await failing()).toBe("0");
  });
});
