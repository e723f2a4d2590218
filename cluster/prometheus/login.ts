import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { hash } from "bcryptjs";

/** Who may look at Prometheus. */
export interface PrometheusLogin {
  readonly user: string;
  readonly password: string;
  /** What Prometheus reads (`--web.config.file`): the password's hash. */
  readonly webConfig: string;
}

const USER = "fraud";
const ROUNDS = 10;

/**
 * The login of a Prometheus: it answers under any name, so without one a page whose name was pointed to it could read
 * everything that it knows. Random, made when it is first asked for, and gone with the folder.
 *
 * @param folder - absolute path; `password` in it is for Grafana, and for whoever looks
 * @param options - `shared`: other users of this machine read it too, such as those of Prometheus' and Grafana's
 *   containers. Default: nobody but this one
 */
export async function prometheusLogin(
  folder: string,
  { shared = false }: { readonly shared?: boolean } = {},
): Promise<PrometheusLogin> {
  const mode = shared ? 0o644 : 0o600;
  const webConfig = join(folder, "web.yml");
  const passwordFile = join(folder, "password");
  let password = existing(passwordFile);
  if (password === undefined) {
    mkdirSync(folder, { recursive: true });
    password = randomBytes(24).toString("base64url");
    writeFileSync(webConfig, `basic_auth_users:\n  ${USER}: ${await hash(password, ROUNDS)}\n`, { mode });
    // Last: with it the folder is complete.
    writeFileSync(passwordFile, password, { mode });
  }
  // Of one that was made before, too, and whatever the umask.
  for (const file of [webConfig, passwordFile]) chmodSync(file, mode);
  return { user: USER, password, webConfig };
}

/** The header of a request that says who asks. */
export const authorizationOf = ({ user, password }: Pick<PrometheusLogin, "user" | "password">): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

function existing(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
