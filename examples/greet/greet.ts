import { Email, Greeting, SeenCount } from "../../protos/gen/demo/v1/greet.js";
import { type AnyMessage, type Context, valueSpec } from "../../statefun/index.js";
import { emailSenderOf } from "./email-sender.js";

export const seen = valueSpec("seen", SeenCount);

/** `demo/greet/<name>`: counts how often it saw this name, and has an e-mail sent. */
export function greet(context: Context<readonly [typeof seen]>, message: AnyMessage): void {
  const { name } = message.unpack(Greeting);
  const count = (context.state("seen").unpack(SeenCount)?.count ?? 0) + 1;
  context.state("seen").pack(SeenCount, { count });
  const text = count === 1 ? `Welcome, ${name}!` : `Nice to see you again, ${name}: visit ${count}.`;
  context.packAndSend(emailSenderOf(name), Email, { to: `${name}@example.com`, text });
}
