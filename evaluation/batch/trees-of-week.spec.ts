import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { parseTrees } from "../../functions/transaction-scorer/trees.js";
import { ALL_WEEKS, OFFICIAL_WEEK, WEEK_DAYS } from "../weeks.js";
import { scoreByTrees, treesFileOf } from "./trees-of-week.js";

describe("the trees of a week", () => {
  it("score no week that they were trained on", () => {
    const trained = parseTrees(readFileSync(treesFileOf(OFFICIAL_WEEK), "utf8"));
    expect(trained.trainedOn.lastDay).toBe(OFFICIAL_WEEK.firstDay + WEEK_DAYS - 1);
    expect(() => scoreByTrees(trained, { firstDay: OFFICIAL_WEEK.firstDay - 1 })).toThrow(
      "not known in this test week",
    );
  });

  it.each(ALL_WEEKS)("are there for the training week from day $firstDay, and named after it", (week) => {
    const { id } = parseTrees(readFileSync(treesFileOf(week), "utf8"));
    expect(id).toBe(`handbook-day-${week.firstDay}`);
  });
});
