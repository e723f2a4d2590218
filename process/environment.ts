/** Loopback, as programs compare it: by name. */
const LOOPBACK = ["localhost", "127.0.0.1", "::1", "[::1]"];
const NO_PROXY = ["NO_PROXY", "no_proxy"] as const;

/**
 * Variables by which a caller's environment would change a Java program of ours; the options that it is to have are on
 * its command line.
 */
export const JAVA_VARIABLES = /^(JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|CLASSPATH)$/;
/** The same of k6: `K6_VUS`, `K6_DURATION` and the like replace a load's profile. */
export const K6_VARIABLES = /^K6_/;

/**
 * What an environment gives: an empty variable counts as one that is not set, for docker compose and many shells cannot
 * leave one out.
 */
export function given(env: NodeJS.ProcessEnv = process.env): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ""));
}

/**
 * The environment of every program that is started here: the caller's, and over it what makes it work on any machine.
 * Loopback is asked without a proxy, and names of files are UTF-8: Java finds no other ones than in ASCII where no
 * locale is set.
 *
 * @param own - variables over these
 * @param foreign - those of the caller's that must not reach it
 */
export function childEnv(
  own: Readonly<Record<string, string>> = {},
  foreign?: RegExp,
  base: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const kept = Object.fromEntries(Object.entries(base).filter(([name]) => foreign?.test(name) !== true));
  // Other systems' Java takes file names for UTF-8 whatever the locale, and may not know this one.
  return { ...kept, ...(process.platform === "linux" && { LC_ALL: "C.UTF-8" }), ...withoutProxy(base), ...own };
}

/** The same as {@link childEnv} of a Java program. */
export const javaEnv = (): NodeJS.ProcessEnv => childEnv({}, JAVA_VARIABLES);

/**
 * Lets this process itself ask loopback without a proxy, where Node's support for proxies is on. Call it before the
 * first request.
 */
export function askLoopbackDirectly(): void {
  Object.assign(process.env, withoutProxy(process.env));
}

/**
 * Adds loopback to those that are asked without a proxy. Programs differ in which spelling of the variable they read.
 */
function withoutProxy(env: NodeJS.ProcessEnv): Record<(typeof NO_PROXY)[number], string> {
  const hosts = NO_PROXY.flatMap((name) => (env[name] ?? "").split(/[\s,]+/)).filter((host) => host !== "");
  const all = [...new Set([...hosts, ...LOOPBACK])].join(",");
  return { NO_PROXY: all, no_proxy: all };
}
