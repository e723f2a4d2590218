import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

import { bandOf, type FeatureBands, MAX_PPM, parseTrees } from "../../functions/transaction-scorer/trees.js";
import { handbookDataSet } from "../../ingress-generator/handbook/data-set.js";
import { type FeatureMatrix, rowOf } from "../batch/features.js";
import { learnedFeatures } from "../batch/learned-features.js";
import { treesFileOf } from "../batch/trees-of-week.js";
import { OFFICIAL_WEEK, type Range, trainingTransactions, transactionsOf, WEEK_DAYS } from "../weeks.js";

const data = handbookDataSet();
const model = parseTrees(readFileSync(treesFileOf(OFFICIAL_WEEK), "utf8"));

/** The share of each band among these transactions. */
function sharesOf(bands: FeatureBands, features: FeatureMatrix, { from, to }: Range): number[] {
  const column = model.features.indexOf(bands.feature);
  const counts = bands.ppm.map(() => 0);
  for (let at = from; at < to; at++) counts[bandOf(bands, rowOf(features, at)[column]!)]!++;
  return counts.map((count) => count / (to - from));
}

it("the official week's model has the shares of its training week, and its test week is as that was", () => {
  const training = trainingTransactions(data, OFFICIAL_WEEK);
  const testDay = OFFICIAL_WEEK.firstDay + 2 * WEEK_DAYS;
  const test = transactionsOf(data, { from: testDay, to: testDay + WEEK_DAYS });
  const features = learnedFeatures(data, { from: training.from, to: test.to });
  expect(model.reference).toHaveLength(8);
  for (const bands of model.reference!) {
    const own = sharesOf(bands, features, training);
    for (const [n, ppm] of bands.ppm.entries())
      expect(Math.abs(own[n]! * MAX_PPM - ppm), bands.feature).toBeLessThan(1);
    const later = sharesOf(bands, features, test);
    const index = later.reduce((sum, share, n) => sum + (share - own[n]!) * Math.log(share / own[n]!), 0);
    expect(index, bands.feature).toBeLessThan(0.005);
  }
});
