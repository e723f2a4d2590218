import { createServer } from "node:http";

import { Any } from "../../protos/gen/google/protobuf/any.js";
import {
  type MessageType,
  nodeHttpListener,
  RequestReplyHandler,
  StatefulFunctions,
  valueSpec,
} from "../../statefun/index.js";

/**
 * The function server of the comparison, in its own process: it reads a state, writes it back, and sends the message on
 * to an address with the called one's id, so that a caller can tell that an answer is its own. It says its port, and on
 * SIGTERM ends.
 */
const BYTES: MessageType<Any> = Any;

const functions = new StatefulFunctions().bind(
  "bench/function",
  (context, message) => {
    const state = context.state("state");
    const payload = message.unpack(BYTES);
    state.pack(BYTES, state.unpack(BYTES) ?? payload);
    context.packAndSend({ typename: "bench/next", id: context.address.id }, BYTES, payload);
  },
  { states: [valueSpec("state", BYTES)] },
);
const handler = new RequestReplyHandler(functions, {
  maxBodyBytes: 32 * 1024 * 1024,
  logger: { error: (_, message) => process.stderr.write(`${message}\n`) },
});
const server = createServer({ keepAliveTimeout: 75_000, headersTimeout: 80_000 }, nodeHttpListener(handler));
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(`${typeof address === "object" ? address?.port : ""}\n`);
});
process.once("SIGTERM", () => process.exit(0));
