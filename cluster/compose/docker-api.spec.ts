import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { killService } from "./docker-api.js";

/** An engine that has this many containers of each service, and tells what it was asked for. */
class FakeEngine {
  readonly asked: string[] = [];
  readonly filters: unknown[] = [];
  /** Lets the containers that were killed end. */
  end: () => void = () => undefined;
  readonly #server: Server;

  constructor(containers: readonly string[], refuse?: string) {
    const ended = new Promise<void>((resolve) => (this.end = resolve));
    this.#server = createServer((request, response) => {
      const url = new URL(request.url!, "http://engine");
      const send = (status: number, body?: unknown): void =>
        void response
          .writeHead(status, { "content-type": "application/json" })
          .end(body === undefined ? "" : JSON.stringify(body));
      this.asked.push(`${request.method!} ${url.pathname}${url.searchParams.has("filters") ? "" : url.search}`);
      if (url.pathname === refuse) return send(409, { message: "it is paused" });
      if (url.pathname === "/containers/json") {
        this.filters.push(JSON.parse(url.searchParams.get("filters")!));
        return send(
          200,
          containers.map((Id) => ({ Id })),
        );
      }
      if (url.pathname.endsWith("/wait")) return void ended.then(() => send(200, { StatusCode: 137 }));
      send(204);
    });
  }

  listen = (path: string): Promise<void> =>
    new Promise((resolve, reject) => this.#server.once("error", reject).listen(path, resolve));

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

describe("killService", () => {
  let folder: string;
  let engine: FakeEngine;
  const start = async (...args: ConstructorParameters<typeof FakeEngine>) => {
    engine = new FakeEngine(...args);
    const socket = join(folder, "engine.sock");
    await engine.listen(socket);
    return { socket, project: "fraud-demo" };
  };

  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "fraud-engine-"))));
  afterEach(() => {
    engine.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("kills each running container of the service, of its project only, and starts it when it has ended", async () => {
    const project = await start(["one", "two"]);
    const { started } = await killService(project, "worker");
    expect(engine.filters).toEqual([
      {
        status: ["running"],
        label: [
          "com.docker.compose.project=fraud-demo",
          "com.docker.compose.service=worker",
          "com.docker.compose.oneoff=False",
        ],
      },
    ]);
    expect([...engine.asked].slice(0, 3).sort()).toEqual([
      "GET /containers/json",
      "POST /containers/one/kill?signal=SIGKILL",
      "POST /containers/two/kill?signal=SIGKILL",
    ]);
    expect(engine.asked.some((line) => line.endsWith("/start"))).toBe(false);
    engine.end();
    await started;
    expect(engine.asked.slice(3).sort()).toEqual([
      "POST /containers/one/start",
      "POST /containers/one/wait?condition=not-running",
      "POST /containers/two/start",
      "POST /containers/two/wait?condition=not-running",
    ]);
  });

  it("says that nothing runs, and what the engine says", async () => {
    const project = await start([]);
    await expect(killService(project, "worker")).rejects.toThrow("no container of worker runs");
    engine.close();
    rmSync(project.socket, { force: true });
    await expect(killService(await start(["one"], "/containers/one/kill"), "worker")).rejects.toThrow(
      "the engine refuses POST /containers/one/kill: it is paused",
    );
    await expect(killService({ ...project, socket: join(folder, "none.sock") }, "worker")).rejects.toThrow(
      /the engine at .*none\.sock does not answer/,
    );
  });
});
