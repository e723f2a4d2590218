import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";

import { expect } from "vitest";

import { flinkKeySettings, flinkKeystore, makeFlinkKey } from "../../cluster/parts/flink-key.js";
import { processUsage } from "../../process/process-usage.js";

/** Where Flink's processes listen for each other. */
export interface InnerPort {
  /** IPv4, as this machine reaches it. */
  readonly address: string;
  readonly port: number;
}

/** A key store with its password. */
export interface Key {
  readonly pfx: Buffer;
  readonly passphrase: string;
}

/** Flink's processes, wherever they run. */
export interface InnerPorts {
  readonly ports: readonly InnerPort[];
  /** URL of the JobManager's REST interface. */
  readonly rest: string;
  /** The key that its processes have. */
  readonly own: Key;
  /** Of the TaskManagers, as this machine numbers them. */
  readonly taskManagers: readonly number[];
  /** The files below the folders where its processes keep theirs that hold a text. */
  readonly filesWith: (text: string) => Promise<readonly string[]>;
}

/** What a stranger who has connected came to. */
interface Attempt extends InnerPort {
  /** What was said, and whether in the clear. */
  readonly by: string;
  /** Whether a TLS handshake succeeded. */
  readonly let: "in" | "out";
  /** Whether the other side has ended it. */
  readonly connection: "closed" | "open";
  /** What came back, in hexadecimal: without the alerts by which TLS refuses. */
  readonly answer: string;
}

/** So long may it take until a connection is closed. In ms. */
const PATIENCE_MS = 30_000;
const BODY_BYTES = 64 * 1024 * 1024;

/** One field of a protobuf message: a number's wire type is 0 or 1, a text's or message's 2. */
const field = (number: number, wire: number, ...parts: readonly (string | Uint8Array)[]): Buffer =>
  Buffer.concat([Buffer.from([number * 8 + wire]), ...parts.map((part) => Buffer.from(part))]);
const nested = (number: number, content: Uint8Array | string): Buffer =>
  field(number, 2, Uint8Array.of(Buffer.from(content).length), content);

/** How a peer of Akka's introduces itself; Java's objects would follow. It is answered with the like. */
function greetingOfAkka(): Buffer {
  const origin = Buffer.concat([
    nested(1, "flink"),
    nested(2, "127.0.0.1"),
    field(3, 0, Uint8Array.of(99)),
    nested(4, "tcp"),
  ]);
  const handshake = Buffer.concat([nested(1, origin), field(2, 1, randomBytes(8))]);
  const message = nested(2, Buffer.concat([field(1, 0, Uint8Array.of(1)), nested(2, handshake)]));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  return Buffer.concat([length, message]);
}

/** An upload of no job's to the BLOB server, which would keep it in a file, and answer with its key. */
function upload(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32LE(text.length);
  return Buffer.concat([Buffer.of(0, 0, 1), length, Buffer.from(text), Buffer.from("ffffffff", "hex")]);
}

/** What a page in a browser may send to any port. A TaskManager's data port takes "POST" to be a gigabyte's length. */
const form = (): Buffer =>
  Buffer.concat([Buffer.from(`POST / HTTP/1.1\r\nHost: evil.example\r\n\r\n`), Buffer.alloc(BODY_BYTES, "x")]);

/**
 * Has strangers talk to every port where Flink's processes listen for each other: in the clear, in each of the
 * languages that are spoken there, and by TLS, without a key and with one of their own making. They get nothing, and
 * nothing of theirs is kept; whoever has the cluster's own key is let in.
 */
export async function expectStrangersToGetNothing(inner: InnerPorts): Promise<void> {
  const mark = `of a stranger ${randomBytes(8).toString("hex")}`;
  const said = { "Akka's greeting": greetingOfAkka(), "an upload": upload(mark), "a form of 64 MB": form() };
  const keys = { "TLS without a key": {}, "TLS with a key of its own": await newKey() };
  const before = memoryOf(inner.taskManagers);
  const changes = await jobChanges(inner.rest);
  expect(changes.state).toBe("RUNNING");
  const attempts: Attempt[] = [];
  for (const at of inner.ports) {
    for (const [by, bytes] of Object.entries(said))
      attempts.push(await talk(at, by, connect({ host: at.address, port: at.port }), bytes));
    for (const [by, key] of Object.entries(keys)) attempts.push(await knock(at, by, key));
  }
  const nothing = { let: "out", connection: "closed", answer: "" };
  expect(attempts).toEqual(attempts.map((attempt) => ({ ...attempt, ...nothing })));
  expect(memoryOf(inner.taskManagers) - before).toBeLessThan(BODY_BYTES / 2);
  expect(await inner.filesWith(mark)).toEqual([]);
  expect(await jobChanges(inner.rest)).toEqual(changes);
  for (const at of inner.ports) expect(await knock(at, "its own key", inner.own)).toMatchObject({ ...at, let: "in" });
}

/**
 * The state of the job, and when it last came to each: unlike its metrics, which are gathered every ten seconds, this
 * is so now.
 */
async function jobChanges(rest: string): Promise<{ readonly state: string; readonly timestamps: unknown }> {
  const ask = async (path: string): Promise<unknown> => await (await fetch(`${rest}${path}`)).json();
  const { jobs } = (await ask("/jobs/overview")) as { readonly jobs: readonly { readonly jid: string }[] };
  const { state, timestamps } = (await ask(`/jobs/${jobs[0]!.jid}`)) as { state: string; timestamps: unknown };
  return { state, timestamps };
}

/** The key of a folder in which {@link makeFlinkKey} has made one. */
export const keyIn = (folder: string): Key => ({
  pfx: readFileSync(flinkKeystore(folder)),
  passphrase: flinkKeySettings(folder)["security.ssl.internal.key-password"]!,
});

/** Made as the cluster's own was. */
async function newKey(): Promise<Key> {
  const folder = mkdtempSync(join(tmpdir(), "fraud-stranger-"));
  try {
    await makeFlinkKey(folder);
    return keyIn(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const memoryOf = (pids: readonly number[]): number =>
  processUsage((pid) => pids.includes(pid)).reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);

/** Shows a key at a port. Up to TLS 1.2 a client hears whether it is let in before it says anything. */
const knock = (at: InnerPort, by: string, key: Partial<Key>): Promise<Attempt> =>
  talk(
    at,
    by,
    connectTls({ host: at.address, port: at.port, rejectUnauthorized: false, maxVersion: "TLSv1.2", ...key }),
  );

function talk(at: InnerPort, by: string, socket: Socket, bytes?: Buffer): Promise<Attempt> {
  return new Promise((resolve) => {
    const answer: Buffer[] = [];
    let known = false;
    const end = (connection: Attempt["connection"]): void => {
      clearTimeout(limit);
      socket.destroy();
      resolve({ ...at, by, let: known ? "in" : "out", connection, answer: withoutAlerts(Buffer.concat(answer)) });
    };
    const limit = setTimeout(() => end("open"), PATIENCE_MS);
    socket
      .on("data", (chunk) => answer.push(chunk))
      .once("error", () => end("closed"))
      .once("close", () => end("closed"));
    if (bytes === undefined)
      socket.once("secureConnect", () => {
        known = true;
        end("open");
      });
    else socket.once("connect", () => socket.write(bytes));
  });
}

/** Records of type 21 are TLS's alerts; each has seven bytes while nothing is encrypted. */
function withoutAlerts(answer: Buffer): string {
  let rest = answer;
  while (rest[0] === 21 && rest[1] === 3 && rest.length >= 7) rest = rest.subarray(7);
  return rest.toString("hex");
}
