import { readdirSync } from "node:fs";
import { join } from "node:path";

import { expect, it } from "vitest";

import { endpoints, flinkClient } from "../../../cluster/index.js";
import { TOPICS } from "../../../contract/topics.js";
import { readTopics } from "../../../java/java-reader.js";
import { PATIENCE_MS } from "../../patience.js";
import { attackByPages, openServer } from "../browser/strange-page.js";
import { attackedPaths, STRANGE, strangeBodies } from "../browser/strange-requests.js";
import { listenersBelow } from "../listeners.js";
import { BASE_MS, brokers, liveApp, RATE, settings } from "./live-app.js";

/** What a page of another origin can do to the whole cluster. */
export function foreignPageTests(): void {
  it("gives a page of another origin nothing, on any port of any part, and does nothing that it asks", async () => {
    const { parts } = await liveApp.cluster.status();
    const pids = parts.map(({ pid }) => pid);
    const { ports, objectStore } = settings;
    const helperPort = Number(new URL(liveApp.helper.env.DASHBOARD_FAILURES).port);
    const { jobs } = (await (await fetch(`${endpoints(settings).flink}/jobs/overview`)).json()) as {
      jobs: { jid: string }[];
    };
    const paths = attackedPaths(jobs[0]!.jid, objectStore.bucket);
    const pathsOf: Readonly<Record<number, readonly string[]>> = {
      [ports.flinkRest]: paths.flink,
      [ports.minio]: paths.minio,
      [ports.functions]: paths.functions,
      [ports.intake]: paths.intake,
      [ports.dashboard]: paths.dashboard,
      [ports.jobManagerMetrics]: paths.metrics,
      [ports.taskManagerMetrics]: paths.metrics,
      [helperPort]: paths.failures,
    };
    // Of every process: of this one, which is the supervisor and the helper, of all parts, and of the browser.
    const found = listenersBelow(process.pid);
    expect(found.filter(({ loopback }) => !loopback)).toEqual([]);
    const listening = new Set(found.map(({ port }) => port));
    expect([...listening]).toEqual(expect.arrayContaining(Object.keys(pathsOf).map(Number)));
    const restartsBefore = await flinkClient(settings).restarts();

    const open = await openServer();
    try {
      const { tried, leaks } = await attackByPages(
        [...listening, open.port].map((port) => ({ port, paths: pathsOf[port] ?? [] })),
        strangeBodies(BASE_MS),
      );
      // Where nothing is kept from a page it gets everything by either way: the attack is none on paper.
      const mine = (port: number) => leaks.filter((leak) => leak.port === port);
      expect(new Set(mine(open.port).map(({ by }) => by))).toEqual(new Set(["foreign page", "foreign name", "socket"]));
      expect(open.taken).toEqual(expect.arrayContaining(["GET /", "DELETE /", "PUT /", "PATCH /", "POST /"]));
      expect(leaks.filter(({ port }) => port !== open.port)).toEqual([]);
      expect(tried).toBeGreaterThan(1_000);
    } finally {
      await open.close();
    }

    // Where Flink would put the files of forms.
    const temporary = join(settings.dataDir, "flink-tmp-jobmanager");
    const web = readdirSync(temporary).filter((name) => name.startsWith("flink-web-"));
    expect(web.map((name) => readdirSync(join(temporary, name, "flink-web-upload")))).toEqual([[]]);
    expect((await liveApp.cluster.status()).parts.map(({ pid }) => pid)).toEqual(pids);
    expect(await flinkClient(settings).restarts()).toBe(restartsBefore);
    await flinkClient(settings).waitForCheckpoints(1, PATIENCE_MS);
    const { records } = await readTopics({
      brokers,
      topics: [TOPICS.transactionsValid, TOPICS.labelsValid].map(({ name }) => ({ topic: name })),
      isolation: "read_committed",
      timeoutMs: PATIENCE_MS,
    });
    expect(records.length).toBeGreaterThan(RATE);
    expect(records.filter(({ value }) => value!.includes(STRANGE))).toEqual([]);
  });
}
