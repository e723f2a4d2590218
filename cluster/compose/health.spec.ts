import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { startProgram } from "../../process/run-command.js";
import type { Heard } from "../processes/probes.js";
import { HangDetector } from "../watchdog/hang-detector.js";

const SCRIPT = readFileSync(join(REPOSITORY_ROOT, "cluster/compose/health.sh"), "utf8");
/** No process has such a number. */
const NOBODY = 4_194_399;

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "fraud-health-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the functions of the check, with the folder for `/proc` and `/dev/shm`; it kills nobody. */
async function run(commands: string, args: readonly string[] = ["functions", "8000", "/healthz"]): Promise<string> {
  const functions = SCRIPT.replace(/\ncheck\n$/, "\n")
    .replaceAll("/proc/", `${folder}/`)
    .replaceAll("/dev/shm/", `${folder}/`);
  expect(functions.length).toBeLessThan(SCRIPT.length + 10_000);
  const script = `${functions}\nkill() { echo "kill $*"; }\nHEALTH_PACE=:\n${commands}`;
  const { stdout, stderr } = await startProgram("bash", ["-c", script, "health.sh", ...args]).finished;
  expect(stderr).toBe("");
  return stdout;
}

/** What is seen when a part is asked. */
interface Look {
  readonly afterMs: number;
  readonly heard: Heard;
  /** Since the look before. */
  readonly cpuSeconds: number;
  readonly working: boolean;
  readonly stopped: boolean;
  readonly waitsForAnother: boolean;
}

/** What the native watchdog makes of it: why it hangs, for each look. */
function byDetector(looks: readonly Look[]): string[] {
  const detector = new HangDetector();
  let [atMs, cpuSeconds] = [1_000_000, 100];
  return looks.map((look) => {
    atMs += look.afterMs;
    cpuSeconds += look.cpuSeconds;
    if (look.heard === "answer") {
      detector.answered();
      return "";
    }
    const { heard, working, stopped, waitsForAnother } = look;
    const why = detector.missed({ atMs, heard, waitsForAnother, activity: { cpuSeconds, working, stopped } });
    if (why !== undefined) detector.forget();
    return why ?? "";
  });
}

/** The same of the check. */
async function byCheck(looks: readonly Look[]): Promise<string[]> {
  let [atMs, cpuSeconds] = [1_000_000, 100];
  const rounds = looks.map((look) => {
    atMs += look.afterMs;
    cpuSeconds += look.cpuSeconds;
    return `AT=${atMs / 10} CPU=${cpuSeconds * 100} HEARD=${look.heard} W=${Number(look.working)} S=${Number(look.stopped)} WAITS=${Number(look.waitsForAnother)} why=; check; echo "$why"`;
  });
  const said = await run(`
    now() { at=$AT; }
    look() { pids=(${NOBODY}) cpu=$CPU working=$W stopped=$S; }
    hear() { heard=$HEARD; }
    waits_for_another() { ((WAITS)); }
    end() { forget; }
    ${rounds.join("\n")}`);
  return said.slice(0, -1).split("\n");
}

const WAITING: Look = {
  afterMs: 5_000,
  heard: "silence",
  cpuSeconds: 0,
  working: false,
  stopped: false,
  waitsForAnother: false,
};
const ANSWER: Look = { ...WAITING, heard: "answer" };
const times = (count: number, look: Partial<Look> = {}): Look[] =>
  Array.from({ length: count }, () => ({ ...WAITING, ...look }));

describe.runIf(process.platform === "linux")("the health check of a container", () => {
  it.each<[string, readonly Look[], string | undefined]>([
    ["was stopped", times(5, { stopped: true }), "it was stopped by a signal, and did not go on for 20 s"],
    ["is silent and does nothing", [ANSWER, ...times(5)], "it answered nothing for 20 s, and did nothing"],
    [
      "turns round and round",
      [ANSWER, ...times(13, { cpuSeconds: 5, working: true })],
      "it used 60 s of processor time, and answered nothing in 60 s",
    ],
    ["never answered", times(25), "it answered nothing for 120 s, and did nothing"],
    ["works, however slowly it answers", [ANSWER, ...times(20, { cpuSeconds: 1, working: true })], undefined],
    ["gets no processor at all", [ANSWER, ...times(30, { working: true })], undefined],
    ["answers now and then", [ANSWER, ...times(4), ANSWER, ...times(4), ANSWER], undefined],
    ["waits for another", [ANSWER, ...times(30, { waitsForAnother: true })], undefined],
    ["starts", times(24, { heard: "refusal" }), undefined],
    ["was stopped for a moment", [ANSWER, ...times(4, { stopped: true }), ANSWER], undefined],
  ])("says of one that %s what the native watchdog says", async (_, looks, why) => {
    const said = await byCheck(looks);
    expect(said).toEqual(byDetector(looks));
    expect(said.at(-1) === "" ? undefined : said.at(-1)).toBe(why);
    expect(said.slice(0, -1).filter((one) => one !== "")).toEqual([]);
  });

  it("says the same as the native watchdog, whatever is seen", async () => {
    const look = fc.record({
      afterMs: fc.constantFrom(2_000, 5_000, 13_500),
      heard: fc.constantFrom<Heard>("silence", "silence", "silence", "silence", "silence", "refusal", "answer"),
      cpuSeconds: fc.constantFrom(0, 0, 0, 0.25, 4, 16),
      working: fc.constantFrom(false, false, false, true),
      stopped: fc.constantFrom(false, true, true, true, true),
      waitsForAnother: fc.constantFrom(false, false, false, true),
    });
    const still = look.map((one) => ({ ...one, stopped: false }));
    const ended = still.map((one) => ({ ...one, cpuSeconds: -0.25 }));
    const any = fc.array(fc.oneof({ weight: 4, arbitrary: still }, { weight: 4, arbitrary: look }, ended), {
      minLength: 5,
      maxLength: 40,
      size: "max",
    });
    // Each ends with one of those that hang, as few of the others do.
    const hang = fc.constantFrom(
      times(5, { stopped: true }),
      times(25),
      times(25, { heard: "refusal" }),
      times(13, { cpuSeconds: 5, working: true }),
    );
    const looks = fc.tuple(any, hang).map(([before, after]) => [...before, ...after]);
    await fc.assert(
      fc.asyncProperty(looks, async (seen) => {
        writeFileSync(join(folder, "health-misses"), "");
        rmSync(join(folder, "health-answered"), { force: true });
        const expected = byDetector(seen);
        expect(expected.some((why) => why !== "")).toBe(true);
        expect(await byCheck(seen)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  describe("asks", () => {
    let server: Server | undefined;
    afterEach(() => void server?.close());
    const open = new Set<Socket>();
    afterEach(() => {
      for (const socket of open) socket.destroy();
      open.clear();
    });

    /** What it hears from something that says this when it is asked. */
    async function hears(part: string, answers: (asked: Buffer) => string | Buffer | undefined): Promise<string> {
      server = createServer((socket) => {
        open.add(socket);
        socket.on("error", () => undefined);
        let asked = Buffer.alloc(0);
        socket.on("data", (more) => {
          asked = Buffer.concat([asked, more]);
          // Bash sends each line by itself.
          const whole = part === "kafka" ? asked.length >= 14 : part === "zookeeper" || asked.includes("\r\n\r\n");
          if (!whole) return;
          const said = answers(asked);
          if (said !== undefined) socket.end(said);
        });
      });
      await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as AddressInfo;
      const said = await run(
        `unset -f kill; hear ${answers(Buffer.alloc(14)) === undefined ? 0.25 : 10} ${part} 127.0.0.1 ${port} /x; echo "$heard"`,
      );
      return said.trim();
    }
    const response = (status: number, body = ""): string => `HTTP/1.1 ${status} Some words\r\nA: b\r\n\r\n${body}`;
    const job = (running: number): string =>
      `{"jobs":[{"jid":"1","state":"RUNNING","tasks":{"total":20,"created":0,"running":${running},"finished":0}}]}`;

    it.each<[string, string, (asked: Buffer) => string | Buffer | undefined, string]>([
      ["ZooKeeper", "zookeeper", (asked) => (String(asked) === "ruok" ? "imok" : ""), "well"],
      ["ZooKeeper", "zookeeper", () => "no", "answer"],
      [
        "Kafka",
        "kafka",
        (asked) => Buffer.concat([Buffer.from([0, 0, 2, 10]), asked.subarray(8, 12), Buffer.alloc(8)]),
        "well",
      ],
      ["Kafka", "kafka", () => Buffer.from([0, 0, 0, 6, 1, 1, 1, 1, 1, 1]), "silence"],
      [
        "a server",
        "intake",
        (asked) => response(/^GET \/x HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n/.test(String(asked)) ? 200 : 421),
        "well",
      ],
      ["a server", "intake", () => response(503), "answer"],
      ["the master", "master", () => response(200, job(20)), "well"],
      ["the master", "master", () => response(200, job(19)), "answer"],
      ["the master", "master", () => response(200, '{"jobs":[]}'), "answer"],
      ["one that hangs up", "intake", () => "", "silence"],
      ["one that is silent", "intake", () => undefined, "silence"],
      ["one that is silent", "kafka", () => undefined, "silence"],
    ])("%s: %s", async (_, part, answers, heard) => {
      expect(await hears(part, answers)).toBe(heard);
    });

    it("a master that keeps the connection", async () => {
      server = createServer((socket) => {
        open.add(socket);
        socket.on("error", () => undefined).write(response(200, job(19)));
      });
      await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as AddressInfo;
      expect(await run(`unset -f kill; hear 10 master 127.0.0.1 ${port} /x; echo "$heard"`)).toBe("answer\n");
    });

    it("one that is not there", async () => {
      await hears("kafka", () => "");
      const { port } = server!.address() as AddressInfo;
      await new Promise((resolve) => server!.close(resolve));
      expect(await run(`unset -f kill; hear 10 kafka 127.0.0.1 ${port}; echo "$heard"`)).toBe("refusal\n");
    });
  });

  /** A process with these threads; the first is its own. */
  function hasProcess(pid: number, states: string, { parent = 1, ticks = 0 } = {}): void {
    states.split("").forEach((state, n) => {
      const stat = `${pid} (a) b) ${state} ${parent} ${pid} 0 0 0 0 0 0 0 0 ${ticks} 1 0 0 20\n`;
      mkdirSync(join(folder, `${pid}/task/${pid + n}`), { recursive: true });
      writeFileSync(join(folder, `${pid}/task/${pid + n}/stat`), stat);
      if (n === 0) writeFileSync(join(folder, `${pid}/stat`), stat);
    });
  }

  it("looks at the processes of the container, but for its init, itself, and what has ended", async () => {
    const look = () => run('look; echo "${pids[*]} $cpu $working $stopped"');
    hasProcess(1, "T", { ticks: 5, parent: 0 });
    hasProcess(NOBODY, "SSS", { ticks: 7 });
    hasProcess(NOBODY + 10, "Z", { ticks: 100 });
    expect(await look()).toBe(`${NOBODY} 8 0 0\n`);
    hasProcess(NOBODY + 20, "SD", { ticks: 10 });
    expect(await look()).toBe(`${NOBODY} ${NOBODY + 20} 19 1 0\n`);
    hasProcess(NOBODY, "ST");
    expect(await look()).toContain("1 1\n");
    // This check, and what it has started.
    hasProcess(NOBODY + 30, "R", { ticks: 10 });
    hasProcess(NOBODY + 40, "R", { ticks: 10, parent: NOBODY + 30 });
    const itself = `mv ${folder}/${NOBODY + 30} ${folder}/$$; sed -i "s/ ${NOBODY + 30} / $$ /" ${folder}/${NOBODY + 40}/stat`;
    expect(await run(`${itself}; look; echo "\${pids[*]}"`)).toBe(`${NOBODY} ${NOBODY + 20}\n`);
  });

  it("ends what hangs, says so in the part's log, and ends nothing where it is not in a container with an init", async () => {
    writeFileSync(join(folder, "uptime"), "5000.00 1.00\n");
    hasProcess(1, "S");
    hasProcess(NOBODY, "T");
    mkdirSync(join(folder, "1/fd"));
    writeFileSync(join(folder, "1/fd/2"), "");
    const rounds = "hear() { heard=silence; }; for _ in 1 2 3 4 5; do check; done";
    for (const init of ["systemd", "kafka", "bash"]) {
      writeFileSync(join(folder, "1/comm"), `${init}\n`);
      expect(await run(rounds, ["kafka", "9092"])).toBe("");
    }
    writeFileSync(join(folder, "health-misses"), "");
    writeFileSync(join(folder, "1/comm"), "docker-init\n");
    const why = "kafka hangs, and is replaced: it was stopped by a signal, and did not go on for 0 s";
    expect(await run(rounds, ["kafka", "9092"])).toBe(`${why}\nkill -KILL ${NOBODY}\n`);
    expect(readFileSync(join(folder, "1/fd/2"), "utf8")).toBe(`${why}\n`);
    expect(readFileSync(join(folder, "health-misses"), "utf8")).toBe("");
  });

  describe("of the master, while the job does not run", () => {
    /** At each look, 15 s apart, so many workers are there and the job is "well" or not. */
    const looks = (chosen: string, ...seen: readonly (readonly [heard: string, workers: number])[]) => {
      writeFileSync(join(folder, "uptime"), "5000.00 1.00\n");
      mkdirSync(join(folder, "1/fd"), { recursive: true });
      writeFileSync(join(folder, "1/fd/2"), "");
      writeFileSync(join(folder, "1/comm"), "docker-init\n");
      writeFileSync(join(folder, "parallelism"), `${chosen}\n`);
      hasProcess(NOBODY, "S");
      const rounds = seen.map(
        ([heard, workers], n) =>
          `hear() { heard=${heard}; }; count_workers() { echo ${workers}; }; now() { at=${n * 1_500 + 100}; }; check`,
      );
      return run(rounds.join("\n"), ["master", "8081", "/jobs/overview"]);
    };
    const one = ["answer", 1] as const;

    it("starts it again with the workers that are left, once the others have been gone for a while", async () => {
      expect(await looks("2 1 counted", one, one)).toBe("");
      expect(await looks("2 1 counted", ["well", 2], one, one, one)).toBe(
        `the job needs 2 slots, and for 30 s there have been 1, of 1 workers: the master is started again, and the job goes on with a parallelism of 1\nkill -KILL ${NOBODY}\n`,
      );
      expect(readFileSync(join(folder, "1/fd/2"), "utf8")).toContain("a parallelism of 1\n");
    });

    it("leaves it alone when a worker comes back, when there are enough, and when master.sh has not chosen yet", async () => {
      expect(await looks("2 1 counted", one, one, ["answer", 2], one, one, ["well", 2], one, one)).toBe("");
      expect(await looks("2 2 counted", one, one, one, one)).toBe("");
      expect(await looks("", one, one, one, one)).toBe("");
    });

    it("says once what helps where starting it again does not", async () => {
      const none = ["answer", 0] as const;
      expect(await looks("3 2 counted", none, none, none, none, none)).toBe(
        "error: the job needs 3 slots, and for 30 s there have been 0, of 0 workers: it waits. Start more: docker compose up --detach --scale worker=2\n",
      );
      rmSync(join(folder, "health-lacking"));
      expect(await looks("4 1 fixed", one, one, one, one)).toBe(
        "error: the job needs 4 slots, and for 30 s there have been 1, of 1 workers: it waits. Start more: docker compose up --detach --scale worker=4; or leave PARALLELISM, which asks for as many, empty\n",
      );
    });
  });

  it("asks once more, and longer, before it ends what was only silent", async () => {
    writeFileSync(join(folder, "uptime"), "5000.00 1.00\n");
    writeFileSync(join(folder, "1/comm").replace("/1/comm", "/health-answered"), "");
    hasProcess(NOBODY, "S", { ticks: 1 });
    const said = await run(
      'now() { at=$((n * 500)); }; hear() { echo "asks for $1 s"; if (($1 > 2)); then heard=answer; else heard=silence; fi; }; for n in 1 2 3 4 5; do check; done; [[ -s $misses ]] || echo forgotten',
    );
    expect(said).toBe(`${"asks for 2 s\n".repeat(5)}asks for 10 s\nforgotten\n`);
  });

  it("is in no hurry, but for a part that was asked in vain; and the engine lets it finish", async () => {
    hasProcess(NOBODY, "S");
    writeFileSync(join(folder, "uptime"), "5000.00 1.00\n");
    const said = await run(
      'HEALTH_PACE="echo rests"; for heard_then in well silence silence refusal answer well; do hear() { heard=$heard_then; }; echo $heard_then; check; done',
    );
    expect(said).toBe("well\nrests\nsilence\nrests\nsilence\nrefusal\nanswer\nwell\nrests\n");
    const seconds = (name: string): number => Number(new RegExp(`^${name}=(\\d+)$`, "m").exec(SCRIPT)![1]);
    // Its own answer, that of another, and the last one; docker-compose.yml gives a check 16 s.
    expect(2 * seconds("ANSWER_S") + seconds("LATE_S")).toBeLessThan(16);
  });

  it("takes what it was itself held up for to say nothing, but for what was stopped", async () => {
    const rounds =
      "n=0; now() { at=$((n += 300)); }; hear() { heard=silence; }; judge() { echo judged; why=; }; check; check";
    hasProcess(NOBODY, "S");
    expect(await run(rounds)).toBe("");
    hasProcess(NOBODY, "T");
    expect(await run(rounds)).toBe("judged\njudged\n");
  });

  it("takes a master that waits for a store, and a balancer that waits for functions, for none that hangs", async () => {
    const waits = (args: readonly string[], silent: string) =>
      run(
        `hear() { echo "$2 $3 $4"; if [[ $2 == ${silent} ]]; then heard=silence; else heard=answer; fi; }; waits_for_another && echo waits`,
        args,
      );
    expect(await waits(["master", "8081", "/jobs/overview"], "minio")).toBe(
      "zookeeper zookeeper 2181\nkafka kafka 9092\nminio minio 9000\nwaits\n",
    );
    expect(await waits(["master", "8081", "/jobs/overview"], "nobody")).not.toContain("waits");
    expect(await waits(["balancer", "8000", "/healthz"], "functions")).toBe("functions function-servers 8000\nwaits\n");
    expect(await waits(["kafka", "9092"], "nobody")).toBe("");
  });
});
