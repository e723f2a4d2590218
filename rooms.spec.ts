import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { cruise, type ICruiseResult } from "dependency-cruiser";
import { describe, expect, it } from "vitest";

import walls from "./.dependency-cruiser.js";
import { OPEN_ROOMS, ROOMS, SERVER_ROOMS, withImports } from "./rooms.js";

const names = Object.keys(ROOMS);
const read = (file: string): string => readFileSync(new URL(file, import.meta.url), "utf8");

/** What lint says about files. @param files - by their path, each with what it imports */
async function violations(files: Readonly<Record<string, string>>): Promise<string[]> {
  const root = mkdtempSync(join(tmpdir(), "fraud-rooms-"));
  try {
    for (const [path, imported] of Object.entries(files)) {
      mkdirSync(join(root, path, ".."), { recursive: true });
      writeFileSync(
        join(root, path),
        imported === ""
          ? "export const nothing = 0;\n"
          : `export { nothing } from "${"../".repeat(path.split("/").length - 1)}${imported}";\n`,
      );
    }
    const { output } = await cruise(["."], {
      ruleSet: { forbidden: walls.forbidden ?? [] },
      validate: true,
      baseDir: root,
      doNotFollow: { path: "node_modules" },
      tsPreCompilationDeps: true,
    });
    return (output as ICruiseResult).summary.violations.map(({ rule, from }) => `${rule.name} ${from}`).sort();
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

describe("a wall between two rooms", () => {
  const empty = Object.fromEntries([...names, ...OPEN_ROOMS].map((name) => [`${name}/free.ts`, ""]));
  const all = [...names, ...OPEN_ROOMS];

  it("stops every import through it, in each room and in its specs", async () => {
    const planted = names.flatMap((name) => {
      const { imports, specs = [] } = ROOMS[name]!;
      const firstBehind = (allowed: readonly string[]): string =>
        all.find((other) => other !== name && !allowed.includes(other))!;
      return [
        { path: `${name}/deep/planted.ts`, imported: `${firstBehind(imports)}/free.js`, rule: name },
        {
          path: `${name}/planted.spec.ts`,
          imported: `${firstBehind([...imports, ...specs])}/free.js`,
          rule: `${name}-specs`,
        },
      ];
    });
    const found = await violations({
      ...empty,
      ...Object.fromEntries(planted.map(({ path, imported }) => [path, imported])),
    });
    expect(found).toEqual(planted.map(({ path, rule }) => `${rule} ${path}`).sort());
  });

  it("has doors where the table has them", async () => {
    const allowed = names.flatMap((name) => [
      ...ROOMS[name]!.imports.map((other, n) => [`${name}/through${n}.ts`, `${other}/free.js`]),
      ...(ROOMS[name]!.specs ?? []).map((other, n) => [`${name}/through${n}.spec.ts`, `${other}/free.js`]),
    ]);
    expect(
      await violations({
        ...empty,
        ...(Object.fromEntries(allowed) as Record<string, string>),
        "bench/all.ts": "demo/free.js",
        "test/all.ts": "loadtest/free.js",
      }),
    ).toEqual([]);
  });

  it("also stops cycles within a room, and rooms that are not in the table", async () => {
    expect(await violations({ "kafka/a.ts": "kafka/b.js", "kafka/b.ts": "kafka/a.js" })).toEqual([
      "no-cycle kafka/a.ts",
    ]);
    expect(await violations({ ...empty, "attic/a.ts": "kafka/free.js" })).toEqual([
      "every-folder-is-a-room attic/a.ts",
    ]);
  });
});

describe("the table of rooms", () => {
  it("has each room after those that it imports: there is no cycle of rooms", () => {
    for (const [n, name] of names.entries())
      expect(
        ROOMS[name]!.imports.filter((other) => !names.slice(0, n).includes(other)),
        name,
      ).toEqual([]);
  });

  it("is the one in docs/architecture.md", () => {
    const cell = (rooms: readonly string[] = []): string => rooms.map((room) => `\`${room}/\``).join(", ");
    const rows = names.map(
      (name) =>
        `| \`${name}/\` | ${ROOMS[name]!.is} | ${cell(ROOMS[name]!.imports)}${ROOMS[name]!.specs === undefined ? "" : `; its specs also ${cell(ROOMS[name]!.specs)}`} |`,
    );
    const [, table] =
      /\| Room \| What lives there \| May import \|\n\|---\|---\|---\|\n((?:\|.*\n)+)/.exec(
        read("docs/architecture.md"),
      ) ?? [];
    expect(table?.trimEnd().split("\n")).toEqual(rows);
  });

  it("says what the images of the servers have: none of what starts, loads or shows them", () => {
    const [, servers] = /FROM \S+ AS servers\n([^]*?)\nFROM /.exec(read("Dockerfile"))!;
    const copied = [...servers!.matchAll(/^COPY --from=(?:sources|build) \/app\/(\S+) \1$/gm)].map(
      ([, folder]) => folder!,
    );
    // Model files are read, not imported; generated code is made inside the image.
    expect(copied.sort()).toEqual([...withImports(SERVER_ROOMS), "models", "node_modules", "statefun/gen"].sort());
    for (const room of ["cluster", "demo", "loadtest", "bench", "test"]) expect(copied).not.toContain(room);
  });
});
