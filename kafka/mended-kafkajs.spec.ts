import { createRequire } from "node:module";

import { afterEach, describe, expect, it, vi } from "vitest";

import "./client.js";
import { FETCH_VERSION, type FetchAnswer } from "./fetch-answer.js";
import { batchOf } from "./testing/batch.js";
import { PACKERS } from "./testing/packers.js";

const require = createRequire(import.meta.url);

interface Entry {
  readonly correlationId: number;
  readonly resolve: () => void;
  readonly reject: () => void;
}
interface RequestQueue {
  push(request: { entry: Entry; expectResponse: boolean; sendRequest: () => void }): void;
  fulfillRequest(answer: { correlationId: number; payload: Buffer; size: number }): void;
  maybeThrottle(ms: number): void;
  checkPendingRequests(): void;
}
const Queue = require("kafkajs/src/network/requestQueue/index.js") as new (options: object) => RequestQueue;
const silent = { debug: () => undefined, warn: () => undefined };

/** A connection's queue, and what it has sent. */
function queueOf(maxInFlightRequests: number | null) {
  const sent: number[] = [];
  const queue = new Queue({
    maxInFlightRequests,
    requestTimeout: 30_000,
    enforceRequestTimeout: false,
    clientId: "spec",
    broker: "b",
    logger: silent,
  });
  const push = (correlationId: number): void =>
    queue.push({
      entry: { correlationId, resolve: () => undefined, reject: () => undefined },
      expectResponse: true,
      sendRequest: () => sent.push(correlationId),
    });
  const answer = (correlationId: number): void =>
    queue.fulfillRequest({ correlationId, payload: Buffer.alloc(0), size: 0 });
  return { queue, sent, push, answer };
}

describe("kafkajs, mended", () => {
  afterEach(() => void vi.useRealTimers());

  it("sets no timer while no request waits for its turn", () => {
    vi.useFakeTimers();
    const { push, answer, queue } = queueOf(null);
    for (let n = 0; n < 5; n++) {
      push(n);
      answer(n);
    }
    queue.checkPendingRequests();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("sends what had to wait: for others' answers, and for a broker that throttles", () => {
    vi.useFakeTimers();
    const { push, answer, queue, sent } = queueOf(1);
    push(1);
    push(2);
    expect([sent, vi.getTimerCount()]).toEqual([[1], 1]);
    answer(1);
    expect(sent).toEqual([1, 2]);
    answer(2);
    vi.advanceTimersByTime(100);
    expect(vi.getTimerCount()).toBe(0);

    queue.maybeThrottle(500);
    push(3);
    vi.advanceTimersByTime(400);
    expect(sent).toEqual([1, 2]);
    vi.advanceTimersByTime(200);
    expect(sent).toEqual([1, 2, 3]);
    answer(3);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("never sets a timer in the past, of which Node 24 warns", () => {
    const set = vi.spyOn(globalThis, "setTimeout");
    const { push, answer } = queueOf(1);
    push(1);
    answer(1);
    push(2);
    push(3);
    answer(2);
    answer(3);
    expect(set.mock.calls.every(([, ms]) => ms === undefined || ms > 0)).toBe(true);
    set.mockRestore();
  });

  it("reads fetch answers by this project's own reader, in the one version that it knows", async () => {
    const fetch = require("kafkajs/src/protocol/requests/index.js") as {
      requests: {
        Fetch: {
          versions: string[];
          protocol(asked: { version: number }): (made: object) => {
            response: { decode(bytes: Buffer): Promise<FetchAnswer>; parse(answer: FetchAnswer): Promise<FetchAnswer> };
          };
        };
      };
    };
    expect(fetch.requests.Fetch.versions).toEqual([String(FETCH_VERSION)]);
    expect(() => fetch.requests.Fetch.protocol({ version: 10 })).toThrow("older than Kafka 2.3");
    const { response } = fetch.requests.Fetch.protocol({ version: FETCH_VERSION })({
      maxWaitTime: 1,
      minBytes: 1,
      maxBytes: 1,
      topics: [{ topic: "t", partitions: [{ partition: 3, fetchOffset: "6" }] }],
    });
    const batch = batchOf([{ value: "a" }, { value: "b" }], { firstOffset: 5, ...PACKERS["snappy, xerial"] });
    const head = Buffer.from(
      "00000000" +
        "0000" +
        "00000000" +
        "00000001" +
        "000174" +
        "00000001" +
        "00000003" +
        "0000" +
        "0000000000000007" +
        "0000000000000007" +
        "0000000000000000" +
        "00000000" +
        "ffffffff",
      "hex",
    );
    const length = Buffer.alloc(4);
    length.writeInt32BE(batch.length);
    const answer = await response.parse(await response.decode(Buffer.concat([head, length, batch])));
    expect(answer.responses).toMatchObject([
      {
        topicName: "t",
        partitions: [{ partition: 3, highWatermark: "7", messages: [{ offset: "6", value: Buffer.from("b") }] }],
      },
    ]);
  });
});
