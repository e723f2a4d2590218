import { createServer } from "node:net";

import { HOST } from "./addresses.js";
import { partProgram } from "./parts/index.js";
import { type ClusterSettings, partsOf } from "./settings.js";
import { UserError } from "./user-error.js";

/** @throws {UserError} that names the first port that another program has */
export async function requireFreePorts(settings: ClusterSettings): Promise<void> {
  for (const part of partsOf(settings)) {
    for (const name of partProgram(part, settings).ports) {
      const port = settings.ports[name];
      if (!(await isFree(port))) throw new UserError(`port ${port}, which ${part} needs, is taken by another program. Stop that, or move all ports with --port-offset (such as --port-offset 1000).`);
    }
  }
}

/** Whether nothing listens at a loopback port. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: HOST, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
