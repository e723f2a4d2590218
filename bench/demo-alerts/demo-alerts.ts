import { shareOf } from "../../dashboards/live/quality.js";
import { modelNamed } from "../../models/model-named.js";
import { thisMachine, writeJsonReport } from "../../terminal/json-report.js";
import { alertsOf } from "./alerts-of.js";

export interface DemoAlertsOptions {
  readonly model: readonly string[];
  readonly seed: number;
  readonly transactions: number;
}

/** What share of the demo's alerts is fraud, by model. Writes `reports/bench-demo-alerts.json`. */
export async function benchDemoAlerts({ model: names, seed, transactions }: DemoAlertsOptions, signal: AbortSignal) {
  const figures = [];
  for (const name of names) {
    signal.throwIfAborted();
    const { model } = modelNamed(name);
    const found = await alertsOf(model, seed, transactions);
    const patterns = Object.fromEntries(found.patterns);
    process.stdout.write(
      [
        `${model.id}, seed ${seed}: of ${found.transactions} transactions ${found.frauds} are fraud`,
        `  alerts      ${found.alerts}, ${((found.alerts * 1000) / found.transactions).toFixed(1)} of 1,000 transactions; fraud: ${share(found.alertsOnFrauds, found.alerts)}`,
        `  suspicious  ${found.suspicious} decisions; fraud: ${share(found.suspiciousFrauds, found.suspicious)}`,
        `  found       ${share(found.suspiciousFrauds, found.frauds)} of the frauds`,
        ...Object.entries(patterns).map(
          ([pattern, counts]) => `    ${pattern}: ${counts.suspicious} of ${counts.frauds}`,
        ),
        "",
      ].join("\n"),
    );
    figures.push({ ...found, model: model.id, seed, patterns });
  }
  writeJsonReport("reports/bench-demo-alerts.json", { machine: thisMachine(), figures });
}

function share(part: number, of: number): string {
  const found = shareOf(part, of);
  if (found === undefined) return "–";
  const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;
  return `${percent(found.value)} (95 %: ${percent(found.from)} to ${percent(found.to)})`;
}
