import { describe, expect, it } from "vitest";

import { ConfigResourceTypes } from "../../kafka/client.js";
import { settingsIn } from "./broker-logs.js";

type Resources = Parameters<typeof settingsIn>[0];
const resource = (type: Resources[number]["resourceType"], name: string, settings: Record<string, string | null>) =>
  ({
    resourceType: type,
    resourceName: name,
    configEntries: Object.entries(settings).map(([configName, configValue]) => ({ configName, configValue })),
  }) as Resources[number];

describe("the settings by which a log's size is understood", () => {
  it("are those of the topic, and how often the broker looks", () => {
    const { checkMs, numberOf } = settingsIn([
      // A topic of a broker's name.
      resource(ConfigResourceTypes.TOPIC, "1", { "segment.bytes": "7" }),
      resource(ConfigResourceTypes.BROKER, "1", { "log.retention.check.interval.ms": "10000" }),
      resource(ConfigResourceTypes.TOPIC, "labels", { "retention.bytes": "-1", "segment.bytes": "67108864" }),
    ]);
    expect(checkMs).toBe(10_000);
    expect(numberOf("labels", "segment.bytes")).toBe(67_108_864);
    expect(numberOf("labels", "retention.bytes")).toBeUndefined();
    expect(numberOf("gone", "segment.bytes")).toBeUndefined();
  });

  it("are not guessed", () => {
    expect(() => settingsIn([resource(ConfigResourceTypes.BROKER, "1", {})])).toThrow(
      /log\.retention\.check\.interval\.ms/,
    );
  });
});
