import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { nodeHttpListener, RequestReplyHandler } from "../../statefun/index.js";
import { decodeReplies, encodeCalls, postBatch } from "../../statefun/testing/batch-client.js";
import { programFunctions } from "../../statefun/testing/program.js";

const folder = mkdtempSync(join(tmpdir(), "flaky-"));
const file = join(folder, "flaky");
const noise = (count: number) => Array.from({ length: count }, (_, id) => ({ id, payload: Buffer.from("noise") }));
let server: Server;

beforeAll(async () => {
  process.env["FLAKY"] = file;
  writeFileSync(file, "");
  await import("./flaky-server.js");
  const statefun = nodeHttpListener(
    new RequestReplyHandler(programFunctions(["test/first"]), {
      maxBodyBytes: 100_000,
      logger: { error: () => undefined },
    }),
  );
  server = createServer((request, response) =>
    request.url === "/healthz" ? response.end("ok") : statefun(request, response),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
beforeEach(() => writeFileSync(file, ""));
afterAll(() => {
  delete process.env["FLAKY"];
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

// Ten bad calls: a server that is not flaky answers a single one with 400, and a batch with ten errors.
const SINGLE = {
  path: "/statefun",
  body: Buffer.from("noise"),
  contentType: "application/octet-stream",
  wellStatus: 400,
};
const BATCH = {
  path: "/statefun/batch",
  body: encodeCalls(noise(10)),
  contentType: "application/x-statefun-batch",
  wellStatus: 200,
};

describe.each([SINGLE, BATCH])("a flaky server at $path", ({ path, body, contentType, wellStatus }) => {
  const url = (at: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}${at}`;
  const post = () => postBatch(url(path), body, { contentType });

  it("is not flaky while no mode is set", async () => {
    const response = await post();
    await response.ended;
    expect(response.status).toBe(wellStatus);
  });

  it.each(["500", "404"])("answers %s, except to health checks", async (mode) => {
    writeFileSync(file, mode);
    expect((await post()).status).toBe(Number(mode));
    expect((await fetch(url("/healthz"))).status).toBe(200);
  });

  it("breaks off its answers", async () => {
    writeFileSync(file, "truncated");
    const response = await post();
    expect(response.status).toBe(wellStatus);
    await expect(response.ended).rejects.toThrow("aborted");
    expect(response.body().length).toBeGreaterThan(0);
    if (path !== BATCH.path) return;
    // Four when all ten were in the last answer; more when a busy machine took several turns for them.
    const kinds = decodeReplies(response.body()).map((frame) => frame.kind);
    expect(new Set(kinds)).toEqual(new Set(["error"]));
    expect(kinds.length).toBeGreaterThanOrEqual(4);
    expect(kinds.length).toBeLessThan(10);
  });

  it("answers late", async () => {
    writeFileSync(file, "slow");
    const began = Date.now();
    expect((await post()).status).toBe(wellStatus);
    expect(Date.now() - began).toBeGreaterThan(1_000);
  });

  it("does not answer", async () => {
    writeFileSync(file, "silent");
    const answered = post().then(
      () => "answered",
      () => "ended",
    );
    // A server that answers at all answers this one first.
    await fetch(url("/healthz"));
    await fetch(url("/healthz"));
    expect(await Promise.race([answered, Promise.resolve("silence")])).toBe("silence");
    server.closeAllConnections();
    expect(await answered).toBe("ended");
  });
});
