import { join } from "node:path";

import { HOST } from "../addresses.js";
import { type ClusterSettings, REPOSITORY_ROOT } from "../settings.js";
import type { PartProgram } from "./part-program.js";

export function functions({ ports, functionsEnv }: ClusterSettings): PartProgram {
  return {
    command: process.execPath,
    args: ["--import", "tsx", join(REPOSITORY_ROOT, "functions/server.ts")],
    env: { HOST, PORT: String(ports.functions), ...functionsEnv },
    ports: ["functions"],
    prepare: () => undefined,
  };
}
