import { describe, expect, it } from "vitest";

import { topicIdsIn, topicIdsRequest } from "./topic-ids.js";

// Both by Kafka 3.9.1's own Java classes: it reads this request as intended, and this response is one that it wrote,
// with two brokers, a partition without a leader, a topic that is not there, and one without an id.
const REQUEST =
  "0003000000000000000000000000000000000d7472616e73616374696f6e730000000000000000000000000000000000076c6162656c730000000000";
const RESPONSE =
  "000000000503000000010a3132372e302e302e310000238400000000000205686f7374000023850372310008636c7573746572000000010400000d7472616e73616374696f6e73c1d27d528f214b498aab41775f49fb5e0003000500000001ffffffff0000000303000000010000000202000000010100000500000000ffffffff000000030300000001000000020200000001010080000000000003076c6162656c7300000000000000000000000000000000000180000000000000046f6c6400000000000000000000000000000000000180000000008000000000";

describe("the request for topics' ids", () => {
  it("is what Kafka reads", () => {
    expect(
      (topicIdsRequest(["transactions", "labels"]) as unknown as { readonly buffer: Buffer }).buffer.toString("hex"),
    ).toBe(REQUEST);
  });

  it("has its answer read: no id of a topic that is not there, an empty one where the broker gives none", () => {
    const ids = topicIdsIn(Buffer.from(RESPONSE, "hex"));
    expect([...ids].map(([name, id]) => [name, id.toString("base64url")])).toEqual([
      ["transactions", "wdJ9Uo8hS0mKq0F3X0n7Xg"],
      ["old", ""],
    ]);
  });

  it("throws when the broker cannot say", () => {
    // LEADER_NOT_AVAILABLE instead of UNKNOWN_TOPIC_OR_PARTITION.
    expect(() => topicIdsIn(Buffer.from(RESPONSE.replace("0003076c6162656c73", "0005076c6162656c73"), "hex"))).toThrow(
      "topic labels is: error 5",
    );
  });
});
