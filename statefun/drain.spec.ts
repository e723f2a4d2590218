import { Agent, createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { ToFunction } from "./gen/io/statefun/reqreply.js";
import { nodeHttpListener } from "./http.js";
import { drain, RequestReplyHandler, StatefulFunctions } from "./index.js";
import { type BatchResponse, decodeReplies, encodeCalls, postBatch } from "./testing/batch-client.js";

let goOn: (() => void)[];
const functions = new StatefulFunctions()
  .bind("demo/quick", () => undefined)
  .bind("demo/wait", () => new Promise<void>((resolve) => void goOn.push(resolve)));
const handler = new RequestReplyHandler(functions, { maxBodyBytes: 100_000, logger: { error: () => undefined } });
const call = (type: string): Uint8Array =>
  ToFunction.encode({
    request: {
      $case: "invocation",
      value: {
        target: { namespace: "demo", type, id: "1" },
        state: [],
        invocations: [{ caller: undefined, argument: undefined }],
      },
    },
  }).finish();
const callsOf = (...types: string[]): Buffer => encodeCalls(types.map((type, id) => ({ id, payload: call(type) })));

let server: Server;
let port: number;
let agent: Agent;

beforeEach(async () => {
  goOn = [];
  agent = new Agent({ keepAlive: true });
  server = createServer({ keepAliveTimeout: 60_000 }, nodeHttpListener(handler));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ({ port } = server.address() as AddressInfo);
});
afterEach(() => {
  agent.destroy();
  server.closeAllConnections();
});

const post = (...types: string[]) => postBatch(`http://127.0.0.1:${port}/statefun/batch`, callsOf(...types), { agent });
async function idsOf(response: BatchResponse): Promise<number[]> {
  await response.ended;
  return decodeReplies(response.body()).flatMap((frame) => (frame.kind === "result" ? [frame.id] : []));
}

describe("a server that stops", () => {
  it("finishes the answers that it has begun, with `connection: close`", async () => {
    expect((await post("quick")).headers.connection).toBe("keep-alive");
    const pending = post("wait", "wait");
    await expect.poll(() => goOn).toHaveLength(2);
    const drained = drain(server);
    for (const go of goOn) go();
    const response = await pending;
    expect(response.headers.connection).toBe("close");
    expect(await idsOf(response)).toEqual([0, 1]);
    await drained;
  });

  it("does so on the single route", async () => {
    const pending = postBatch(`http://127.0.0.1:${port}/statefun`, call("wait"), {
      agent,
      contentType: "application/octet-stream",
    });
    await expect.poll(() => goOn).toHaveLength(1);
    const drained = drain(server);
    goOn[0]!();
    expect(await pending).toMatchObject({
      status: 200,
      headers: { connection: "close", "content-type": "application/octet-stream" },
    });
    await drained;
  });

  it("says so in the next answer on a connection whose headers had already been sent", async () => {
    const streamed = await post("quick", "wait");
    expect(streamed.headers.connection).toBe("keep-alive");
    const drained = drain(server);
    goOn[0]!();
    expect(await idsOf(streamed)).toEqual([0, 1]);
    const last = await post("quick");
    expect(last.headers.connection).toBe("close");
    expect(await idsOf(last)).toEqual([0]);
    await drained;
  });

  it("does not hang up on a client that is about to send, but on one that sends nothing", async () => {
    const [ready, idle] = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
    const answers: string[] = [];
    ready.on("data", (chunk: Buffer) => answers.push(chunk.toString("latin1")));
    const body = callsOf("quick");
    const request = Buffer.concat([
      Buffer.from(
        `POST /statefun/batch HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-statefun-batch\r\ncontent-length: ${body.length}\r\n\r\n`,
      ),
      body,
    ]);
    ready.write(request);
    idle.write(request);
    const idleEnded = new Promise((resolve) => idle.resume().on("end", resolve));
    await expect.poll(() => answers.join("")).toContain("keep-alive");
    const drained = drain(server);
    ready.write(request);
    await expect.poll(() => answers.join("")).toContain("connection: close");
    await idleEnded;
    await drained;
  });

  it("takes no more connections", async () => {
    await drain(server);
    await expect(post("quick")).rejects.toThrow("ECONNREFUSED");
  });
});
