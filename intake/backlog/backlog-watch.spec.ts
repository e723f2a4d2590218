import { describe, expect, it } from "vitest";

import type { GroupLag } from "../../kafka/group-lag.js";
import { BacklogWatch } from "./backlog-watch.js";

const partition = (number: number, from: bigint, offsets: bigint): GroupLag => ({
  group: "g",
  topic: "t",
  partition: number,
  from,
  offsets,
  records: offsets,
});

/** A watch with a clock that advances a second with each look. */
function watching(maxSeconds: number, answers: () => Promise<readonly GroupLag[]>) {
  const clock = { nowMs: 0 };
  const watch = new BacklogWatch({ lag: { now: answers }, group: "g", maxSeconds, nowMs: () => clock.nowMs });
  const look = async (times: number): Promise<void> => {
    for (let n = 0; n < times; n++) {
      clock.nowMs += 1_000;
      await watch.sample();
    }
  };
  return { watch, look };
}

describe("the watch of the backlog", () => {
  it("adds the partitions up, closes and opens", async () => {
    const standing = [partition(0, 5n, 3n), partition(1, 70n, 0n)];
    let answer: readonly GroupLag[] = [partition(0, 5n, 0n), partition(1, 70n, 0n)];
    const { watch, look } = watching(20, () => Promise.resolve(answer));
    expect(watch.seconds).toBeUndefined();
    await look(5);
    expect([watch.seconds, watch.overload]).toEqual([0, undefined]);
    answer = standing;
    await look(20);
    expect([watch.seconds, watch.overload]).toEqual([19, undefined]);
    await look(3);
    expect(watch.overload).toEqual({ backlogSeconds: 22, maxSeconds: 20, retryAfterSeconds: 6 });
    answer = [partition(0, 8n, 0n), partition(1, 70n, 0n)];
    await look(1);
    expect([watch.seconds, watch.overload]).toEqual([0, undefined]);
  });

  it("counts what waits before another group as well, at its own pace", async () => {
    let n = 0;
    const { watch, look } = watching(0, () =>
      Promise.resolve([
        partition(0, BigInt(100 * ++n), 1_000n),
        { ...partition(0, BigInt(5_000 * n), 2_000n), group: "before", topic: "u" },
      ]),
    );
    await look(30);
    expect(watch.seconds).toBe(30);
  });

  it("keeps what it knows for a while without an answer, then knows nothing and turns nobody away", async () => {
    let answer: readonly GroupLag[] = [partition(0, 0n, 9n)];
    const { watch, look } = watching(5, () => Promise.resolve(answer));
    await look(10);
    answer = [];
    await look(10);
    expect([watch.seconds, watch.overload?.maxSeconds]).toEqual([9, 5]);
    await look(10);
    expect([watch.seconds, watch.overload]).toEqual([undefined, undefined]);
    // What stood still meanwhile has waited all that time.
    answer = [partition(0, 0n, 9n)];
    await look(1);
    expect([watch.seconds, watch.overload?.maxSeconds]).toEqual([30, 5]);
  });
});
