import { createServer } from "node:net";

import { HOST } from "../../contract/ports.js";
import { UserError } from "../../terminal/user-error.js";
import { partProgram } from "./index.js";
import { type ClusterSettings, partsOf } from "../settings.js";

/** @throws {UserError} that names the first port in use by another program */
export async function requireFreePorts(settings: ClusterSettings): Promise<void> {
  await requireFree(
    partsOf(settings).flatMap((part) =>
      partProgram(part, settings).ports.map((name) => ({ port: settings.ports[name], user: part })),
    ),
  );
}

/** The same for given ports. @param ports - each with the part that needs it */
export async function requireFree(ports: readonly { readonly port: number; readonly user: string }[]): Promise<void> {
  for (const { port, user } of ports) {
    if (!(await isFree(port)))
      throw new UserError(
        `port ${port}, which ${user} needs, is taken by another program. Stop that, or move all ports with --port-offset (such as --port-offset 1000).`,
      );
  }
}

/** Whether nothing listens on a loopback port. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: HOST, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
