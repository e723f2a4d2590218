import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { FakeBroker } from "../../kafka/testing/fake-broker.js";
import { KafkaAnswers } from "./kafka-answers.js";

describe("whether Kafka answers", () => {
  let broker: FakeBroker;
  let answers: KafkaAnswers;
  /** Each connection begins with one. */
  const connections = (): number => broker.asked.get("apiVersions") ?? 0;

  beforeEach(async () => {
    broker = await FakeBroker.start({});
    answers = new KafkaAnswers(broker.address);
  });
  afterEach(async () => {
    await answers.close();
    await broker.stop();
  });

  it("is asked over one connection", async () => {
    for (let times = 0; times < 10; times++) expect(await answers.ask()).toBe(true);
    expect(connections()).toBeLessThanOrEqual(2);
  });

  it("is asked over a new one when that is lost", async () => {
    expect(await answers.ask()).toBe(true);
    broker.disconnectAll();
    await expect.poll(() => answers.ask(), { timeout: 30_000 }).toBe(true);
  });

  it("is no when nobody listens, and yes again when somebody does", async () => {
    const { address } = broker;
    expect(await answers.ask()).toBe(true);
    await broker.stop();
    expect(await answers.ask()).toBe(false);
    expect(await answers.ask()).toBe(false);
    broker = await FakeBroker.start({}, Number(address.split(":")[1]));
    await expect.poll(() => answers.ask(), { timeout: 30_000 }).toBe(true);
  });
});
