import { describe, expect, it } from "vitest";

import { composeEnv } from "./compose-env.js";

describe("composeEnv", () => {
  it("reads what .env says, overridden by the environment, and nothing else from the environment", () => {
    const text = "# images\nKAFKA_IMAGE=apache/kafka:3.9.1\n\nKAFKA_PORT=9092\n# OLD=1\n";
    expect(composeEnv(text, { KAFKA_PORT: "19092", HOME: "/root" })).toEqual({
      KAFKA_IMAGE: "apache/kafka:3.9.1",
      KAFKA_PORT: "19092",
    });
  });
});
