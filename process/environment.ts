/** Loopback, in the names that programs compare. */
const LOOPBACK = ["localhost", "127.0.0.1", "::1", "[::1]"];
const NO_PROXY = ["NO_PROXY", "no_proxy"] as const;

/**
 * Variables through which a caller's environment would change a Java program of ours; the options that it should have
 * are on its command line.
 */
export const JAVA_VARIABLES = /^(JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|CLASSPATH)$/;
/** The same of k6: `K6_VUS`, `K6_DURATION` and the like replace a load's profile. */
export const K6_VARIABLES = /^K6_/;

/**
 * The variables that an environment really sets: an empty one counts as not set, since docker compose and many shells
 * cannot leave one out.
 */
export function given(env: NodeJS.ProcessEnv = process.env): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ""));
}

/**
 * The environment of every program that is started here: the caller's, overridden by what makes it work on any machine.
 * Loopback is asked without a proxy, and file names are UTF-8: without a locale Java would find only those in ASCII.
 *
 * @param own - variables that override these
 * @param foreign - variables of the caller that must not reach it
 */
export function childEnv(
  own: Readonly<Record<string, string>> = {},
  foreign?: RegExp,
  base: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const kept = Object.fromEntries(Object.entries(base).filter(([name]) => foreign?.test(name) !== true));
  // On other systems Java takes file names to be UTF-8 whatever the locale, and may not know this one.
  return { ...kept, ...(process.platform === "linux" && { LC_ALL: "C.UTF-8" }), ...withoutProxy(base), ...own };
}

/** Like {@link childEnv}, for a Java program. */
export const javaEnv = (): NodeJS.ProcessEnv => childEnv({}, JAVA_VARIABLES);

/**
 * Lets this process itself ask loopback without a proxy, where Node's support for proxies is on. Call it before the
 * first request.
 */
export function askLoopbackDirectly(): void {
  Object.assign(process.env, withoutProxy(process.env));
}

/**
 * Adds loopback to the hosts that are asked without a proxy. Programs differ in which spelling of the variable they
 * read.
 */
function withoutProxy(env: NodeJS.ProcessEnv): Record<(typeof NO_PROXY)[number], string> {
  const hosts = NO_PROXY.flatMap((name) => (env[name] ?? "").split(/[\s,]+/)).filter((host) => host !== "");
  const all = [...new Set([...hosts, ...LOOPBACK])].join(",");
  return { NO_PROXY: all, no_proxy: all };
}
