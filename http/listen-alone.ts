import { once } from "node:events";
import type { Server } from "node:http";

import type { FastifyInstance } from "fastify";

/**
 * Lets a Fastify server listen at one address. Its own `listen` opens another server for the other address that a name
 * like `localhost` has, with the same routes and none of the bounds of the first one's connections.
 *
 * @throws Error of the system, when it cannot listen there
 */
export async function listenAlone(app: FastifyInstance, port: number, host: string): Promise<Server> {
  await app.ready();
  await once(app.server.listen(port, host), "listening");
  return app.server;
}
