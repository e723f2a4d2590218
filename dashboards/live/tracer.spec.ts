import { describe, expect, it } from "vitest";

import type { Finished, StartedProgram } from "../../process/run-command.js";
import { Tracer } from "./tracer.js";

/** Programs that end when they are told to. */
function programs() {
  const started: {
    readonly args: readonly string[];
    readonly end: (how: Partial<Finished>) => void;
    killed: boolean;
  }[] = [];
  const start = (args: readonly string[]): StartedProgram => {
    let end: (how: Partial<Finished>) => void = () => undefined;
    const finished = new Promise<Finished>(
      (resolve) => (end = (how) => resolve({ code: 0, signal: null, stdout: "", stderr: "", ...how })),
    );
    const program = { args, end, killed: false };
    started.push(program);
    return {
      pid: 1,
      output: () => "",
      kill: () => ((program.killed = true), end({ code: null, signal: "SIGTERM" })),
      finished,
    };
  };
  return { started, tracer: new Tracer("broker:9092", start) };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("Tracer", () => {
  it("asks for exactly this transaction, whatever it is called", async () => {
    const { started, tracer } = programs();
    const answer = tracer.trace("-a", "--help");
    await settled();
    expect(started[0]!.args).toEqual(["trace", "--account=-a", "--brokers=broker:9092", "--json", "--", "--help"]);
    started[0]!.end({ code: 1, stdout: '{"transactionId":"--help"}' });
    expect(await answer).toEqual({ status: 200, trace: { transactionId: "--help" } });
  });

  it.each([
    ["missing: a Java 17 JDK (get it: apt-get install x).", "tool-missing", 501],
    ["no transaction t of account a has entered, was refused or decided.", "not-found", 404],
    ["Kafka at broker:9092 does not answer.", undefined, 503],
  ])("passes on why there is none: %s", async (message, code, status) => {
    const { started, tracer } = programs();
    const answer = tracer.trace("a", "t");
    await settled();
    started[0]!.end({
      code: 1,
      stdout: JSON.stringify({ error: { code, message } }),
      stderr: `  tools …\nerror: ${message}\n`,
    });
    expect(await answer).toEqual({ status, error: message });
  });

  it("says so when a trace fails without a word", async () => {
    const { started, tracer } = programs();
    const answer = tracer.trace("a", "t");
    await settled();
    started[0]!.end({ code: 1, stderr: "TypeError: x is undefined\n    at y" });
    expect(await answer).toEqual({ status: 503, error: "npm run trace failed; see the web app's log" });
  });

  it("makes one at a time, and lets only a few wait", async () => {
    const { started, tracer } = programs();
    const answers = Array.from({ length: 8 }, (_, n) => tracer.trace("a", `t${n}`));
    expect(await tracer.trace("a", "one too many")).toMatchObject({ status: 503 });
    for (let n = 0; n < 8; n++) {
      await settled();
      expect(started).toHaveLength(n + 1);
      started[n]!.end({ stdout: `{"n":${n}}` });
      expect(await answers[n]).toMatchObject({ status: 200 });
    }
    const next = tracer.trace("a", "after them");
    const waiting = tracer.trace("a", "and after that");
    await settled();
    expect(started).toHaveLength(9);
    tracer.stop();
    expect(started[8]!.killed).toBe(true);
    expect(await next).toMatchObject({ status: 503 });
    expect(await waiting).toMatchObject({ status: 503 });
    expect(started).toHaveLength(9);
  });
});
