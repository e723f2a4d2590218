import { describe, expect, it } from "vitest";

import { failedService } from "./start-compose-cluster.js";

describe("failedService", () => {
  it("finds the service in what compose says", () => {
    expect(failedService("fraud-demo", 'service "init" didn\'t complete successfully: exit 1')).toBe("init");
    expect(failedService("fraud-demo", "dependency failed to start: container fraud-demo-minio-1 is unhealthy")).toBe(
      "minio",
    );
    expect(failedService("fraud-demo", "container fraud-demo-keys-1 exited (1)")).toBe("keys");
    expect(failedService("fraud-demo", "Error response from daemon: driver failed")).toBeUndefined();
  });
});
