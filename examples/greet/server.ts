import { createServer } from "node:http";

import { given } from "../../process/environment.js";
import { statefun } from "./functions.js";

const env = given();
createServer({ keepAliveTimeout: 75_000 }, (request, response) =>
  request.url === "/healthz" ? response.end("ok") : statefun(request, response),
).listen(Number(env["PORT"] ?? 8000), env["HOST"] ?? "127.0.0.1");
