import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { fileUri, properties, requireUsable } from "./file-names.js";

/** What people's folders are called, and worse. */
const NASTY = [
  "a b",
  " a ",
  "100%",
  "%41",
  "a#b",
  "a?b",
  "a[b]",
  "a+b",
  "a&b=c;d",
  "it's",
  '"quoted"',
  "back\\slash",
  "café",
  "日本 語",
  "ü😀",
  "$HOME ${x}",
  "`a|b^c`",
  "{a}",
  "a*b",
  "~",
  "@a",
  "!a",
  "<a>",
];
const names = fc
  .oneof(fc.constantFrom(...NASTY), fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }))
  .filter((name) => !/[/\0]/.test(name) && name !== "." && name !== "..");
const paths = fc.array(names, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`);

/** What Java's `Properties.load(InputStream)` makes of a file, according to its documentation. */
function loaded(bytes: Buffer): Record<string, string> {
  const lines = bytes
    .toString("latin1")
    .split("\n")
    .filter((line) => line !== "");
  const unescape = (text: string): string =>
    text.replace(/\\(u([0-9a-f]{4})|.)/g, (_, one: string, hex?: string) =>
      hex === undefined ? ({ t: "\t", n: "\n", r: "\r", f: "\f" }[one] ?? one) : String.fromCharCode(parseInt(hex, 16)),
    );
  return Object.fromEntries(
    lines.map((line) => {
      const [, key, value] = /^((?:\\.|[^\\ \t\f:=])*)[ \t\f]*[:=]?[ \t\f]*(.*)$/.exec(line)!;
      return [unescape(key!), unescape(value!)];
    }),
  );
}

describe("properties", () => {
  it("are read as they were meant", () => {
    const key = names.filter((name) => name !== "__proto__");
    fc.assert(
      fc.property(
        fc.dictionary(key, fc.oneof(paths, fc.string({ unit: "binary" })), { noNullPrototype: true }),
        (values) => void expect(loaded(Buffer.from(properties(values)))).toEqual(values),
      ),
    );
  });

  it("look as people write them where nothing needs an escape", () => {
    expect(
      properties({
        "log.dirs": "/home/a b/kafka",
        listeners: "PLAINTEXT://127.0.0.1:9092",
        "node.id": 1,
        pattern: "%d{ISO8601} %-5p=%m%n",
      }),
    ).toBe(
      "log.dirs=/home/a b/kafka\nlisteners=PLAINTEXT://127.0.0.1:9092\nnode.id=1\npattern=%d{ISO8601} %-5p=%m%n\n",
    );
  });
});

describe("fileUri", () => {
  it("leads to the file, by characters that every parser of URIs takes", () => {
    fc.assert(
      fc.property(paths, (path) => {
        const uri = fileUri(path);
        expect(uri).toMatch(/^file:\/\/\/[\w\-.~/:%!*'()]*$/);
        expect(decodeURIComponent(uri.slice("file://".length))).toBe(path);
      }),
      // Chance finds a name that is a colon alone once in some hundred runs.
      { examples: [["/:"]] },
    );
  });
});

describe("Java itself", () => {
  let folder: string;
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "fraud-names-"))));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const PROGRAM = `
    import java.io.*; import java.net.*; import java.nio.charset.StandardCharsets; import java.util.*;
    public class Read {
      public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        Properties all = new Properties();
        try (InputStream in = new FileInputStream(args[0])) { all.load(in); }
        for (int n = 0; all.containsKey("path." + n); n++) out.println(all.getProperty("path." + n) + "\\0" + new File(URI.create(all.getProperty("uri." + n))));
      }
    }`;

  it.skipIf(spawnSync("java", ["-version"]).status !== 0)("reads both as they were meant", () => {
    const all = NASTY.map((name) => `/${name}/below`);
    writeFileSync(join(folder, "Read.java"), PROGRAM);
    writeFileSync(
      join(folder, "all.properties"),
      properties(
        Object.fromEntries(
          all.flatMap((path, n) => [
            [`path.${n}`, path],
            [`uri.${n}`, fileUri(path)],
          ]),
        ),
      ),
    );
    const { stdout, stderr } = spawnSync(
      "java",
      [
        "-XX:TieredStopAtLevel=1",
        "-Dsun.jnu.encoding=UTF-8",
        join(folder, "Read.java"),
        join(folder, "all.properties"),
      ],
      { encoding: "utf8", env: { ...process.env, LC_ALL: "C.UTF-8" } },
    );
    expect(stdout.trimEnd().split("\n"), stderr).toEqual(all.map((path) => `${path}\0${path}`));
  });
});

describe("requireUsable", () => {
  const use = (path: string) => () => requireUsable(path, "downloads", "Name another one.");

  it.each(NASTY)("takes a folder called %s", (name) => {
    expect(use(`/home/${name}/cache`)).not.toThrow();
  });

  it.each([
    ["/a:b", /Java's class path/],
    ["/a,b", /Kafka/],
    ["/wow!/cache", /a jar/],
    ["/wow!", /a jar/],
    ["/a{1...4}/b", /MinIO/],
    ["/a\nb", /line break/],
  ])("refuses %s, and says why", (path, why) => {
    expect(use(path)).toThrow(why);
    expect(use(path)).toThrow(/^the folder ".*" of downloads can't be used: .*\. Name another one\.$/);
  });
});
