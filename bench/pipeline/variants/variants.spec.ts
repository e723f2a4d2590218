import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";

import { renderModule } from "../../../cluster/parts/render.js";
import { clusterSettings, FRAUD_DETECTION } from "../../../cluster/settings.js";
import { type VariantName, VARIANT_NAMES, VARIANTS } from "./variants.js";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "fraud-variants-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Component {
  readonly kind: string;
  readonly spec: Readonly<Record<string, unknown>>;
}
const componentsOf = (text: string): Component[] =>
  (parseAllDocuments(text) as { toJS(): Component }[]).map((document) => document.toJS());
const optionsOf = (variant: VariantName) => VARIANTS[variant].options({ name: "x", stateBackend: "hashmap" }, folder);
function moduleOf(variant: VariantName): Component[] {
  const { application = FRAUD_DETECTION } = optionsOf(variant);
  return componentsOf(readFileSync(application.moduleFile, "utf8"));
}
/** What an ingress hands to whom is the one thing in which a topology may differ at its ends. */
const withoutTargets = (components: readonly Component[]): string =>
  JSON.stringify(components, (key, value: unknown) => (key === "targets" ? undefined : value));

describe("the variants", () => {
  it.each(VARIANT_NAMES)("%s has a module that the native cluster takes, and its function server", (variant) => {
    const settings = clusterSettings(optionsOf(variant));
    const text = readFileSync(settings.application.moduleFile, "utf8");
    expect(() => renderModule(text, settings)).not.toThrow();
    expect(settings.application.servers.functions.args.at(-1)).toMatch(/server\.ts$/);
  });

  it.each(VARIANT_NAMES)("%s reads and writes the same topics, in the same way", (variant) => {
    const atLeastOnce = variant === "at-least-once";
    const rest = (components: readonly Component[]) =>
      components
        .filter(({ kind }) => !kind.startsWith("io.statefun.endpoints"))
        .filter(({ kind }) => !(atLeastOnce && kind === "io.statefun.kafka.v1/egress"));
    expect(withoutTargets(rest(moduleOf(variant)))).toBe(withoutTargets(rest(moduleOf("batching"))));
  });

  it("differ in how the functions are called", () => {
    const endpoint = (variant: VariantName) =>
      moduleOf(variant).find(({ kind }) => kind.startsWith("io.statefun.endpoints"))!.spec;
    expect(endpoint("batching")["transport"]).toMatchObject({ type: "statefun.transports.v1/batching" });
    expect(endpoint("official-sdk")).toEqual({
      functions: "fraud/*",
      urlPathTemplate: "http://functions:8000/statefun",
    });
    expect(endpoint("workshop")["transport"]).toEqual({ type: "io.statefun.transports.v1/async" });
    expect(endpoint("async")).toMatchObject({ maxNumBatchRequests: 1000 });
    expect(endpoint("async-tuned")).toMatchObject({ maxNumBatchRequests: 300 });
  });

  it("have their own settings of Flink, and otherwise ours", () => {
    expect(optionsOf("batching")).toMatchObject({ stateBackend: "hashmap", flinkConf: {} });
    expect(optionsOf("official-sdk")).toMatchObject({
      stateBackend: "hashmap",
      flinkConf: { "statefun.async.max-per-task": "32768" },
    });
    expect(optionsOf("workshop")).toMatchObject({
      stateBackend: "rocksdb",
      flinkConf: { "statefun.async.max-per-task": "100000" },
    });
    expect(optionsOf("async")).toMatchObject({ stateBackend: "rocksdb", parallelism: 2 });
  });

  it("write at least once where they say so", () => {
    const egress = moduleOf("at-least-once").find(({ kind }) => kind === "io.statefun.kafka.v1/egress")!.spec;
    expect(egress["deliverySemantic"]).toEqual({ type: "at-least-once" });
  });
});
