import { Email } from "../../protos/gen/demo/v1/greet.js";
import { type AnyMessage, type Context, functionType } from "../../statefun/index.js";

export const emailSenderOf = functionType("demo/email_sender", [Email]);

/** `demo/email_sender/<name>`: hands e-mails to whoever reads the topic `emails`, each exactly once. */
export function emailSender(context: Context, message: AnyMessage): void {
  context.packAndSendToKafka("demo/emails", { topic: "emails", key: context.address.id }, Email, message.unpack(Email));
}
