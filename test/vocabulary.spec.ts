import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { REPOSITORY_ROOT } from "../process/repository-root.js";
import { OPEN_ROOMS, ROOMS } from "../rooms.js";

/**
 * The rooms in which an exported name may contain a word: those that deal with what docs/architecture.md calls by it.
 */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  address: ["statefun", "functions", "verifier"],
  model: ["contract", "functions", "intake", "models", "evaluation", "verifier", "dashboards"],
  place: ["functions", "dashboards", "ingress-generator", "evaluation", "verifier"],
  part: ["cluster", "loadtest", "bench", "tools"],
  judge: ["verifier"],
  verdict: ["functions", "dashboards"],
};

const DECLARED = /^export (?:async |abstract )*(?:const|function|class|interface|type|enum) (\w+)/gm;

const sources = (room: string): string[] =>
  readdirSync(join(REPOSITORY_ROOT, room), { recursive: true, encoding: "utf8" })
    .filter((file) => /\.tsx?$/.test(file) && !/\.spec\.ts$|(^|\/)(gen|dist|node_modules)\//.test(file))
    .map((file) => join(room, file));

/** The words of a name, each of them in the singular: `killParts`, `SAMPLED_PARTS`. */
const wordsOf = (name: string): string[] =>
  (name.match(/[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])/g) ?? []).map((word) =>
    word.toLowerCase().replace(/(ss)es$|ments?$|(?<!s)s$/, "$1"),
  );

describe("a word", () => {
  it("stands in the glossary with its one meaning", () => {
    const glossary = readFileSync(join(REPOSITORY_ROOT, "docs/architecture.md"), "utf8");
    for (const word of Object.keys(WORDS)) expect(glossary).toMatch(new RegExp(`^\\| ${word} \\| `, "m"));
  });

  it("is in names only in those rooms that mean what the glossary says", () => {
    const names = [...Object.keys(ROOMS), ...OPEN_ROOMS].flatMap((room) =>
      sources(room).flatMap((file) =>
        [...readFileSync(join(REPOSITORY_ROOT, file), "utf8").matchAll(DECLARED)].map(([, name]) => ({
          room,
          file,
          name: name!,
        })),
      ),
    );
    expect(names.length).toBeGreaterThan(500);
    const strangers = names.flatMap(({ room, file, name }) =>
      wordsOf(name)
        .filter((word) => WORDS[word]?.includes(room) === false)
        .map((word) => `${file}: ${name} has ${word}`),
    );
    expect(strangers).toEqual([]);
  });

  it("is found in every way of writing a name", () => {
    expect(["killParts", "SAMPLED_PARTS", "partProgram", "Addresses", "Judgement", "RunResult"].map(wordsOf)).toEqual([
      ["kill", "part"],
      ["sampled", "part"],
      ["part", "program"],
      ["address"],
      ["judge"],
      ["run", "result"],
    ]);
  });
});
