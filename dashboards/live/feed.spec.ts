import { afterEach, describe, expect, it } from "vitest";

import { TOPICS } from "../../contract/topics.js";
import { batchOf } from "../../kafka/testing/batch.js";
import { FakeBroker } from "../../kafka/testing/fake-broker.js";
import { PACKERS } from "../../kafka/testing/packers.js";
import { Feed } from "./feed.js";
import { repositoryModels } from "./models.js";
import { Dashboard } from "./state/dashboard.js";
import { decisionRecord, sampleDecisionRecord } from "./testing/samples.js";

const LIMIT = { timeout: 30_000, interval: 20 };
const NOT_RETRIABLE = 43;
const BOUNDS = { alerts: 100, decisions: 100, transactions: 100, labels: 100, evidence: 100 };

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function fed(brokers: string) {
  const dashboard = new Dashboard({ keepAlerts: 100, keepDecisions: 100, models: repositoryModels() });
  const errors: string[] = [];
  const feed = new Feed({ brokers, dashboard, bounds: BOUNDS, onError: ({ message }) => errors.push(message) });
  ends.push(() => feed.stop());
  feed.start();
  return { feed, dashboard, errors };
}

describe("the web app's feed", () => {
  it("reads what any codec has packed, and goes on after an end that kafkajs calls final, of which its health tells", async () => {
    const broker = await FakeBroker.start(Object.fromEntries(Object.values(TOPICS).map(({ name }) => [name, 1])));
    ends.push(() => broker.stop());
    const decide = (how: object = {}): void => {
      const n = broker.end("decisions", 0);
      broker.append(
        "decisions",
        0,
        batchOf(
          [{ value: decisionRecord(sampleDecisionRecord({ accountId: `a${n}`, transactionId: `t${n}` })).value }],
          { firstOffset: n, ...how },
        ),
      );
    };
    for (const how of Object.values(PACKERS)) decide(how);
    const { feed, dashboard } = fed(broker.address);
    await expect.poll(() => dashboard.history.size, LIMIT).toBe(5);
    await expect.poll(() => feed.health.map(({ failing }) => failing), LIMIT).toEqual([undefined, undefined]);
    broker.failFetches(NOT_RETRIABLE, 2);
    await expect.poll(() => feed.health.some(({ failing }) => failing?.includes("message format")), LIMIT).toBe(true);
    decide();
    await expect
      .poll(() => [dashboard.history.size, feed.health.some(({ failing }) => failing !== undefined)], LIMIT)
      .toEqual([6, false]);
  });

  it("says that there is no broker, and looks for one", async () => {
    const { feed, errors } = fed("127.0.0.1:1");
    await expect
      .poll(() => feed.health, LIMIT)
      .toMatchObject([{ consumer: "topics", failing: expect.stringContaining("no Kafka broker answers") as unknown }]);
    await expect.poll(() => errors.length, LIMIT).toBeGreaterThan(1);
    expect(feed.health[0]!.restarts).toBeGreaterThan(0);
  });
});
