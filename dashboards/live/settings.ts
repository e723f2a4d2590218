import { z } from "zod";

import { BASE_PORTS } from "../../contract/ports.js";
import { MIN_TOKEN_LENGTH, peopleList, type Person } from "../../http/people.js";
import { hostList, type OwnNames } from "../../http/strangers.js";
import { fromEnvironment, integer, listening } from "../../process/server-program.js";

const environment = z.object({
  ...listening(BASE_PORTS.dashboard),
  KAFKA: z.string().default("127.0.0.1:9092"),
  INTAKE: z.url().default("http://127.0.0.1:8080"),
  FLINK: z.url().default("http://127.0.0.1:8081"),
  INTAKE_LABEL_TOKEN: z.string().optional(),
  DASHBOARD_TOKEN: z.string().min(MIN_TOKEN_LENGTH).optional(),
  DASHBOARD_USERS: peopleList.default([]),
  DASHBOARD_ALLOW_OPEN: z.enum(["yes", "no"]).default("no"),
  DASHBOARD_HOSTS: z.string().default(""),
  DASHBOARD_KEEP_ALERTS: integer(20_000, 100, 1_000_000),
  DASHBOARD_KEEP_DECISIONS: integer(60_000, 1_000, 5_000_000),
  DASHBOARD_KEEP_SCORES: integer(100_000, 1_000, 5_000_000),
  DASHBOARD_FAILURES: z.url().optional(),
  DASHBOARD_FAILURES_TOKEN: z.string().optional(),
});

/** What the web app is told by its environment. */
export interface DashboardSettings {
  readonly host: string;
  readonly port: number;
  /** `host:port` of a broker. */
  readonly brokers: string;
  /** URLs, without a slash at the end. */
  readonly intake: string;
  readonly flink: string;
  /** `INTAKE_LABEL_TOKEN`: what the intake asks for before it takes a label, if it does. */
  readonly labelToken: string | undefined;
  /** `DASHBOARD_TOKEN`: what people share, and must show; at least 16 characters. */
  readonly token: string | undefined;
  /** `DASHBOARD_USERS`: who signs in by name, instead. */
  readonly people: readonly Person[];
  /** `DASHBOARD_HOSTS`: names, with ports, under which it may be asked, besides those of loopback. */
  readonly names: OwnNames;
  readonly keepAlerts: number;
  readonly keepDecisions: number;
  readonly keepScores: number;
  /**
   * `DASHBOARD_FAILURES`, `DASHBOARD_FAILURES_TOKEN`: the helper that kills parts; without it there is no failure menu.
   */
  readonly failures: { readonly url: string; readonly token: string } | undefined;
}

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "::1", "localhost"]);

/** @throws Error that names the variable that is wrong */
export function dashboardSettings(env: NodeJS.ProcessEnv): DashboardSettings {
  const settings = fromEnvironment(environment, env);
  if (
    !LOOPBACK.has(settings.HOST) &&
    settings.DASHBOARD_TOKEN === undefined &&
    settings.DASHBOARD_USERS.length === 0 &&
    settings.DASHBOARD_ALLOW_OPEN !== "yes"
  ) {
    throw new Error(
      `HOST is ${settings.HOST}, which others can reach: set DASHBOARD_USERS or DASHBOARD_TOKEN, or DASHBOARD_ALLOW_OPEN=yes when something else keeps strangers out`,
    );
  }
  if (settings.DASHBOARD_TOKEN !== undefined && settings.DASHBOARD_USERS.length > 0)
    throw new Error(
      "DASHBOARD_TOKEN and DASHBOARD_USERS are both set: whoever has the shared token could give verdicts in anybody's name. Unset one",
    );
  return {
    host: settings.HOST,
    port: settings.PORT,
    brokers: settings.KAFKA,
    intake: settings.INTAKE.replace(/\/$/, ""),
    flink: settings.FLINK.replace(/\/$/, ""),
    labelToken: settings.INTAKE_LABEL_TOKEN,
    token: settings.DASHBOARD_TOKEN,
    people: settings.DASHBOARD_USERS,
    names: { hosts: hostList(settings.DASHBOARD_HOSTS), variable: "DASHBOARD_HOSTS" },
    keepAlerts: settings.DASHBOARD_KEEP_ALERTS,
    keepDecisions: settings.DASHBOARD_KEEP_DECISIONS,
    keepScores: settings.DASHBOARD_KEEP_SCORES,
    failures:
      settings.DASHBOARD_FAILURES === undefined
        ? undefined
        : { url: settings.DASHBOARD_FAILURES.replace(/\/$/, ""), token: settings.DASHBOARD_FAILURES_TOKEN ?? "" },
  };
}
