import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { REPOSITORY_ROOT } from "../../cluster/settings.js";

const TARGET = join(REPOSITORY_ROOT, "statefun/transport/target");

/** The batching transport's jar, where it was built. */
export function transportJar(): string[] {
  return existsSync(TARGET) ? readdirSync(TARGET).filter((name) => name.endsWith(".jar")).map((name) => join(TARGET, name)) : [];
}
