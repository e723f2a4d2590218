import { nodeHttpListener, RequestReplyHandler, StatefulFunctions } from "../../statefun/index.js";
import { emailSender } from "./email-sender.js";
import { greet, seen } from "./greet.js";

export const functions = new StatefulFunctions()
  .bind("demo/greet", greet, { states: [seen] })
  .bind("demo/email_sender", emailSender);

export const statefun = nodeHttpListener(
  new RequestReplyHandler(functions, {
    maxBodyBytes: 32 * 1024 * 1024,
    logger: { error: (_, message) => process.stderr.write(`${message}\n`) },
  }),
);
