import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { type ClusterSettings, clusterSettings } from "../settings.js";
import { removeLeftovers } from "./leftovers.js";

const LEFT = ["savepoints/restart-1/savepoint-a/_metadata", "checkpoints/0a/chk-7/_metadata"];
const OWN = "checkpoints/0c/chk-9/_metadata";

let folder: string;
let server: Server;
let settings: ClusterSettings;
const keys = new Set<string>();
/** Of Flink's answers about checkpoints: how many are complete. */
let completed: (() => number) | undefined;
/** What happened, in order. */
const events: string[] = [];

/** Flink and the object store, in one. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "fraud-leftovers-"));
  keys.clear();
  for (const key of [...LEFT, OWN]) keys.add(key);
  events.length = 0;
  server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, "http://store");
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      if (pathname.startsWith("/jobs") && completed === undefined) return response.writeHead(503).end();
      if (pathname === "/jobs/overview")
        return response.end(JSON.stringify({ jobs: [{ jid: "0c", state: "RUNNING", "start-time": 1, tasks: {} }] }));
      if (pathname === "/jobs/0c/checkpoints") {
        const counts = { completed: completed!(), failed: 0 };
        events.push(`${counts.completed} checkpoints`);
        return response.end(JSON.stringify({ counts, latest: { completed: null } }));
      }
      if (searchParams.has("delete")) {
        for (const [, key] of body.matchAll(/<Key>([^<]*)<\/Key>/g)) {
          keys.delete(key!);
          events.push(`removed ${key!}`);
        }
        return response.end('<?xml version="1.0"?><DeleteResult></DeleteResult>');
      }
      const found = [...keys].filter((one) => one.startsWith(searchParams.get("prefix")!));
      return response.end(
        `<?xml version="1.0"?><ListBucketResult>${found.map((one) => `<Contents><Key>${one}</Key></Contents>`).join("")}</ListBucketResult>`,
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const defaults = clusterSettings({ name: "spec" });
  settings = {
    ...defaults,
    endpoints: { flink: url, minio: url, kafka: "", zookeeper: "", functions: "", intake: "", dashboard: "" },
    objectStore: { ...defaults.objectStore, keysIn: folder },
  };
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("what is left of earlier generations", () => {
  it("goes when the job has its second checkpoint, and not before", async () => {
    let asked = 0;
    completed = () => asked++;
    const whenSettled = () => Promise.resolve(void events.push("settled"));
    expect(await removeLeftovers(settings, { whenSettled })).toBe(2);
    expect(events).toEqual([
      "0 checkpoints",
      "1 checkpoints",
      "2 checkpoints",
      "settled",
      ...LEFT.map((key) => `removed ${key}`),
    ]);
    expect([...keys]).toEqual([OWN]);
    events.length = 0;
    expect(await removeLeftovers(settings)).toBe(0);
    expect(events).toEqual([]);
  });

  it("stays while there is no job", async () => {
    completed = undefined;
    expect(await removeLeftovers(settings)).toBe(0);
    expect(keys.size).toBe(3);
  });

  it("stays where the job began there, but that is told when it has its own checkpoint", async () => {
    completed = () => 2;
    const savepoint = "s3://statefun/savepoints/restart-1/savepoint-a";
    const whenSettled = () => Promise.resolve(void events.push("settled"));
    expect(await removeLeftovers({ ...settings, savepoint }, { whenSettled })).toBe(1);
    expect([...keys]).toEqual([LEFT[0], OWN]);
    expect(events).toContain("settled");
  });
});
