import { createServer } from "node:http";

import { LIMITS } from "../../../contract/limits.js";
import { noStrangers } from "../../../http/strangers.js";
import { given } from "../../../process/environment.js";
import { nodeHttpListener, RequestReplyHandler } from "../../../statefun/index.js";
import { programFunctions } from "../../../statefun/testing/program.js";

/** Serves the program's function at `HOST` and `PORT`, as the cluster starts it. */
const handler = nodeHttpListener(
  new RequestReplyHandler(programFunctions(["smoke/function"]), {
    maxBodyBytes: LIMITS.bodyBytes,
    logger: { error: (_, message) => process.stderr.write(`${message}\n`) },
  }),
);

const server = createServer(
  { keepAliveTimeout: 75_000 },
  noStrangers({ hosts: [], variable: "" }, (request, response) => {
    if (request.url === "/healthz") response.end("ok");
    else handler(request, response);
  }),
);
server.listen(Number(given()["PORT"]), given()["HOST"]);
process.once("SIGTERM", () => process.exit(0));
