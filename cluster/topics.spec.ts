import { describe, expect, it } from "vitest";

import { RETENTION_BYTES, TOPICS } from "../contract/topics.js";
import { configOf, retentionSetting } from "./topics.js";

describe("what topics keep", () => {
  it("is a gibibyte of a partition, or what is set", () => {
    expect(retentionSetting({})).toBe(RETENTION_BYTES);
    expect(retentionSetting({ FRAUD_RETENTION_MB: " " })).toBe(RETENTION_BYTES);
    expect(retentionSetting({ FRAUD_RETENTION_MB: "5000" })).toBe(5e9);
    expect(() => retentionSetting({ FRAUD_RETENTION_MB: "100" })).toThrow(/FRAUD_RETENTION_MB.*256/);
    expect(() => retentionSetting({ FRAUD_RETENTION_MB: "lots" })).toThrow(/FRAUD_RETENTION_MB/);
  });

  it("has no bound in bytes where strangers write, and none where the newest of each key stays", () => {
    const unbounded = Object.values(TOPICS).filter(
      (topic) => !configOf(topic, 1e9).some(({ name }) => name === "retention.bytes"),
    );
    expect(unbounded).toEqual([TOPICS.transactions, TOPICS.labels, TOPICS.models]);
  });
});
