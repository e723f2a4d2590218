import { expect, it } from "vitest";

import { serviceOf, SERVICES } from "../../../cluster/compose/services.js";
import { TOPICS } from "../../../contract/topics.js";
import { poll } from "../../../process/poll.js";
import { leaveTransactionOpen } from "../../e2e/left-open.js";
import { PATIENCE_MS } from "../../patience.js";
import { brokers, cluster, compose, flink, sendAndExpectDecisions } from "./up-project.js";

const SENT = 5_000;

/** What it decides, whatever hangs or is left over. */
export function unharmedTests(): void {
  it(`decides ${SENT} transactions exactly once, sent and read through the published ports`, () =>
    sendAndExpectDecisions({ runId: "published", seed: 5, rate: 400, transactions: SENT, accounts: 500 }));

  it("replaces each part that hangs, and none that is paused or waits; everything is decided once", async () => {
    const restarts = (): Readonly<Record<string, number>> =>
      Object.fromEntries(
        Object.values(SERVICES).map((service) => [service, cluster.containers(service)[0]?.restarts ?? 0]),
      );
    const before = restarts();
    const hanging = ["zookeeper", "taskmanager", "functions"] as const;
    const hang = async (): Promise<void> => {
      cluster.pause("intake");
      for (const part of hanging) cluster.kill(part, "SIGSTOP");
      await poll(
        "those that hang to be replaced",
        () => hanging.every((part) => restarts()[serviceOf(part)] === before[serviceOf(part)]! + 1),
        { timeoutMs: PATIENCE_MS, intervalMs: 500 },
      );
      for (const part of hanging)
        expect(await cluster.log(part)).toContain(
          `${serviceOf(part)} hangs, and is replaced: it was stopped by a signal, and did not go on for `,
        );
      cluster.resume("intake");
    };
    await sendAndExpectDecisions({ runId: "hanging", seed: 8, rate: 40, transactions: 1_200, accounts: 200 }, hang);
    const replaced = Object.entries(restarts()).filter(([service, count]) => count !== before[service]);
    expect(new Set(replaced.map(([service]) => service))).toEqual(new Set(hanging.map(serviceOf)));
  });

  it("aborts a transaction that nobody ends, and removes savepoints that are left over", async () => {
    const { transactionalId, open } = await leaveTransactionOpen(brokers);
    expect(await open()).toMatchObject([{ timeoutMs: 72 * 3_600_000, topics: [TOPICS.decisions.name] }]);
    // The store's keys are in containers only.
    const store = (work: string) =>
      compose(
        "exec",
        "-T",
        "tidy",
        "node",
        "--import",
        "tsx",
        "--input-type=module",
        "-e",
        `import { clusterSettings } from "/app/cluster/settings.ts";
         import { readObject, writeObject } from "/app/cluster/state/object-store.ts";
         const defaults = clusterSettings();
         const settings = { ...defaults, endpoints: { minio: "http://minio:9000" }, objectStore: { ...defaults.objectStore, keysIn: "/volumes/keys" } };
         ${work}`,
      );
    const left = ["savepoints/restart-1/savepoint-1/_metadata", "savepoints/taken-by-hand/_metadata"];
    const written = await store(
      left.map((key) => `await writeObject(settings, ${JSON.stringify(key)}, "{}");`).join("\n"),
    );
    expect(written.code, written.stderr).toBe(0);
    expect((await compose("restart", "tidy")).code).toBe(0);
    await poll("the transaction that nobody ends to be aborted", async () => (await open()).length === 0, {
      timeoutMs: PATIENCE_MS,
    });
    // It says so when the broker has answered: others may see the end before that.
    for (const said of [
      `kafka: aborted a transaction that nobody would have ended: ${transactionalId}, begun at `,
      "minio: removed 1 ",
    ])
      await poll(`tidy to say "${said}"`, async () => (await cluster.logOf("tidy")).includes(said), {
        timeoutMs: PATIENCE_MS,
      });
    const { stdout } = await store(
      left
        .map((key) => `console.log(${JSON.stringify(key)}, await readObject(settings, ${JSON.stringify(key)}));`)
        .join("\n"),
    );
    expect(stdout.trim().split("\n")).toEqual([`${left[0]} undefined`, `${left[1]} {}`]);
    expect(await flink.jobState()).toBe("RUNNING");
  });
}
