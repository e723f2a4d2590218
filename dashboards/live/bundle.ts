import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { build, stop } from "esbuild";

import { REPOSITORY_ROOT } from "../../process/repository-root.js";

const CLIENT = join(REPOSITORY_ROOT, "dashboards/live/client");

export interface Asset {
  readonly type: "text/javascript" | "text/css" | "image/svg+xml";
  readonly bytes: Buffer;
}

/** What browsers load: the document, and files whose names hold their hashes. */
export interface Bundle {
  readonly html: string;
  readonly assets: ReadonlyMap<string, Asset>;
}

/** Bundles the client, in a few dozen milliseconds; nothing is written to disk. */
export async function bundleClient(): Promise<Bundle> {
  const { outputFiles } = await build({
    absWorkingDir: CLIENT,
    entryPoints: { app: "main.tsx", theme: "theme-first.ts", stream: "stream/stream-worker.ts", style: "style.css" },
    outdir: "/assets",
    bundle: true,
    write: false,
    minify: true,
    format: "iife",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    logLevel: "silent",
  });
  // Its process would go on, and do nothing at some expense.
  await stop();
  const assets = new Map<string, Asset>();
  const named = (name: string, type: Asset["type"], bytes: Buffer): string => {
    const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
    const file = name.replace(/(\.\w+)$/, `.${hash}$1`);
    assets.set(file, { type, bytes });
    return `/assets/${file}`;
  };
  const built = (name: string): Buffer =>
    Buffer.from(outputFiles.find(({ path }) => path.endsWith(`/${name}`))!.contents);
  const replaced: Readonly<Record<string, string>> = {
    "{{app}}": named("app.js", "text/javascript", built("app.js")),
    "{{theme}}": named("theme.js", "text/javascript", built("theme.js")),
    "{{stream}}": named("stream.js", "text/javascript", built("stream.js")),
    "{{style}}": named("style.css", "text/css", built("style.css")),
    "{{icon}}": named("icon.svg", "image/svg+xml", readFileSync(join(CLIENT, "icon.svg"))),
  };
  const html = Object.entries(replaced).reduce(
    (text, [mark, path]) => text.replaceAll(mark, path),
    readFileSync(join(CLIENT, "index.html"), "utf8"),
  );
  return { html, assets };
}
