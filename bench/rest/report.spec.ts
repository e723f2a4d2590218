import { describe, expect, it } from "vitest";

import { ratesOf, restTable, totalOf } from "./report.js";

const before = new Map([
  ["kafka", 10],
  ["minio", 1],
]);

describe("what parts take at rest", () => {
  it("is their processor time a second, the most first", () => {
    const after = new Map([
      ["kafka", 10.6],
      ["minio", 4],
    ]);
    const parts = ratesOf(before, after, 60);
    expect(parts).toEqual([
      { part: "minio", msPerSecond: 50 },
      { part: "kafka", msPerSecond: 10 },
    ]);
    expect(totalOf(parts)).toBe(60);
  });

  it("is no figure when a part began anew, or is gone", () => {
    expect(() => ratesOf(before, new Map([...before, ["kafka", 2]]), 60)).toThrow("kafka ended or began anew");
    expect(() => ratesOf(before, new Map([["kafka", 11]]), 60)).toThrow("minio ended or began anew");
  });

  it("is a table for people", () => {
    const text = restTable({
      machine: { cpu: "x", cores: 2, memoryGiB: 4, node: "v20" },
      seconds: 60,
      sinceStart: 50,
      parts: [
        { part: "taskmanager", msPerSecond: 100.25 },
        { part: "kafka", msPerSecond: 50 },
      ],
      total: 150.3,
      load: { average: [0.5, 0.25], othersMsPerSecond: 12.4 },
    });
    expect(text.split("\n")).toEqual([
      "ms of processor time a second, over 60 s with nothing sent",
      "  taskmanager    100.3",
      "  kafka           50.0",
      "  in all         150.3",
      "  the rest of the machine: 12; load average 0.50 before, 0.25 after",
      "",
    ]);
  });
});
