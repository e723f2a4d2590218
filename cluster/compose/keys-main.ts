import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { objectStoreKeys } from "../state/object-store-keys.js";

/*
 * Before MinIO starts in containers: its keys, in a volume that only those mount who need them, and in the form in
 * which each reads them.
 */

const FOLDER = "/volumes/keys";

const { accessKey, secretKey } = objectStoreKeys(FOLDER);
// It runs as the user that makes this file.
writeFileSync(join(FOLDER, "minio.env"), `MINIO_ROOT_USER=${accessKey}\nMINIO_ROOT_PASSWORD=${secretKey}\n`, {
  mode: 0o600,
});
// Flink runs as another one.
writeFileSync(
  join(FOLDER, "aws-credentials"),
  `[default]\naws_access_key_id = ${accessKey}\naws_secret_access_key = ${secretKey}\n`,
  { mode: 0o644 },
);
