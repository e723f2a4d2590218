import { describe, expect, it } from "vitest";

import { recentOf } from "./checkpoints.js";

const checkpoint = (status: string, end_to_end_duration: number, state_size: number, checkpointed_size?: number) => ({
  status,
  end_to_end_duration,
  state_size,
  ...(checkpointed_size !== undefined && { checkpointed_size }),
});

describe("the last checkpoints", () => {
  it("are those that completed, the newest first", () => {
    const history = [
      checkpoint("IN_PROGRESS", 5, 0),
      checkpoint("COMPLETED", 40, 900, 100),
      checkpoint("FAILED", 60_000, 0),
      checkpoint("COMPLETED", 20, 800, 800),
      checkpoint("COMPLETED", 30, 700, 90),
    ];
    expect(recentOf({ history })).toEqual({
      count: 3,
      durationMs: { p50: 30, max: 40 },
      stateBytes: 900,
      writtenBytes: 100,
    });
  });

  it("are none before the first", () => {
    expect(recentOf({ history: [checkpoint("IN_PROGRESS", 5, 0)] })).toBeUndefined();
  });
});
