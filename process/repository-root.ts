import { fileURLToPath } from "node:url";

/** The repository's root folder (absolute path). */
export const REPOSITORY_ROOT = fileURLToPath(new URL("..", import.meta.url));
