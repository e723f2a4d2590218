import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";

import { withModule } from "./module-changes.js";
import { flinkOverrides, renderModule } from "./parts/render.js";
import { type ClusterOptions, clusterSettings, FRAUD_DETECTION } from "./settings.js";
import { withTransport } from "./transports.js";

const ENDPOINT = "io.statefun.endpoints.v2/http";
let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "fraud-transports-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const endpointOf = ({ application = FRAUD_DETECTION }: ClusterOptions): unknown => {
  const settings = clusterSettings({ application });
  const documents = parseAllDocuments(renderModule(readFileSync(application.moduleFile, "utf8"), settings));
  return (documents as { toJS(): { kind: string; spec: unknown } }[])
    .map((document) => document.toJS())
    .find(({ kind }) => kind === ENDPOINT)!.spec;
};

describe("the transports", () => {
  it("leave everything as it is, or replace the transport as a whole", () => {
    const options = { name: "x", application: FRAUD_DETECTION };
    expect(withTransport("batching", options, folder)).toEqual({ ...options, flinkConf: {} });
    expect(endpointOf(withTransport("async-tuned", options, folder))).toMatchObject({
      functions: "fraud/*",
      transport: { type: "io.statefun.transports.v1/async", timeouts: { call: "40s", connect: "5s" } },
    });
  });

  it("restore the earlier settings, over the caller's own", () => {
    const options = withTransport(
      "async",
      { stateBackend: "hashmap", flinkConf: { "statefun.async.max-per-task": "512", other: "kept" } },
      folder,
    );
    expect(endpointOf(options)).toMatchObject({
      maxNumBatchRequests: 1000,
      transport: { type: "io.statefun.transports.v1/async" },
    });
    expect(flinkOverrides(clusterSettings(options), "jobmanager")).toMatchObject({
      "state.backend": "rocksdb",
      "statefun.async.max-per-task": "32768",
      "execution.checkpointing.interval": "1000ms",
      "state.checkpoint-storage": "filesystem",
      other: "kept",
    });
  });

  it("stay when the module is changed again", () => {
    const options = withTransport("async", {}, folder);
    const application = withModule(options.application!, folder, { [ENDPOINT]: { maxNumBatchRequests: 800 } });
    expect(endpointOf({ application })).toMatchObject({
      maxNumBatchRequests: 800,
      transport: { type: "io.statefun.transports.v1/async" },
    });
    expect(() => withModule(application, folder, { [ENDPOINT]: { "no.such": 1 } })).toThrow(
      "module.yaml has no no.such",
    );
  });
});
