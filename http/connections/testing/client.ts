import { once } from "node:events";
import type { Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

/** A client that sends what no HTTP client would. */
export interface Client {
  readonly socket: Socket;
  /** All that it was answered. */
  text: string;
  gone: boolean;
}

/** Opens a connection to a server that listens on loopback, which has accepted it then. */
export async function connectTo(server: Server): Promise<Client> {
  const accepted = once(server, "connection");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const client: Client = { socket, text: "", gone: false };
  socket.on("data", (chunk: Buffer) => (client.text += chunk.toString()));
  socket.on("error", () => undefined);
  socket.on("close", () => (client.gone = true));
  await Promise.all([once(socket, "connect"), accepted]);
  return client;
}

export const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
