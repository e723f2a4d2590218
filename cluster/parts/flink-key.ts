import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { childEnv, JAVA_VARIABLES } from "../../process/environment.js";
import { runQuietly } from "../../process/run-command.js";
import { UserError } from "../../terminal/user-error.js";

const VALID_DAYS = 3_650;
const PASSWORD_VARIABLE = "FLINK_KEY_PASSWORD";

/**
 * Makes the key that the processes of a data folder's Flink know each other by, with a certificate that it signed
 * itself, unless there is one: random, readable only by the owner, and gone with the folder. By Java's own tool, which
 * takes most of a second, once.
 *
 * @param folder - absolute path
 * @throws {UserError} when that fails
 */
export async function makeFlinkKey(folder: string): Promise<void> {
  const keystore = flinkKeystore(folder);
  if (existsSync(keystore) && existsSync(passwordFile(folder))) return;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const password = randomBytes(24).toString("base64url");
  const fresh = `${keystore}.new`;
  for (const file of [keystore, passwordFile(folder), fresh]) rmSync(file, { force: true });
  const args = [
    ...["-genkeypair", "-alias", "flink", "-dname", "CN=flink", "-validity", String(VALID_DAYS)],
    ...["-keyalg", "EC", "-storetype", "PKCS12", "-keystore", fresh, "-storepass:env", PASSWORD_VARIABLE],
  ];
  const { code, output } = await runQuietly(
    "keytool",
    args,
    childEnv({ [PASSWORD_VARIABLE]: password }, JAVA_VARIABLES),
  ).catch((error: unknown) => ({ code: 1, output: String(error) }));
  if (code !== 0) throw new UserError(`keytool, a part of Java, made no key for Flink: ${output.trim()}`);
  chmodSync(fresh, 0o600);
  writeFileSync(passwordFile(folder), password, { mode: 0o600 });
  // Last: with it the key is complete.
  renameSync(fresh, keystore);
}

/**
 * Where the key store is. What it holds is also what is trusted: this certificate, and no other.
 *
 * @param folder - the data folder: an absolute path
 */
export const flinkKeystore = (folder: string): string => join(folder, "flink-key.p12");
const passwordFile = (folder: string): string => join(folder, "flink-key-password");

/**
 * Flink's settings for the key that {@link makeFlinkKey} has made: whoever lacks it gets nothing from the ports of
 * Flink's messages, its files, and the records between its TaskManagers. Where it is, is said on the command line.
 */
export function flinkKeySettings(folder: string): Readonly<Record<string, string>> {
  const password = readFileSync(passwordFile(folder), "utf8");
  return {
    "security.ssl.internal.enabled": "true",
    "security.ssl.internal.keystore-password": password,
    "security.ssl.internal.key-password": password,
    "security.ssl.internal.truststore-password": password,
  };
}
