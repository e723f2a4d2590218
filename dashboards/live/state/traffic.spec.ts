import { describe, expect, it } from "vitest";

import type { ExactlyOnceCounts } from "../wire.js";
import { SAMPLE_PIPELINE } from "../testing/samples.js";
import { Traffic } from "./traffic.js";

const counts: ExactlyOnceCounts = {
  sent: 0,
  decided: 0,
  duplicates: 0,
  missing: 0,
  waiting: 0,
  rejected: 0,
  forgotten: 0,
};

describe("Traffic", () => {
  it("gives each second its own figures", () => {
    const traffic = new Traffic(10);
    for (let n = 1; n <= 100; n++) {
      traffic.onSent();
      traffic.onVisible(n);
      traffic.onDecided(n <= 90 ? "APPROVE" : "DECLINE", n * 10);
    }
    traffic.onAlert();
    expect(traffic.close(1_000, counts, SAMPLE_PIPELINE)).toMatchObject({
      t: 1_000,
      in: 100,
      out: 100,
      alerts: 1,
      approve: 90,
      decline: 10,
      visible: { p50: 50, p99: 99 },
      committed: { p50: 500, p99: 990 },
    });
    expect(traffic.close(2_000, counts, SAMPLE_PIPELINE)).toMatchObject({
      t: 2_000,
      in: 0,
      out: 0,
      alerts: 0,
      visible: null,
      committed: null,
    });
  });

  it("keeps as many seconds as it may", () => {
    const traffic = new Traffic(3);
    for (let n = 1; n <= 5; n++) traffic.close(n, counts, SAMPLE_PIPELINE);
    expect(traffic.pulses.map(({ t }) => t)).toEqual([3, 4, 5]);
  });

  it("counts a decision of unknown latency", () => {
    const traffic = new Traffic(3);
    traffic.onDecided("REVIEW", undefined);
    expect(traffic.close(1, counts, SAMPLE_PIPELINE)).toMatchObject({ out: 1, review: 1, committed: null });
  });
});
