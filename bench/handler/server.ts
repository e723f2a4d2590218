import { createServer } from "node:http";

import { messageBuilder, StateFun } from "apache-flink-statefun";

import { Any } from "../../protos/gen/google/protobuf/any.js";
import { type MessageType, RequestReplyHandler, StatefulFunctions, typeUrlOf, valueSpec } from "../../statefun/index.js";

/**
 * One of the two servers that are compared, in a process of its own: `BENCH_SDK` is `ours` or `apache`. Both do the same: read a
 * state, write it back changed, and send the message on. It says its port, and on SIGTERM ends.
 */
const BYTES: MessageType<Any> = Any;

function ours(): ReturnType<typeof createServer> {
  const state = valueSpec("state", BYTES);
  const functions = new StatefulFunctions().bind(
    "bench/function",
    (context, message) => {
      const payload = message.unpack(BYTES);
      const before = context.state("state").unpack(BYTES);
      context.state("state").pack(BYTES, { typeUrl: payload.typeUrl, value: before?.value ?? payload.value });
      context.packAndSend({ typename: "bench/next", id: context.address.id }, BYTES, payload);
    },
    { states: [state] },
  );
  return createServer(new RequestReplyHandler(functions, { maxBodyBytes: 64 * 1024 * 1024, logger: { error: (_, message) => process.stderr.write(`${message}\n`) } }).nodeHttp());
}

function apache(): ReturnType<typeof createServer> {
  const type = StateFun.customType<Any>(
    typeUrlOf(BYTES),
    (value) => Buffer.from(BYTES.encode(value).finish()),
    (bytes) => BYTES.decode(bytes),
  );
  const statefun = new StateFun();
  statefun.bind({
    typename: "bench/function",
    specs: [{ name: "state", type }],
    fn: (context, message) => {
      const payload = message.as(type)!;
      const storage = context.storage as { state: Any | null };
      storage.state = { typeUrl: payload.typeUrl, value: storage.state?.value ?? payload.value };
      context.send(messageBuilder({ typename: "bench/next", id: context.self.id, value: payload, valueType: type }));
    },
  });
  const handle = statefun.handler();
  return createServer((request, response) => void handle(request, response));
}

const server = process.env["BENCH_SDK"] === "apache" ? apache() : ours();
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(`${typeof address === "object" ? address?.port : ""}\n`);
});
process.once("SIGTERM", () => process.exit(0));
