import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { HOST } from "../../contract/ports.js";
import { minioProgram } from "../../tools/index.js";
import type { ClusterSettings } from "../settings.js";
import { objectStoreKeys } from "../state/object-store-keys.js";
import type { PartProgram } from "./part-program.js";

export function minio({ dataDir, ports, objectStore }: ClusterSettings): PartProgram {
  const data = join(dataDir, "minio");
  return {
    command: minioProgram(),
    args: [
      "server",
      data,
      "--address",
      `${HOST}:${ports.minio}`,
      "--console-address",
      `${HOST}:${ports.minioConsole}`,
      "--quiet",
    ],
    env: {
      // It makes a folder for certificates in its home.
      HOME: dataDir,
      MINIO_BROWSER: "off",
      // By default pages of any origin may read its answers.
      MINIO_API_CORS_ALLOW_ORIGIN: "http://none.invalid",
      MINIO_UPDATE: "off",
      MINIO_CALLHOME_ENABLE: "off",
      // Without this every object is read again in the background.
      MINIO_SCANNER_SPEED: "slowest",
      GOMEMLIMIT: "400MiB",
    },
    secrets: () => {
      const { accessKey, secretKey } = objectStoreKeys(objectStore.keysIn);
      return { MINIO_ROOT_USER: accessKey, MINIO_ROOT_PASSWORD: secretKey };
    },
    foreign: /^MINIO_/,
    ports: ["minio"],
    prepare: () => mkdirSync(data, { recursive: true }),
  };
}
