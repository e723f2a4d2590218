import { gzipSync } from "node:zlib";

import { describe, expect, it } from "vitest";

import { TOPICS } from "../../../contract/topics.js";
import { intakeHeaders } from "../../../ingress-generator/intake-token.js";
import { retentionBytes } from "../../../kafka/retention.js";
import { poll } from "../../../process/poll.js";
import { PATIENCE_MS } from "../../patience.js";
import { brokers, find, onCluster, post, ready, transaction, url, withSecondIntake } from "./intake-on-cluster.js";

/** What clients of the HTTP door see. */
export function httpDoorTests(): void {
  describe("the HTTP door", () => {
    it("answers with the decision, provisional or committed", async () => {
      const one = transaction();
      const first = await post(one, "?wait=20s");
      expect(first).toMatchObject({ status: 200, body: { status: "decided", decision: { outcome: "APPROVE" } } });
      expect(await post(one, "?wait=20s&for=committed")).toMatchObject({
        status: 200,
        body: { decision: { status: "committed", accountSeq: "1" } },
      });
      expect(await post({ ...one, amountMinor: 1 }, "?wait=20s")).toMatchObject({
        status: 409,
        body: { reason: "ID_CONFLICT" },
      });
      expect(await find("ada", one.transactionId)).toMatchObject({ status: "committed", outcome: "APPROVE" });
    });

    it("takes nothing while Kafka has no room, and says why", async () => {
      await withSecondIntake({ INTAKE_MIN_FREE_MB: "1000000000" }, async (base) => {
        const refused = await poll(
          "the intake to know how much room there is",
          async () => {
            const answer = await post(transaction(), "", base);
            return answer.status === 503 && answer;
          },
          { timeoutMs: PATIENCE_MS },
        );
        expect(refused).toMatchObject({ retryAfter: "5", body: { title: "Service Unavailable" } });
        expect(refused.body["detail"]).toMatch(/^Kafka's disk is nearly full: \d+ MB are free/);
        const metrics = await (await fetch(`${base}/metrics`)).text();
        expect(metrics).toMatch(/\nkafka_disk_free_bytes \d+\n/);
        expect(metrics).toMatch(/\nkafka_undecided_share \d[.\de-]*\n/);
        expect(metrics).toMatch(/\nkafka_log_bytes\{topic="transactions.valid"\} [1-9]\d*\n/);
      });
      expect(
        [
          ...(await retentionBytes(
            brokers,
            Object.values(TOPICS).map(({ name }) => name),
          )),
        ].length,
      ).toBe(8);
      expect((await post(transaction())).status).toBe(202);
    });

    it("takes a compressed request, and decides on zero yen and on ten million million rials", async () => {
      const both = [
        transaction({ accountId: "verified", amountMinor: 0, currency: "JPY" }),
        transaction({ accountId: "rich", amountMinor: 10 ** 15, currency: "IRR", merchantName: "Caf\ufffd" }),
      ];
      const response = await fetch(`${url}/v1/transactions?wait=20s`, {
        method: "POST",
        headers: { "content-type": "application/x+json", "content-encoding": "gzip", ...intakeHeaders() },
        body: gzipSync(JSON.stringify(both)),
        signal: AbortSignal.timeout(30_000),
      });
      expect(await response.json()).toMatchObject({
        accepted: 2,
        refused: 0,
        results: [{ status: "decided" }, { status: "decided" }],
      });
    });

    it("reports the outcome of a label: one without a revision is the next, and a stale one is refused", async () => {
      const label = (labelId: string, verdict: string, fields: Record<string, unknown> = {}) => ({
        labelId,
        accountId: "judged",
        transactionId: "t",
        merchantId: "shop",
        verdict,
        eventTimeMs: Date.now() - 45 * 24 * 3_600_000,
        ...fields,
      });
      const outcome = async (labelId: string) =>
        (await (
          await fetch(`${url}/v1/labels/${labelId}?wait=30s`, { headers: intakeHeaders(process.env, "labels") })
        ).json()) as Record<string, unknown>;
      for (const one of [
        label("l-fraud", "FRAUD"),
        label("l-cleared", "LEGITIMATE"),
        label("l-stale", "FRAUD", { revision: 1 }),
        label("l-ahead", "FRAUD", { revision: 19 }),
      ])
        expect((await post(one, "", url, "labels")).status).toBe(202);
      expect(await outcome("l-fraud")).toMatchObject({ status: "recorded", revision: 1, fraudDelta: 1 });
      expect(await outcome("l-cleared")).toMatchObject({ status: "recorded", revision: 2, fraudDelta: -1 });
      expect(await outcome("l-stale")).toMatchObject({ status: "refused", reason: "STALE_REVISION" });
      expect(await outcome("l-ahead")).toMatchObject({ status: "refused", reason: "REVISION_AHEAD" });
    });

    it("decides a transaction again that its account has forgotten, waits for that decision, and says so", async () => {
      const day = Array.from({ length: 340 }, (_, n) =>
        transaction({ accountId: "daily", eventTimeMs: Date.now() - 3_600_000 + n }),
      );
      expect((await post(day)).status).toBe(202);
      await poll(
        "the day's last decision",
        async () => (await find("daily", day.at(-1)!.transactionId))["status"] === "committed",
        { timeoutMs: PATIENCE_MS },
      );
      expect(await post(day.at(-300)!, "?wait=20s")).toMatchObject({
        status: 200,
        body: { decision: { accountSeq: "41", possibleRepeat: false } },
      });
      expect(await post(day[0]!, "?wait=20s&for=committed")).toMatchObject({
        status: 200,
        body: { decision: { accountSeq: "341", possibleRepeat: true } },
      });
      expect(await find("daily", day[0]!.transactionId)).toMatchObject({ accountSeq: "341", possibleRepeat: true });
    });

    it("finds decisions right after a restart, and at another intake", async () => {
      const one = transaction();
      await post(one, "?wait=20s&for=committed");
      onCluster.cluster.kill("intake");
      await ready();
      expect(await find("ada", one.transactionId)).toMatchObject({ status: "committed" });

      const code = await withSecondIntake({}, async (second) => {
        expect(await find("ada", one.transactionId, second)).toMatchObject({ status: "committed" });
        expect(await post(one, "?wait=20s", second)).toMatchObject({
          status: 200,
          body: { decision: { transactionId: one.transactionId } },
        });
      });
      expect(code).toBe(0);
    });

    it("turns clients away while Kafka is away, and takes them again afterwards", async () => {
      onCluster.cluster.pause("kafka");
      const waiting = post(transaction());
      await poll("the intake to turn clients away", async () => (await post(transaction())).status === 429, {
        timeoutMs: PATIENCE_MS,
      });
      onCluster.cluster.resume("kafka");
      await waiting;
      const one = transaction();
      await poll("the intake to take transactions again", async () => (await post(one)).status === 202, {
        timeoutMs: PATIENCE_MS,
      });
      expect((await post(one, "?wait=20s&for=committed")).status).toBe(200);
    });
  });
}

/** What they see while the pipeline stands still. */
export function smallBoundTests(): void {
  describe("the HTTP door of an intake with a small bound", () => {
    it("turns transactions away while the pipeline stands still, and takes them again when it has caught up", async () => {
      await withSecondIntake({ INTAKE_MAX_BACKLOG_SECONDS: "3" }, async (second) => {
        const send = () => post(transaction(), "", second);
        await poll("transactions to be taken", async () => (await send()).status === 202, { timeoutMs: PATIENCE_MS });
        // Not the functions: what they cannot take is in checkpoints, up to a bound, and so no longer in Kafka.
        onCluster.cluster.hold("taskmanager");
        onCluster.cluster.kill("taskmanager");
        try {
          const away = await poll(
            "transactions to be turned away",
            async () => {
              const answer = await send();
              return answer.status === 429 && answer;
            },
            { timeoutMs: PATIENCE_MS },
          );
          expect(away.body["detail"]).toMatch(
            /^the pipeline is overloaded or stands still: a transaction would wait about \d+ s, and beyond 3 s none is taken$/,
          );
          expect(Number(away.retryAfter)).toBeGreaterThan(0);
          const label = {
            labelId: "while-behind",
            accountId: "ada",
            transactionId: "none",
            merchantId: "shop",
            verdict: "LEGITIMATE",
            eventTimeMs: Date.now() - 60_000,
          };
          expect((await post(label, "", second, "labels")).status).toBe(202);
          // The cluster's own intake allows a minute.
          expect((await post(transaction())).status).toBe(202);
        } finally {
          await onCluster.cluster.release("taskmanager");
        }
        await poll("transactions to be taken again", async () => (await send()).status === 202, {
          timeoutMs: PATIENCE_MS,
        });
      });
    });
  });
}
