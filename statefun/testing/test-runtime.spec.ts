import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Address as Sample } from "../gen/io/statefun/reqreply.js";
import { StatefulFunctions } from "../stateful-functions.js";
import { valueSpec } from "../value-spec.js";
import { TestRuntime } from "./test-runtime.js";

const sample = (id: string, type = ""): Sample => ({ namespace: "", type, id });
const sink = (id: string) => ({ typename: "demo/sink", id });
const relay = (id: string) => ({ typename: "demo/relay", id });

/** Relays pass each message on to a sink, which writes it to a topic together with its sender. */
const functions = () =>
  new StatefulFunctions()
    .bind("demo/relay", (context, message) => context.packAndSend(sink("s"), Sample, message.unpack(Sample)))
    .bind(
      "demo/sink",
      (context, message) => {
        const count = Number(context.state("count").unpack(Sample)?.id ?? "0") + 1;
        context.state("count").pack(Sample, sample(String(count)));
        context.packAndSendToKafka(
          "demo/out",
          { topic: "out", key: context.caller?.id ?? "" },
          Sample,
          message.unpack(Sample),
        );
      },
      { states: [valueSpec("count", Sample)] },
    );

async function run(seed: number, messages: readonly (readonly [string, number])[], crashRate = 0) {
  const runtime = new TestRuntime(functions(), { seed, crashRate });
  for (const [via, n] of messages) runtime.ingress(relay(via), Sample, sample(String(n)));
  await runtime.run();
  return runtime;
}

describe("TestRuntime", () => {
  const program = fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.nat(99)), { maxLength: 40 });

  it.each([0, 0.2])(
    "keeps the order from sender to receiver, loses nothing, and repeats nothing, at a crash rate of %d",
    async (crashRate) => {
      await fc.assert(
        fc.asyncProperty(fc.integer(), program, async (seed, messages) => {
          const runtime = await run(seed, messages, crashRate);
          const out = runtime.kafka("out");
          for (const via of ["a", "b", "c"]) {
            expect(out.filter(({ key }) => key === via).map(({ value }) => Number(value.unpack(Sample).id))).toEqual(
              messages.filter(([to]) => to === via).map(([, n]) => n),
            );
          }
          expect(runtime.state(sink("s"), "count", Sample)?.id ?? "0").toBe(String(messages.length));
        }),
      );
    },
  );

  it("crashes as often as it is told to", async () => {
    const messages = Array.from({ length: 200 }, (_, n) => ["a", n] as const);
    expect((await run(7, messages)).crashes).toBe(0);
    const { crashes } = await run(7, messages, 0.2);
    expect(crashes).toBeGreaterThan(20);
  });

  it("goes back to its last checkpoint, Kafka included, and reads again what came since", async () => {
    const runtime = await run(1, [["a", 1]]);
    runtime.checkpoint();
    runtime.ingress(relay("a"), Sample, sample("2"));
    await runtime.run();
    expect(runtime.kafka("out")).toHaveLength(2);
    runtime.crash();
    expect(runtime.kafka("out")).toHaveLength(1);
    expect(runtime.state(sink("s"), "count", Sample)?.id).toBe("1");
    await runtime.run();
    expect(runtime.kafka("out").map(({ value }) => value.unpack(Sample).id)).toEqual(["1", "2"]);
  });

  it("calls back with the sender of a delayed message as its caller", async () => {
    const timers = new StatefulFunctions().bind("demo/relay", (context) => {
      if (context.caller === undefined) context.packAndSendAfter(10, relay("b"), Sample, sample(""));
      else context.packAndSendToKafka("demo/out", { topic: "out", key: context.caller.id }, Sample, sample(""));
    });
    const runtime = new TestRuntime(timers);
    runtime.ingress(relay("a"), Sample, sample(""));
    await runtime.advance(10);
    expect(runtime.kafka("out").map(({ key }) => key)).toEqual(["a"]);
  });

  it("repeats a run with the same seed, and interleaves differently with another", async () => {
    const messages = Array.from({ length: 30 }, (_, n) => [["a", "b", "c"][n % 3]!, n] as const);
    const order = async (seed: number) =>
      (await run(seed, messages))
        .kafka("out")
        .map(({ value }) => value.unpack(Sample).id)
        .join();
    expect(await order(5)).toBe(await order(5));
    expect(new Set(await Promise.all([1, 2, 3, 4, 5].map(order))).size).toBeGreaterThan(1);
  });

  it("fires delayed messages in order of time, unless they are cancelled", async () => {
    const timers = new StatefulFunctions().bind("demo/relay", (context, message) => {
      const { id, type } = message.unpack(Sample);
      if (type === "set")
        context.packAndSendAfter(Number(id), context.address, Sample, sample(id), { cancellationToken: id });
      else if (type === "cancel") context.cancelDelayed(id);
      else context.packAndSendToKafka("demo/out", { topic: "out", key: "" }, Sample, sample(id));
    });
    const runtime = new TestRuntime(timers);
    for (const delay of ["30", "10", "20"]) runtime.ingress(relay("a"), Sample, sample(delay, "set"));
    runtime.ingress(relay("a"), Sample, sample("20", "cancel"));
    await runtime.advance(10);
    expect(runtime.kafka("out")).toHaveLength(1);
    expect(runtime.delayedCount).toBe(1);
    await runtime.advance(100);
    expect(runtime.kafka("out").map(({ value }) => value.unpack(Sample).id)).toEqual(["10", "30"]);
  });

  it("fails with the function", async () => {
    const runtime = new TestRuntime(
      new StatefulFunctions().bind("demo/relay", () => {
        throw new Error("out of luck");
      }),
    );
    runtime.ingress(relay("a"), Sample, sample(""));
    await expect(runtime.run()).rejects.toThrow("out of luck");
  });
});
