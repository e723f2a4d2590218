import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { flinkClientAt } from "./flink.js";

const FOLDER = "s3://statefun/savepoints/restart-1";
let server: Server | undefined;

// On a busy machine this server may take longer than a client of Flink waits for it.
beforeEach(() => void vi.spyOn(AbortSignal, "timeout").mockImplementation(() => new AbortController().signal));
afterEach(() => {
  vi.restoreAllMocks();
  server?.closeAllConnections();
  server?.close();
});

const body = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString());
};

/** A Flink with one job. @param operation - what it says about the savepoint; `gone`: it has ended with its job */
async function flink(operation: object | "gone"): Promise<{ readonly url: string; readonly asked: unknown[] }> {
  const asked: unknown[] = [];
  server = createServer((request, response) => {
    void (async () => {
      if (request.url === "/jobs/overview")
        return response.end(JSON.stringify({ jobs: [{ jid: "j", state: "RUNNING", "start-time": 1, tasks: {} }] }));
      if (request.method === "POST" && request.url === "/jobs/j/savepoints") {
        asked.push(await body(request));
        return response.end(JSON.stringify({ "request-id": "r" }));
      }
      if (request.url === "/jobs/j/savepoints/r" && operation !== "gone")
        return response.end(JSON.stringify({ operation }));
      return request.socket.destroy();
    })();
  });
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

describe("questions of the same moment", () => {
  it("share the one about which job it is, and no later question gets that answer", async () => {
    const asked: string[] = [];
    server = createServer((request, response) => {
      asked.push(request.url!);
      response.end(
        JSON.stringify(
          request.url === "/jobs/overview"
            ? { jobs: [{ jid: "j", state: "RUNNING", "start-time": 1, tasks: { running: 1, total: 1 } }] }
            : { counts: { completed: 3, failed: 0 }, latest: { completed: null } },
        ),
      );
    });
    await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
    const client = flinkClientAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const [job, checkpoints] = await Promise.all([client.jobState(), client.checkpoints()]);
    expect([job, checkpoints]).toEqual(["RUNNING", { completed: 3, failed: 0, last: undefined }]);
    expect(asked).toEqual(["/jobs/overview", "/jobs/j/checkpoints"]);
    await client.jobState();
    expect(asked.at(-1)).toBe("/jobs/overview");
  });
});

describe("stateBackend", () => {
  it.each([
    { name: "HashMapStateBackend", backend: "hashmap" },
    { name: "EmbeddedRocksDBStateBackend", backend: "rocksdb" },
    { name: "SomethingElse", backend: "unreachable" },
  ])("knows Flink's $name", async ({ name, backend }) => {
    server = createServer(
      (request, response) =>
        void response.end(
          JSON.stringify(
            request.url === "/jobs/overview"
              ? { jobs: [{ jid: "j", "start-time": 1 }] }
              : request.url === "/jobs/j/checkpoints/config"
                ? { state_backend: name }
                : {},
          ),
        ),
    );
    await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
    expect(await flinkClientAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}`).stateBackend()).toBe(
      backend,
    );
  });
});

describe("stopWithSavepoint", () => {
  it("cancels the job, with a savepoint in this folder", async () => {
    const { url, asked } = await flink({ location: `${FOLDER}/savepoint-1` });
    expect(
      await flinkClientAt(url).stopWithSavepoint(FOLDER, () => Promise.reject(new Error("asked for nothing"))),
    ).toBe(`${FOLDER}/savepoint-1`);
    expect(asked).toEqual([{ "cancel-job": true, "target-directory": FOLDER, formatType: "CANONICAL" }]);
  });

  it("finds the savepoint of a JobManager that ended before it was asked", async () => {
    const { url } = await flink("gone");
    const found = [undefined, undefined, `${FOLDER}/savepoint-1`];
    expect(await flinkClientAt(url).stopWithSavepoint(FOLDER, () => Promise.resolve(found.shift()))).toBe(
      `${FOLDER}/savepoint-1`,
    );
  });

  it("says why there is none", async () => {
    const { url } = await flink({ "failure-cause": { class: "CheckpointException" } });
    await expect(flinkClientAt(url).stopWithSavepoint(FOLDER, () => Promise.resolve(undefined))).rejects.toThrow(
      "the savepoint failed: CheckpointException.",
    );
  });
});
