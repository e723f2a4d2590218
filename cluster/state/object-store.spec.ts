import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { clusterSettings } from "../settings.js";
import { checkpointId, leftoversOf, removeObjects } from "./object-store.js";

/** As Flink writes them. */
function head(id: bigint, mark = 0x4960672d): Uint8Array {
  const bytes = Buffer.alloc(24);
  bytes.writeUInt32BE(mark, 0);
  bytes.writeInt32BE(4, 4);
  bytes.writeBigInt64BE(id, 8);
  return bytes;
}

describe("checkpointId", () => {
  it("reads a checkpoint's number", () => {
    expect(checkpointId(head(0n))).toBe(0n);
    expect(checkpointId(head(2n ** 40n + 7n))).toBe(2n ** 40n + 7n);
    // As a store's client may return them: somewhere in a larger buffer.
    const larger = Buffer.concat([Buffer.alloc(3), head(12n)]);
    expect(checkpointId(larger.subarray(3))).toBe(12n);
  });

  it("finds none in what is not a checkpoint's metadata", () => {
    expect(checkpointId(head(1n, 0x12345678))).toBeUndefined();
    expect(checkpointId(head(1n).subarray(0, 15))).toBeUndefined();
  });
});

describe("what earlier generations of the job have left", () => {
  const KEYS = [
    "savepoints/restart-1/savepoint-a/_metadata",
    "savepoints/restart-2/savepoint-b/_metadata",
    "savepoints/restart-2/savepoint-b/7f",
    "savepoints/savepoint-by-hand/_metadata",
    "checkpoints/0a/chk-7/_metadata",
    "checkpoints/0a/shared/1",
    "checkpoints/0b/chk-9/_metadata",
    "checkpoints/0c/chk-12/_metadata",
    "ha/fraud-3/completedCheckpoint1",
    "state-record.json",
  ];

  /** A store that lists by prefix, and removes many at once. */
  async function withStore(work: (settings: ReturnType<typeof clusterSettings>, keys: Set<string>) => Promise<void>) {
    const keys = new Set(KEYS);
    const server = createServer((request, response) => {
      const { searchParams } = new URL(request.url!, "http://store");
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        if (searchParams.has("delete")) {
          for (const [, key] of body.matchAll(/<Key>([^<]*)<\/Key>/g)) keys.delete(key!);
          return response.end('<?xml version="1.0"?><DeleteResult></DeleteResult>');
        }
        const found = [...keys].filter((one) => one.startsWith(searchParams.get("prefix")!));
        return response.end(
          `<?xml version="1.0"?><ListBucketResult>${found.map((one) => `<Contents><Key>${one}</Key></Contents>`).join("")}</ListBucketResult>`,
        );
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const dataDir = mkdtempSync(join(tmpdir(), "fraud-store-"));
    const defaults = clusterSettings({ name: "spec" });
    try {
      const minio = (server.address() as AddressInfo).port;
      await work(
        {
          ...defaults,
          dataDir,
          ports: { ...defaults.ports, minio },
          objectStore: { ...defaults.objectStore, keysIn: dataDir },
        },
        keys,
      );
    } finally {
      server.closeAllConnections();
      server.close();
      rmSync(dataDir, { recursive: true, force: true });
    }
  }

  it("is every savepoint of a command and every other job's checkpoints", async () => {
    await withStore(async (settings, keys) => {
      await removeObjects(settings, await leftoversOf(settings, "0c", undefined));
      expect([...keys]).toEqual([KEYS[3], KEYS[7], KEYS[8], KEYS[9]]);
    });
  });

  it("is not what the job was started from, with what that shares with others", async () => {
    await withStore(async (settings) => {
      expect(await leftoversOf(settings, "0c", "s3://statefun/savepoints/restart-2/savepoint-b")).toEqual([
        KEYS[0],
        ...KEYS.slice(4, 7),
      ]);
      expect(await leftoversOf(settings, "0c", "s3://statefun/checkpoints/0a/chk-7")).toEqual([
        ...KEYS.slice(0, 3),
        KEYS[6],
      ]);
    });
  });
});
