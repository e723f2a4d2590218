import { describe, expect, it } from "vitest";

import { MAX_PORT_OFFSET } from "../contract/ports.js";
import { clusterSettings } from "./settings.js";

describe("clusterSettings", () => {
  it("keeps every port below those that outgoing connections get: one of them would be taken by chance", () => {
    const ports = Object.values(clusterSettings({ portOffset: MAX_PORT_OFFSET }).ports);
    expect(Math.max(...ports)).toBeLessThan(32_768);
    expect(new Set(ports).size).toBe(ports.length);
  });
});
