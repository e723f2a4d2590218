import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { REPOSITORY_ROOT } from "../../process/repository-root.js";
import { composeEnv, IMAGE_NAMES } from "../compose/compose-env.js";
import { STAND_INS } from "./stand-ins.js";

const folder = join(import.meta.dirname, "stand-ins");

describe("stand-ins", () => {
  it("are there for every image but Grafana's, each with its recipe", () => {
    expect(Object.keys(STAND_INS).sort()).toEqual(IMAGE_NAMES.filter((name) => name !== "GRAFANA_IMAGE").sort());
    expect(readdirSync(folder).sort()).toEqual(
      Object.values(STAND_INS)
        .map((standIn) => standIn.folder)
        .sort(),
    );
    for (const standIn of Object.values(STAND_INS))
      expect(readFileSync(join(folder, standIn.folder, "Dockerfile"), "utf8")).toMatch(/^ARG BASE\nFROM \$\{BASE\}\n/);
  });

  it("are told apart from the official image in the docs, each of them", () => {
    const docs = readFileSync(join(REPOSITORY_ROOT, "docs/docker.md"), "utf8");
    const env = composeEnv(undefined, {});
    for (const name of IMAGE_NAMES) expect(docs).toContain(`| \`${env[name]!}\` |`);
  });
});
