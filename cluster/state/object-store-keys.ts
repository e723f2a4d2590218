import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { UserError } from "../../terminal/user-error.js";

/** Whoever has these may read, change and delete every checkpoint. */
export interface ObjectStoreKeys {
  readonly accessKey: string;
  readonly secretKey: string;
}

const FILE = "object-store-keys.json";

/**
 * The key pair of a data folder's object store: random, made when it is first asked for, readable only by the owner,
 * and gone with the folder.
 *
 * @param folder - absolute path
 * @throws {UserError} when the file holds something else
 */
export function objectStoreKeys(folder: string): ObjectStoreKeys {
  const file = join(folder, FILE);
  return (
    read(file) ??
    put(file, { accessKey: randomBytes(10).toString("hex"), secretKey: randomBytes(24).toString("base64url") })
  );
}

function read(file: string): ObjectStoreKeys | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const { accessKey, secretKey } = JSON.parse(text) as Partial<ObjectStoreKeys>;
    if (typeof accessKey === "string" && typeof secretKey === "string") return { accessKey, secretKey };
  } catch {
    // Reported below.
  }
  throw new UserError(
    `${file} does not hold the object store's keys. Delete it while the cluster is down: others are made at the next start.`,
  );
}

/** Two programs may ask for the first time at once: both get the keys that the faster one has made. */
function put(file: string, keys: ObjectStoreKeys): ObjectStoreKeys {
  mkdirSync(join(file, ".."), { recursive: true, mode: 0o700 });
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, JSON.stringify(keys), { mode: 0o600 });
  try {
    linkSync(mine, file);
    return keys;
  } catch (error) {
    const others = (error as NodeJS.ErrnoException).code === "EEXIST" ? read(file) : undefined;
    if (others === undefined) throw error;
    return others;
  } finally {
    rmSync(mine, { force: true });
  }
}
