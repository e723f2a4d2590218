import { createServer } from "node:http";

import { given } from "../../process/environment.js";
import { nodeHttpListener, RequestReplyHandler, StatefulFunctions } from "../../statefun/index.js";
import { emailSender } from "./email-sender.js";
import { greet, seen } from "./greet.js";

const functions = new StatefulFunctions().bind("demo/greet", greet, { states: [seen] }).bind("demo/email_sender", emailSender);
const statefun = nodeHttpListener(new RequestReplyHandler(functions, { maxBodyBytes: 32 * 1024 * 1024, logger: { error: (_, message) => process.stderr.write(`${message}\n`) } }));

const env = given();
createServer({ keepAliveTimeout: 75_000 }, (request, response) => (request.url === "/healthz" ? response.end("ok") : statefun(request, response))).listen(Number(env["PORT"] ?? 8000), env["HOST"] ?? "127.0.0.1");
