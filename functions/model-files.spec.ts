import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, it } from "vitest";

import { REPOSITORY_ROOT } from "../process/repository-root.js";
import { parseSettings } from "./settings.js";
import { readModels } from "./model-files.js";
import { Models } from "./transaction-scorer/models.js";

const LEARNED = parseSettings({ learned: { events: 64 } });
const idsOf = (paths: string, settings = LEARNED): string[] =>
  readModels(paths, REPOSITORY_ROOT, settings).map(({ id }) => id);

describe("the models of a server", () => {
  const folder = mkdtempSync(join(tmpdir(), "fraud-models-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("are files and folders, in the order given", () => {
    expect(idsOf("models/points-v1.json")).toEqual(["points-v1"]);
    expect(idsOf("models/handbook/day-115.json, models/points-v1.json,")).toEqual(["handbook-day-115", "points-v1"]);
    expect(idsOf("models/points-v1.json,models/handbook")).toHaveLength(9);
  });

  it("are refused in one line that names the file and what is wrong", () => {
    writeFileSync(join(folder, "broken.json"), '{"kind":"trees"}');
    for (const [paths, message] of [
      ["", /^FRAUD_MODEL names no model file/],
      ["models/none.json", /^models\/none\.json: ENOENT/],
      [`${folder}/broken.json`, /broken\.json: model: /],
      [folder, /broken\.json: model: /],
    ] as const)
      expect(() => idsOf(paths)).toThrow(message);
  });

  it("are refused when the settings leave off what they need", () => {
    expect(() => idsOf("models/points-v1.json,models/handbook/day-115.json", parseSettings())).toThrow(
      "models/handbook/day-115.json: the model handbook-day-115 needs account.count_30d, which is off: switch it on by learned.events in FRAUD_SETTINGS",
    );
    expect(() => idsOf("evaluation/trees-of-places/day-115.json", LEARNED)).toThrow(
      /needs account\.(on_web|merchant_visits)/,
    );
    const places = parseSettings({ account: { knownMerchants: 256 }, learned: { events: 192, places: true } });
    expect(idsOf("evaluation/trees-of-places/day-115.json", places)).toEqual(["places-day-115"]);
    expect(() =>
      idsOf(
        "evaluation/trees-of-places/day-115.json",
        parseSettings({ account: { knownMerchants: 256 }, learned: { events: 192 } }),
      ),
    ).toThrow("needs account.on_web, which is off: switch it on by learned.places in FRAUD_SETTINGS");
    // Rules just don't hold on what is not known.
    expect(idsOf("models/points-v2.json", parseSettings())).toEqual(["points-v2"]);
  });

  it("are found by the hash of their file; the first one where none is named", () => {
    const [first, ...others] = readModels(
      "models/points-v1.json,models/handbook/day-115.json",
      REPOSITORY_ROOT,
      LEARNED,
    );
    const models = new Models(first, others);
    expect(models.named(new Uint8Array())).toMatchObject({ id: "points-v1", loaded: first });
    expect(models.named(others[0]!.hash)).toMatchObject({ id: "handbook-day-115", loaded: others[0] });
    const unknown = new Uint8Array(32).fill(7);
    expect(models.named(unknown)).toEqual({ id: "", hash: unknown, loaded: undefined });
  });
});
