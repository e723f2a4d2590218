import { createServer, type ServerResponse } from "node:http";

import { messageBuilder, StateFun } from "apache-flink-statefun";

import { Any } from "../../protos/gen/google/protobuf/any.js";
import {
  type MessageType,
  nodeHttpListener,
  RequestReplyHandler,
  StatefulFunctions,
  typeUrlOf,
  valueSpec,
} from "../../statefun/index.js";
import { serveVariant } from "../serve-variant.js";

/**
 * One of the servers that are compared, in its own process: `BENCH_VARIANT` is `ours`, `apache` or `none`. Both SDKs do
 * the same: read a state, write it back changed, and send the message on. `none` is `node:http` by itself: it reads the
 * request and answers with as many bytes, so it shows what no SDK can go below. It says its port, and on SIGTERM ends.
 */
const BYTES: MessageType<Any> = Any;

type Server = ReturnType<typeof createServer>;

function handler(): RequestReplyHandler {
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
  return new RequestReplyHandler(functions, {
    maxBodyBytes: 64 * 1024 * 1024,
    logger: { error: (_, message) => process.stderr.write(`${message}\n`) },
  });
}

const ours = (): Server => createServer(nodeHttpListener(handler()));

function none(): Server {
  let reply: Uint8Array | undefined;
  const answer = async (body: Buffer, response: ServerResponse): Promise<void> => {
    // The first request is answered in earnest; all requests of a measurement are alike.
    reply ??= await handler().handle(body);
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": reply.length }).end(reply);
  };
  return createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => void answer(Buffer.concat(chunks), response));
  });
}

function apache(): Server {
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

await serveVariant({ ours, apache, none });
