import { HOST } from "../../contract/ports.js";
import { endpoints } from "../endpoints.js";
import type { ClusterSettings, Server } from "../settings.js";
import type { PartProgram } from "./part-program.js";

/** One of the application's own servers. */
export function server(name: Server, settings: ClusterSettings): PartProgram {
  const { application, ports, serverEnv } = settings;
  const { kafka, intake, flink } = endpoints(settings);
  const program = application.servers[name];
  if (program === undefined) throw new Error(`the application has no server ${name}`);
  return {
    command: program.command,
    args: program.args,
    env: { HOST, PORT: String(ports[name]), KAFKA: kafka, INTAKE: intake, FLINK: flink, ...program.env, ...serverEnv },
    ports: [name],
    prepare: () => undefined,
  };
}
