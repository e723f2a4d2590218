import type { Progress } from "./cache.js";
import { hasProgram } from "./has-program.js";
import { installDebian, mayInstall } from "./requirements.js";

/** Whether `prometheus` and `promtool` are on this machine. Only tests and `npm run cluster -- metrics` use them. */
export const hasPrometheus = (): boolean =>
  ["prometheus", "promtool"].every((command) => hasProgram(command, "--version"));

/**
 * Installs Prometheus as root on Debian, unless it is there. Elsewhere its users do without.
 *
 * @throws {UserError} when Debian's packages are not reachable
 */
export async function ensurePrometheus(onProgress: Progress): Promise<void> {
  if (!hasPrometheus() && mayInstall()) await installDebian("Prometheus", ["prometheus"], onProgress);
}
