import { createServer } from "node:http";

import { hostList, noStrangers } from "../../http/strangers.js";
import { given } from "../../process/environment.js";
import { statefun } from "./functions.js";

const env = given();
const names = { hosts: hostList(env["FUNCTIONS_HOSTS"] ?? ""), variable: "FUNCTIONS_HOSTS" };
createServer(
  { keepAliveTimeout: 75_000 },
  noStrangers(names, (request, response) =>
    request.url === "/healthz" ? response.end("ok") : statefun(request, response),
  ),
).listen(Number(env["PORT"] ?? 8000), env["HOST"] ?? "127.0.0.1");
