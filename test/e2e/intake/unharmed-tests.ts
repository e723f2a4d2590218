import { setTimeout as delay } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import { flinkClient } from "../../../cluster/index.js";
import { createTopics } from "../../../cluster/topics.js";
import { TOPICS } from "../../../contract/topics.js";
import { intakeHeaders } from "../../../ingress-generator/intake-token.js";
import { runGenerator } from "../../../ingress-generator/producer.js";
import { kafkaClient, withAdmin } from "../../../kafka/client.js";
import { intakeStarts, readReconciliation } from "../../../loadtest/fuzz/read-reconciliation.js";
import { poll } from "../../../process/poll.js";
import { Decision } from "../../../protos/gen/fraud/v1/decision.js";
import { Any } from "../../../protos/gen/google/protobuf/any.js";
import { PATIENCE_MS } from "../../patience.js";
import { brokers, ends, find, onCluster, post, ready, settings, transaction, url } from "./intake-on-cluster.js";

const KILLS = 4;
/** Records that an intake must have sorted between two kills, so that it is at work when it is killed. */
const WORK = 300;
const BURST = 6_000;

const sorted = () => ends(TOPICS.transactionsValid);

/** An intake that is killed loses nothing and repeats nothing. */
export function killTests(): void {
  describe("the Kafka doors", () => {
    it(`lose nothing and repeat nothing when the intake is killed ${KILLS} times under load, once within a burst of one account`, async () => {
      const starts = await intakeStarts(brokers);
      const end = new AbortController();
      const generating = runGenerator({
        brokers,
        seed: 5,
        runId: "kills",
        rate: 250,
        accounts: 200,
        signal: end.signal,
      });
      const acknowledged: string[] = [];
      const clients = Promise.all(
        Array.from({ length: 4 }, async (_, client) => {
          while (!end.signal.aborted) {
            const some = Array.from({ length: 5 }, () => transaction({ accountId: `http-${client}` }));
            // As a client should: again with the same ids, until it is acknowledged.
            let status = 0;
            while (status !== 202 && !end.signal.aborted)
              status = (await post(some).catch(() => delay(50)))?.status ?? 0;
            if (status === 202) acknowledged.push(...some.map(({ transactionId }) => transactionId));
          }
        }),
      );
      try {
        for (let kill = 0; kill < KILLS; kill++) {
          if (kill === KILLS / 2) await sendBurst();
          const before = await sorted();
          await poll(
            `the intake to be at work before kill ${kill + 1}`,
            async () => (await sorted()) > before + BigInt(WORK),
            { timeoutMs: PATIENCE_MS, intervalMs: 20 },
          );
          onCluster.cluster.kill("intake");
          await ready();
        }
        // And one that is asked to stop.
        onCluster.cluster.kill("intake", "SIGTERM");
        await poll(
          "the intake to stop",
          async () => (await fetch(`${url}/healthz`).catch(() => undefined)) === undefined,
          { timeoutMs: PATIENCE_MS, intervalMs: 20 },
        );
        await ready();
      } finally {
        end.abort();
        await clients;
      }
      const { sentTransactions } = await generating;

      const look = async () => {
        const { reconciliation, records } = await readReconciliation(brokers, starts);
        return {
          ...reconciliation,
          decisions: records.decisions.map(
            ({ value }) => Decision.decode(Any.decode(value!).value).evidence!.transaction!.transactionId,
          ),
        };
      };
      let seen: Awaited<ReturnType<typeof look>> | undefined;
      await poll(
        "every transaction to be decided",
        async () => (seen = await look()).unaccounted === 0 && seen.undecided === 0,
        { timeoutMs: PATIENCE_MS, intervalMs: 1_000 },
      );
      await flinkClient(settings).waitForCheckpoints(2, PATIENCE_MS);
      seen = await look();
      expect(seen).toMatchObject({ unaccounted: 0, undecided: 0, decidedTwice: 0, functionsRejected: 0, rejected: 0 });
      const decided = new Set(seen.decisions);
      expect(acknowledged.filter((id) => !decided.has(id))).toEqual([]);
      expect(seen.decisions.filter((id) => id.startsWith("burst-"))).toHaveLength(BURST);
      expect(seen.decisions.filter((id) => id.startsWith("kills-"))).toHaveLength(sentTransactions);
      // The kills hit: something was read twice, and recognised.
      expect(seen.twice).toBeGreaterThan(0);
    });
  });
}

/** Topics that are deleted and made again. */
export function madeAgainTests(): void {
  describe("a topic that is deleted and made again while the intake runs", () => {
    async function send(records: readonly object[]): Promise<void> {
      const producer = kafkaClient(brokers, "test").producer();
      await producer.connect();
      await producer.send({
        topic: TOPICS.transactions.name,
        messages: records.map((record) => ({ key: "remade", value: JSON.stringify(record) })),
      });
      await producer.disconnect();
    }
    const without = () => ({ ...transaction({ accountId: "remade" }), transactionId: undefined });
    const seqOf = (id: string, seq: number) =>
      poll(
        `decision ${seq} of the account, on ${id}`,
        async () => {
          const found = await find("remade", id);
          return found["status"] === "committed" && found["accountSeq"] === String(seq);
        },
        { timeoutMs: PATIENCE_MS },
      );

    async function makeAgain(topic: string): Promise<void> {
      await withAdmin(brokers, async (admin) => {
        await admin.deleteTopics({ topics: [topic] });
        await poll("the topic to be gone", async () => !(await admin.listTopics()).includes(topic), {
          timeoutMs: PATIENCE_MS,
        });
      });
      expect(await createTopics(settings)).toEqual([topic]);
    }

    it("has five records without an id and five with new ids decided, though their offsets were used before; none is dropped", async () => {
      const before = Array.from({ length: 4 }, () => transaction({ accountId: "remade" }));
      await send([without(), without(), ...before]);
      await seqOf(before.at(-1)!.transactionId, 6);

      await makeAgain(TOPICS.transactions.name);
      // More than there were before: the old offset is among them.
      const after = Array.from({ length: 5 }, () => transaction({ accountId: "remade" }));
      await send([...Array.from({ length: 5 }, without), ...after]);
      await seqOf(after.at(-1)!.transactionId, 16);

      // Sent again by a client whose topic was made again, they are known by their ids.
      const last = transaction({ accountId: "remade" });
      await send([...before, last]);
      await seqOf(last.transactionId, 17);
    });

    it("answers clients that wait for decisions when the topic held these, and for the outcome of a label", async () => {
      for (const { name } of [TOPICS.decisions, TOPICS.evidence]) await makeAgain(name);
      await flinkClient(settings).waitForRunning(PATIENCE_MS);
      for (const wait of ["?wait=20s", "?wait=20s&for=committed"])
        expect(await post(transaction({ accountId: "patient" }), wait)).toMatchObject({
          status: 200,
          body: { status: "decided" },
        });
      expect(
        (
          await post(
            {
              labelId: "l-patient",
              accountId: "patient",
              transactionId: "t",
              merchantId: "shop",
              verdict: "FRAUD",
              eventTimeMs: Date.now(),
            },
            "",
            url,
            "labels",
          )
        ).status,
      ).toBe(202);
      expect(
        await (
          await fetch(`${url}/v1/labels/l-patient?wait=30s`, { headers: intakeHeaders(process.env, "labels") })
        ).json(),
      ).toMatchObject({ status: "recorded", revision: 1 });
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
    });
  });
}

/** A decision that was taken back. */
export function taskManagerTests(): void {
  describe("a TaskManager that dies", () => {
    it("finds the decision that holds after a provisional one was taken back", async () => {
      const one = transaction();
      expect(await post(one, "?wait=20s")).toMatchObject({
        status: 200,
        body: { decision: { status: "provisional" } },
      });
      onCluster.cluster.kill("taskmanager");
      await poll(
        "its committed decision",
        async () => (await find("ada", one.transactionId))["status"] === "committed",
        {
          timeoutMs: PATIENCE_MS,
        },
      );
      await flinkClient(settings).waitForRunning(PATIENCE_MS);
    });
  });
}

/** One account's transactions, more than the intake fetches at once. */
async function sendBurst(): Promise<void> {
  const producer = kafkaClient(brokers, "burst").producer();
  await producer.connect();
  const messages = Array.from({ length: BURST }, (_, n) => ({
    key: "burst",
    value: JSON.stringify(transaction({ transactionId: `burst-${n}`, accountId: "burst" })),
  }));
  await producer.send({ topic: TOPICS.transactions.name, messages });
  await producer.disconnect();
}
