import { connect } from "node:net";

const LIMIT_MS = 5_000;

/**
 * Whether a ZooKeeper has ever been written to, as its own `srvr` command says. Ask before anything in this start
 * writes.
 *
 * @param address - `host:port`
 * @throws Error when it does not answer
 */
export async function zookeeperWasWritten(address: string): Promise<boolean> {
  const [host, port] = address.split(":");
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect({ host: host!, port: Number(port), timeout: LIMIT_MS }, () => socket.write("srvr"));
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    socket.once("end", () => resolve(text));
    socket.once("timeout", () => socket.destroy(new Error(`ZooKeeper at ${address} does not answer`)));
    socket.once("error", reject);
  });
  return wasWritten(answer);
}

/** The same, from an answer to `srvr`. @throws Error when it says nothing of transactions */
export function wasWritten(answer: string): boolean {
  const zxid = /^Zxid: 0x([0-9a-f]+)$/m.exec(answer)?.[1];
  if (zxid === undefined) throw new Error(`ZooKeeper answered srvr with: ${answer.trim() || "nothing"}`);
  return BigInt(`0x${zxid}`) > 0n;
}
