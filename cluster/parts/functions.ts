import { HOST } from "../addresses.js";
import type { ClusterSettings } from "../settings.js";
import type { PartProgram } from "./part-program.js";

export function functions({ application, ports, functionsEnv }: ClusterSettings): PartProgram {
  return {
    command: process.execPath,
    args: ["--import", "tsx", application.serverFile],
    env: { HOST, PORT: String(ports.functions), ...functionsEnv },
    ports: ["functions"],
    prepare: () => undefined,
  };
}
