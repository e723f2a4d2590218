import { afterEach, describe, expect, it } from "vitest";

import { batchOf } from "../kafka/testing/batch.js";
import { FakeBroker } from "../kafka/testing/fake-broker.js";
import { ModelsInForce } from "../protos/gen/fraud/v1/models.js";
import { Transaction } from "../protos/gen/fraud/v1/transaction.js";
import { Any } from "../protos/gen/google/protobuf/any.js";
import { pack } from "../statefun/index.js";
import { ModelsInForceIndex, UNSTAMPED } from "./models-in-force.js";
import { followModels } from "./models-reader.js";

const LIMIT = { timeout: 30_000, interval: 20 };
const hash = (byte: number): Buffer => Buffer.alloc(32, byte);
const packed = (models: Partial<ModelsInForce>): Buffer =>
  Buffer.from(Any.encode(pack(ModelsInForce, ModelsInForce.fromPartial(models))).finish());

describe("the models in force", () => {
  it("are not known until the topic has been read; then none, or the newest record's", () => {
    const index = new ModelsInForceIndex();
    index.onRecord({ value: packed({ modelHash: hash(1) }) });
    expect(index.stamps).toBeUndefined();
    index.caughtUp();
    expect(index.stamps).toEqual({ modelHash: hash(1), challengerHash: Buffer.alloc(0) });
    index.onRecord({ value: packed({ modelHash: hash(2), challengerHash: hash(3), modelId: "two" }) });
    expect(index.stamps).toEqual({ modelHash: hash(2), challengerHash: hash(3) });
    expect(index.newest?.modelId).toBe("two");
    index.onRecord({ value: null });
    expect([index.stamps, index.newest]).toEqual([UNSTAMPED, undefined]);
  });

  it.each([
    ["bytes", Buffer.from([0xff])],
    ["another message", Buffer.from(Any.encode(pack(Transaction, Transaction.fromPartial({}))).finish())],
    ["a hash that is none", packed({ modelHash: Buffer.alloc(31) })],
  ])("stay what they were at a record of %s", (_, value) => {
    const index = new ModelsInForceIndex();
    index.caughtUp();
    index.onRecord({ value: packed({ modelHash: hash(1) }) });
    expect(() => index.onRecord({ value })).toThrow();
    expect(index.stamps).toMatchObject({ modelHash: hash(1) });
  });
});

describe("the reader of the topic models", () => {
  const ends: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  async function followed(values: readonly Buffer[]) {
    const broker = await FakeBroker.start({ models: 1 });
    ends.push(() => broker.stop());
    const append = (value: Buffer): void =>
      broker.append("models", 0, batchOf([{ value }], { firstOffset: broker.end("models", 0) }));
    for (const value of values) append(value);
    const index = new ModelsInForceIndex();
    const errors: string[] = [];
    const reader = await followModels(broker.address, index, (error) => errors.push(error.message));
    ends.push(() => reader.stop());
    return { index, reader, append, errors };
  }

  it("knows at once that there are none where the topic is empty, and follows what comes", async () => {
    const { index, reader, append } = await followed([]);
    await reader.caughtUp;
    expect(index.stamps).toEqual(UNSTAMPED);
    append(packed({ modelHash: hash(4) }));
    await expect.poll(() => index.stamps?.modelHash, LIMIT).toEqual(hash(4));
  });

  it("has caught up with the newest record, not before, whatever stands before it", async () => {
    const { index, reader, errors } = await followed([
      packed({ modelHash: hash(1) }),
      Buffer.from("nothing of the kind"),
      packed({ modelHash: hash(2), challengerHash: hash(1) }),
    ]);
    await reader.caughtUp;
    expect(index.stamps).toEqual({ modelHash: hash(2), challengerHash: hash(1) });
    expect(errors).toHaveLength(1);
  });

  it("has caught up though the newest record says nothing", async () => {
    const { index, reader } = await followed([
      packed({ modelHash: hash(1) }),
      packed({ modelHash: hash(2).subarray(1) }),
    ]);
    await reader.caughtUp;
    expect(index.stamps).toMatchObject({ modelHash: hash(1) });
  });
});
