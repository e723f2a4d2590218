import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { startProgram } from "../../process/run-command.js";
import { tellMaster } from "./job-start.js";

const SCRIPT = readFileSync(join(REPOSITORY_ROOT, "cluster/compose/master.sh"), "utf8");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fraud-master-"));
  for (const made of ["conf", "lib/batching"]) mkdirSync(join(folder, made), { recursive: true });
  writeFileSync(join(folder, "conf/flink-conf.yaml"), "taskmanager.numberOfTaskSlots: 2\r\n");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The lines that the script says, and last what it starts; each second another number of workers is there. */
async function start(workers: readonly number[], parallelism = ""): Promise<string[]> {
  const seconds = join(folder, "seconds");
  writeFileSync(seconds, workers.map((count) => `${count}\n`).join(""));
  const script = `
    getent() { read -r count <${seconds}; for ((n = 0; n < count; n++)); do echo "10.0.0.$n STREAM"; echo "10.0.0.$n DGRAM"; done; }
    sleep() { [[ $(wc -l <${seconds}) -lt 2 ]] || sed -i 1d ${seconds}; }
    ${SCRIPT.replaceAll(/\/(tmp|dev\/shm)\//g, `${folder}/`).replace("exec /docker-entry-point.sh", "echo")}`;
  const { code, stdout, stderr } = await startProgram("bash", ["-c", script], {
    ...process.env,
    FLINK_HOME: folder,
    PARALLELISM: parallelism,
  }).finished;
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return stdout.trim().split("\n");
}
const FIRST_JOB = `--job-id ${"0".repeat(32)}`;

describe.runIf(process.platform === "linux")("the start of the master in a container", () => {
  it("gives the job every slot of every worker, and tells the health check", async () => {
    expect(await start([3])).toEqual([
      "parallelism 6: 3 workers with 2 slots each",
      `-Dparallelism.default=6 ${FIRST_JOB}`,
    ]);
    expect(readFileSync(join(folder, "parallelism"), "utf8")).toBe("6 2 counted\n");
    expect(await start([3], "4")).toEqual([`-Dparallelism.default=4 ${FIRST_JOB}`]);
    expect(readFileSync(join(folder, "parallelism"), "utf8")).toBe("4 2 fixed\n");
  });

  it("waits for as many workers as last time, but not for ever", async () => {
    expect((await start([1]))[0]).toBe("parallelism 2: 1 workers with 2 slots each");
    expect((await start([3]))[0]).toBe("parallelism 6: 3 workers with 2 slots each");
    expect((await start([0, 1, 1, 2, 3]))[0]).toBe("parallelism 6: 3 workers with 2 slots each");
    expect((await start([0, 2]))[0]).toBe("parallelism 4: 2 workers with 2 slots each");
    // It has none to start with less than one.
    expect((await start([0]))[0]).toBe("parallelism 2: 0 workers with 2 slots each");
    expect((await start([1, 2]))[0]).toBe("parallelism 4: 2 workers with 2 slots each");
  });

  it("starts the generation that it was told, from where that begins", async () => {
    const told = (generation: number, savepoint?: string) =>
      tellMaster(
        { stateBackend: "hashmap", generation, ...(savepoint !== undefined && { savepoint }) },
        join(folder, "lib/batching"),
      );
    told(1);
    expect((await start([1], "1")).at(-1)).toBe(`-Dparallelism.default=1 ${FIRST_JOB}`);
    told(12, "s3://statefun/checkpoints/1/chk-7");
    expect((await start([1], "1")).at(-1)).toBe(
      `-Dparallelism.default=1 --job-id ${"b".padStart(32, "0")} --fromSavepoint s3://statefun/checkpoints/1/chk-7`,
    );
  });
});
