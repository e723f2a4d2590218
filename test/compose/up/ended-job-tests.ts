import { expect, it } from "vitest";

import { dockerOk } from "../../../cluster/compose/docker.js";
import { endpoints } from "../../../cluster/index.js";
import { poll } from "../../../process/poll.js";
import { expectStoredToBeRight } from "../../judged.js";
import { PATIENCE_MS } from "../../patience.js";
import { brokers, cluster, compose, flink, project, scaleTo, sendAndExpectDecisions, settings } from "./up-project.js";

/** A job that has ended or lost what it needs, and how it goes on. Later ones rest on earlier ones. */
export function endedJobTests(): void {
  it("does not begin anew with a job that someone has cancelled, and says why at each attempt", async () => {
    // What comes before kills parts.
    await poll("the job to run", async () => (await flink.jobState()) === "RUNNING", { timeoutMs: PATIENCE_MS });
    const job = await flink.jobId();
    const cancelled = await fetch(`${endpoints(settings).flink}/jobs/${job}?mode=cancel`, { method: "PATCH" });
    expect(cancelled.status).toBe(202);
    await poll(
      "the master to say so twice",
      async () =>
        ((await cluster.logOf("master")).match(
          /error: the job must not start: the job has ended for good \(CANCELED\).*in containers: docker compose run --rm from-latest.*in containers: docker compose down -v/g,
        )?.length ?? 0) >= 2,
      { timeoutMs: PATIENCE_MS, intervalMs: 1_000 },
    );
  });

  it("goes on from the newest checkpoint once it is told to, by itself; and is not told while the job runs", async () => {
    const told = await fromLatest();
    expect(told.code, told.stderr).toBe(0);
    expect(told.stdout).toMatch(/the master goes on from s3:\/\/statefun\/checkpoints\/0{32}\/chk-\d+/);
    await goesOn("cured");
    const again = await fromLatest();
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("the job is there (RUNNING)")]);
  });

  it("does the same where ZooKeeper has lost the pointer to it", async () => {
    // Otherwise this is done within five minutes.
    expect((await compose("restart", "tidy")).code).toBe(0);
    await poll(
      "the job to leave where it began",
      async () => (await compose("exec", "-T", "tidy", "cat", "/volumes/transport/generation")).stdout === "2\n",
      { timeoutMs: PATIENCE_MS, intervalMs: 1_000 },
    );
    expect((await compose("down")).code).toBe(0);
    await dockerOk(["volume", "rm", `${project.name}_zookeeper-data`, `${project.name}_zookeeper-log`]);
    const up = () => scaleTo({ worker: 1, functions: 1 }, "--wait");
    expect((await up()).code).not.toBe(0);
    expect(await cluster.logOf("init")).toMatch(
      /ZooKeeper has lost the pointer to their checkpoint: .* Go on from the newest checkpoint that is left: docker compose run --rm from-latest/,
    );
    const told = await fromLatest();
    expect(told.code, told.stderr).toBe(0);
    const after = await up();
    expect(after.code, after.stderr).toBe(0);
    await goesOn("pointed");
  });

  it("refuses to go on when its checkpoints are lost, and says why", async () => {
    expect((await compose("down")).code).toBe(0);
    await dockerOk(["volume", "rm", `${project.name}_minio-data`]);
    const { code } = await compose("up", "--detach", "--wait");
    expect(code).not.toBe(0);
    expect(await cluster.logOf("init")).toMatch(
      /checkpoint is gone: every transaction would be decided again\. .*; or start over with: docker compose down -v/,
    );
  });
}

/** What was sent before, and what is sent now, is decided once: every record that stands in the topics is judged. */
async function goesOn(runId: string): Promise<void> {
  await flink.waitForRunning(PATIENCE_MS);
  await sendAndExpectDecisions({ runId, seed: 10, rate: 200, transactions: 300, accounts: 50 });
  await expectStoredToBeRight(brokers);
}

const fromLatest = () => compose("run", "--rm", "from-latest");
