import { describe, expect, it } from "vitest";

import { FEATURE_NAMES } from "../../functions/transaction-scorer/feature-vector.js";
import { durationText, featureLabel, featureText } from "./words.js";

describe("words", () => {
  it.each([
    ["amount_minor", 123_456n, "1,234.56", "EUR"],
    ["amount_minor", 0n, "0.00", "EUR"],
    ["amount_minor", 123_456n, "123,456", "JPY"],
    ["account.day_amount_minor", 123_456n, "123.456", "KWD"],
    ["account.amount_ratio_permille", 5_250n, "5.3 ×"],
    ["account.z_permille", -1_250n, "-1.25 SD"],
    ["account.z_permille", -30n, "-0.03 SD"],
    ["account.z_permille", -4n, "0 SD"],
    ["account.travel_distance_m", 1_500n, "1.5 km"],
    ["account.travel_distance_m", 2_314_000n, "2,314 km"],
    ["account.travel_speed_kmh", 1_204n, "1,204 km/h"],
    ["account.travel_elapsed_ms", 7_500_000n, "2 h 5 min"],
    ["merchant.run_age_s", 7_500n, "2 h 5 min"],
    ["merchant.fraud_rate_permille", 91n, "9.1 %"],
    ["account.velocity_count", 8n, "8"],
  ] as const)("%s %s: %s", (name, value, text, currency = "EUR") => {
    expect(featureText(name, value, currency)).toBe(text);
  });

  it("has a label of its own for every feature", () => {
    expect(new Set(FEATURE_NAMES.map(featureLabel)).size).toBe(FEATURE_NAMES.length);
  });

  it.each([
    [12, "12 ms"],
    [61_000, "1 min 1 s"],
    [3_600_000, "1 h"],
    [200_000_000, "2 d 7 h"],
  ])("%s ms: %s", (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});
