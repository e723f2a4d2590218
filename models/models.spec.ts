import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, describe, expect, it } from "vitest";

import { linesOf } from "./main.js";
import { modelNamed } from "./model-named.js";
import { missingAt, stampsAt } from "./servers.js";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

describe("a model", () => {
  it("is named by its file, or by its id where it is in models/", () => {
    expect(modelNamed("models/points-v1.json")).toMatchObject({
      path: "models/points-v1.json",
      model: { id: "points-v1" },
    });
    expect(modelNamed("handbook-day-115")).toMatchObject({ path: "models/handbook/day-115.json" });
  });

  it("is refused in one line when it is not there, or no model", () => {
    expect(() => modelNamed("points-v9")).toThrow(/^there is no file "points-v9", and no model .*points-v1, points-v2/);
    const folder = mkdtempSync(join(tmpdir(), "fraud-models-"));
    ends.push(() => rmSync(folder, { recursive: true }));
    for (const [name, content] of [
      ["broken.json", "{"],
      ["empty.json", '{"kind":"trees"}'],
    ] as const) {
      writeFileSync(join(folder, name), content);
      expect(() => modelNamed(join(folder, name))).toThrow(new RegExp(`^[^\\n]*${name} is not a model: [^\\n]+$`));
    }
  });
});

describe("the servers", () => {
  const model = modelNamed("points-v1").model;
  const hash = Buffer.from(model.hash);

  /** A server that answers so, each answer in turn and the last one for ever. */
  async function answering(...answers: readonly unknown[]): Promise<string> {
    let asked = 0;
    const server = createServer((_, response) =>
      response.end(JSON.stringify(answers[Math.min(asked++, answers.length - 1)])),
    );
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    ends.push(() => new Promise((closed) => server.close(closed)));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const stamping = (modelHash: string, challenger = "") => ({
    status: "ready",
    models: { model: { id: "", hash: modelHash }, challenger: { id: "", hash: challenger } },
  });

  it("of functions say which models they have", async () => {
    const has = { status: "ok", models: [{ id: "points-v1", hash: hash.toString("hex") }] };
    expect(await missingAt(await answering(has), [model])).toEqual([]);
    expect(await missingAt(await answering({ ...has, models: [] }), [model])).toEqual([model]);
    expect(await missingAt(await answering({ status: "ok" }), [model])).toBeUndefined();
    expect(await missingAt("http://127.0.0.1:1", [model])).toBeUndefined();
  });

  it("of the intake say what they stamp, sooner or later", async () => {
    const wanted = { modelHash: hash, challengerHash: Buffer.alloc(0) };
    expect(await stampsAt(await answering(stamping(hash.toString("hex"))), wanted)).toBe(true);
    const later = [
      { models: null },
      stamping("00"),
      stamping(hash.toString("hex"), "11"),
      stamping(hash.toString("hex")),
    ];
    expect(await stampsAt(await answering(...later), wanted)).toBe(true);
    expect(await stampsAt("http://127.0.0.1:1", wanted)).toBeUndefined();
  });
});

describe("what is shown", () => {
  it("names both models, since when and why", () => {
    expect(linesOf(undefined)).toEqual(["champion    none: each function server's first model", "challenger  none"]);
    expect(
      linesOf({
        modelHash: Buffer.alloc(32, 0xab),
        modelId: "m",
        challengerHash: Buffer.alloc(32, 0xcd),
        challengerId: "c",
        note: "a try",
        setAtMs: 0n,
      }),
    ).toEqual([
      "champion    m (SHA-256 abababababab…)",
      "challenger  c (SHA-256 cdcdcdcdcdcd…)",
      "since       1970-01-01T00:00:00.000Z",
      "note        a try",
    ]);
  });
});
