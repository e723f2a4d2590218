import { describe, expect, it } from "vitest";

import { BacklogGate } from "./backlog-gate.js";

const after = (gate: BacklogGate, ...seconds: (number | undefined)[]): BacklogGate["overload"] => {
  for (const one of seconds) gate.update(one);
  return gate.overload;
};

describe("the gate", () => {
  it("closes beyond the bound and opens well below it, not at each step in between", () => {
    const gate = new BacklogGate(60);
    expect(after(gate, 60)).toBeUndefined();
    expect(after(gate, 60.5)).toEqual({ backlogSeconds: 60.5, maxSeconds: 60, retryAfterSeconds: 13 });
    expect(after(gate, 50)).toMatchObject({ backlogSeconds: 50, retryAfterSeconds: 2 });
    expect(after(gate, 48)).toBeUndefined();
    expect(after(gate, 59)).toBeUndefined();
  });

  it("sends nobody away for long", () => {
    expect(after(new BacklogGate(60), 3_600)?.retryAfterSeconds).toBe(30);
    expect(after(new BacklogGate(1), 1.1, 0.9)?.retryAfterSeconds).toBe(1);
  });

  it("is open when nothing is known, and always open when it has no bound", () => {
    expect(after(new BacklogGate(60), 100, undefined)).toBeUndefined();
    expect(after(new BacklogGate(0), 1e6)).toBeUndefined();
  });
});
