import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { resolve } from "node:path";

import type { StateFun } from "apache-flink-statefun";

import type { Dependencies } from "../../../functions/dependencies.js";
import { logicVersion, parseSettings } from "../../../functions/settings.js";
import { parseModel } from "../../../functions/transaction-scorer/model.js";
import { given } from "../../../process/environment.js";
import { REPOSITORY_ROOT } from "../../../process/repository-root.js";
import { officialFunctions } from "./official-functions.js";
import { workshopFunctions } from "./workshop-functions.js";

/**
 * A function server on Apache's SDK, as its README has it: `http.createServer(statefun.handler()).listen(port)`, with
 * Node's defaults; besides it answers `GET /healthz`, which the cluster asks for. `BENCH_VARIANT` says with which
 * functions.
 */
const FUNCTIONS: Readonly<Record<string, (dependencies: Dependencies) => StateFun>> = {
  "official-sdk": officialFunctions,
  workshop: workshopFunctions,
};

const env = given();
const functions = FUNCTIONS[env["BENCH_VARIANT"] ?? ""];
if (functions === undefined) throw new Error(`BENCH_VARIANT is one of ${Object.keys(FUNCTIONS).join(", ")}`);
const settings = parseSettings();
const statefun = functions({
  settings,
  model: parseModel(readFileSync(resolve(REPOSITORY_ROOT, "models/points-v1.json"))),
  logicVersion: logicVersion(settings),
  metrics: { count: () => undefined, waiting: () => undefined, decided: () => undefined, alerted: () => undefined },
  now: () => BigInt(Date.now()),
});
const handle = statefun.handler();
createServer((request, response) => {
  if (request.url === "/healthz") response.end("ok");
  else void handle(request, response);
}).listen(Number(env["PORT"]), env["HOST"]);
process.once("SIGTERM", () => process.exit(0));
