import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { objectStoreKeys } from "../state/object-store-keys.js";
import { prometheusLogin } from "../prometheus/login.js";
import { KEYS_FOLDER, LOGIN_FOLDER } from "./keys-folder.js";

/*
 * Runs before MinIO starts in containers: makes its keys, in a volume that only those services mount that need them, in
 * the form that each of them reads.
 */

const { accessKey, secretKey } = objectStoreKeys(KEYS_FOLDER);
// MinIO runs as the user that makes this file.
writeFileSync(join(KEYS_FOLDER, "minio.env"), `MINIO_ROOT_USER=${accessKey}\nMINIO_ROOT_PASSWORD=${secretKey}\n`, {
  mode: 0o600,
});
// Flink runs as another user.
writeFileSync(
  join(KEYS_FOLDER, "aws-credentials"),
  `[default]\naws_access_key_id = ${accessKey}\naws_secret_access_key = ${secretKey}\n`,
  { mode: 0o644 },
);
// Prometheus and Grafana run as others again.
await prometheusLogin(LOGIN_FOLDER, { shared: true });
